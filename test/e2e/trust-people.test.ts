/**
 * A secured cluster as people and scripts meet it, with real processes: invitations made, sent, used, used up and
 * mistyped; tokens, rights, revocation and eviction; and secrets in no argument and in nothing that is printed.
 */
import { afterEach, describe, expect, test } from "bun:test";
import { readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { BINARY, Cluster, endAll, PeerProcess } from "./harness.ts";

const TEST_MS = 60_000;

interface Ended {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

/** Peer 1 of a secured cluster, and who is invited. Directories of those who are told none are in the cluster's folder. */
class Invited {
  readonly cluster: Cluster;
  readonly founder: PeerProcess;
  #others = 0;

  private constructor(cluster: Cluster) {
    this.cluster = cluster;
    this.founder = cluster.start(1, { name: "alice", args: ["--secure"] });
  }

  static async start(): Promise<Invited> {
    const invited = new Invited(await Cluster.reserve(3));
    await invited.founder.event("notice", (e) => e.code === "leading");
    return invited;
  }

  file(name: string): string {
    return join(this.cluster.root, name);
  }

  /** By the command, as a script does. */
  async invite(...args: string[]): Promise<string> {
    const { code, out, err } = await this.run(["invite", "--data-dir", this.cluster.dir(1), ...args]);
    expect({ code, lines: out.split("\n").length, err: code === 0 ? "" : err }).toEqual({ code: 0, lines: 2, err: "" });
    return out.trim();
  }

  async run(args: readonly string[], input = "", env: Record<string, string> = {}): Promise<Ended> {
    const child = Bun.spawn([BINARY, ...args], {
      cwd: this.cluster.root,
      env: { ...process.env, NO_COLOR: "1", XDG_STATE_HOME: this.file("state"), USER: "script", ...env },
      stdin: new Blob([input]),
      stdout: "pipe",
      stderr: "pipe",
      timeout: TEST_MS / 2,
    });
    const [out, err, code] = await Promise.all([child.stdout.text(), child.stderr.text(), child.exited]);
    return { code, out, err };
  }

  /** Joins by what the environment says, and knows nothing else. */
  join(invitation: string, ...args: string[]): PeerProcess {
    return this.#talk(["join", ...args], { CHATPEER_INVITE: invitation });
  }

  connect(...args: string[]): PeerProcess {
    return this.#talk(["connect", ...args], {});
  }

  #talk(args: readonly string[], env: Record<string, string>): PeerProcess {
    this.#others += 1;
    return new PeerProcess([BINARY, ...args, "--json"], {
      env: { ...env, XDG_STATE_HOME: this.file(`state${this.#others}`) },
    });
  }

  /** In the chat, as a person does. */
  async say(command: string, event: string, peer = this.founder) {
    const from = peer.events.length;
    peer.say(command);
    return peer.event(event, () => true, from);
  }
}

afterEach(endAll);

describe("members", () => {
  test(
    "whoever is invited needs nothing but the invitation, and comes back without it",
    async () => {
      const all = await Invited.start();
      const told = await all.say("/invite member", "invitation");
      expect(told).toEqual({
        ...{
          event: "invitation",
          invitation: expect.stringMatching(/^chatpeer1-[\w-]{60,}$/),
          role: "member",
          name: "",
        },
        ...{ rights: "admin", uses: 1, expires: expect.any(Number) },
      });
      expect(all.founder.events[0]).toMatchObject({ code: "founded", message: expect.stringContaining("/invite") });
      const peer = all.join(told.invitation, "--port", "0");
      const { id, data_dir } = await peer.event("started");
      expect(id).toBeGreaterThan(1);
      await peer.event("member", (e) => e.id === id && e.state === "joined");
      peer.say("hello from the invited");
      await all.founder.event("message", (e) => e.payload === "hello from the invited" && e.sender_id === id);
      // Another one with the same invitation is late; so is a mistyped or a foreign one not let in.
      const late = await all.run(["join", "--invite-file", "-", "--headless", "--port", "0"], `${told.invitation}\n`);
      expect(late.code).toBe(1);
      expect(late.err).toContain("this invitation has been used");
      const mistyped =
        told.invitation.slice(0, -3) + (told.invitation.at(-3) === "a" ? "b" : "a") + told.invitation.slice(-2);
      const wrong = await all.run(["join", "--headless"], "", { CHATPEER_INVITE: mistyped });
      expect(wrong.code).toBe(2);
      expect(wrong.err).toContain("CHATPEER_INVITE is no invitation: ");
      expect(wrong.err).not.toContain(mistyped.slice(12, 30));
      await peer.stop();
      const again = new PeerProcess([BINARY, "--id", `${id}`, "--port", "0", "--data-dir", data_dir, "--json"]);
      await again.event("role", (e) => e.leader_id === 1);
      all.founder.say("welcome back");
      await again.event("message", (e) => e.payload === "welcome back");
    },
    TEST_MS,
  );

  test(
    "evict works on the living, and the evicted does not return",
    async () => {
      const all = await Invited.start();
      const peer = all.join(await all.invite(), "--port", "0");
      const { id, data_dir } = await peer.event("started");
      await peer.event("member", (e) => e.id === id && e.state === "joined");
      const { members } = await all.say("/access", "access");
      expect(members.map((m: { id: number }) => m.id)).toEqual([1, id]);
      for (const { key } of members) expect(key).toMatch(/^[a-z2-7]{52}$/);
      expect((await all.run(["evict", `${id}`, "--data-dir", all.cluster.dir(1)])).code).toBe(0);
      await all.founder.event("member", (e) => e.id === id && e.state === "left");
      await peer.stop();
      const again = new PeerProcess([BINARY, "--id", `${id}`, "--port", "0", "--data-dir", data_dir, "--json"]);
      const refused = await again.event("error", (e) => e.code === "evicted" || e.message.includes("evicted"));
      expect(refused.message).not.toContain("chatpeer1-");
      const access = await all.say("/access", "access");
      expect(access.members.find((m: { id: number }) => m.id === id)?.key ?? null).toBe(null);
    },
    TEST_MS,
  );
});

describe("clients", () => {
  test(
    "have the name and the right of their token, until it is revoked",
    async () => {
      const all = await Invited.start();
      writeFileSync(all.file("bob"), await all.invite("--client", "--name", "bob"));
      const bob = all.connect(
        "--invite-file",
        all.file("bob"),
        "--token-file",
        all.file("bob.token"),
        "--name",
        "alice",
      );
      await bob.event("started");
      expect(statSync(all.file("bob.token")).mode & 0o777).toBe(0o600);
      bob.say("it is me");
      expect(await all.founder.event("message", (e) => e.payload === "it is me")).toMatchObject({ user: "bob" });

      writeFileSync(all.file("reader"), await all.invite("--client", "--name", "reader", "--rights", "read"));
      const token = ["--token-file", all.file("reader.token")];
      const reader = all.connect("--invite-file", all.file("reader"), ...token);
      await reader.event("started");
      reader.say("may I?");
      await reader.event("error", (e) => e.code === "forbidden");
      expect(await all.run(["send", ...token, "may I?"])).toMatchObject({ code: 1 });
      const read = await all.run(["tail", ...token]);
      expect(read).toMatchObject({ code: 0, out: expect.stringContaining("bob: it is me") });
      expect(await all.run(["invite", ...token])).toMatchObject({ code: 1, out: "" });

      await all.say("/revoke bob", "notice");
      expect(await bob.exited).toBe(1);
      expect(bob.events.at(-1)).toMatchObject({ event: "error", code: "revoked" });
      const sent = await all.run(["send", "--token-file", all.file("bob.token"), "still here"]);
      expect(sent.code).toBe(1);
      expect(sent.err).toContain("revoked");
    },
    TEST_MS,
  );

  test(
    "a token with all rights does from afar what a person does at a peer",
    async () => {
      const all = await Invited.start();
      writeFileSync(all.file("root"), await all.invite("--client", "--name", "root", "--rights", "admin"));
      const token = ["--token-file", all.file("root.token")];
      const client = all.connect("--invite-file", all.file("root"), ...token);
      await client.event("started");
      const told = await all.say("/invite client cron write uses 2 for 30m", "error", client);
      expect(told.message).toContain("leave out the name, or the uses");
      const { invitation } = await all.say("/invite client cron write for 30m", "invitation", client);
      expect((await all.run(["doctor", "--invite-file", "-"], invitation)).out).toContain("it can be used");
      const drawn = await all.run(["invite", "--qr", ...token]);
      expect(drawn.out.split("\n").filter((line) => /^[█▀▄ ]{40,}$/.test(line)).length).toBeGreaterThan(20);
      const status = await all.run(["status", ...token, "--json"]);
      expect(JSON.parse(status.out)).toMatchObject({ event: "status", id: 1 });
      expect((await all.run(["revoke", "cron", ...token])).code).toBe(0);
      const looked = await all.run(["doctor", "--invite-file", "-", "--json"], invitation);
      expect(looked.code).toBe(1);
      expect(looked.out).toContain('"code":"revoked"');
    },
    TEST_MS,
  );
});

describe("strangers and secrets", () => {
  test(
    "who speaks without TLS is told so, and a secret in an argument is refused",
    async () => {
      const all = await Invited.start();
      const address = `127.0.0.1:${all.cluster.portOf(1)}`;
      const plain = await all.run(["send", address, "hello", "--timeout", "5s"]);
      expect(plain.code).toBe(1);
      expect(plain.err).toContain("TLS");
      const seed = [
        "--id",
        "9",
        "--port",
        "0",
        "--seed",
        `1:${address}`,
        "--headless",
        "--data-dir",
        all.file("peer9"),
      ];
      const joining = new PeerProcess([BINARY, ...seed, "--json"]);
      await joining.event("error", (e) => e.message.includes("nobody is spoken to without TLS"));
      expect(await joining.exited).toBe(1);
      const invitation = await all.invite();
      for (const args of [
        ["join", invitation],
        ["join", "--invite", invitation],
        ["connect", invitation],
      ]) {
        const ended = await all.run(args);
        expect(ended.code).toBe(2);
        expect(ended.err).toContain("an invitation is a secret, and no argument");
        expect(ended.err).not.toContain(invitation.slice(12, 30));
      }
      const doctor = await all.run(["doctor", address]);
      expect(doctor).toMatchObject({ code: 0, out: expect.stringContaining("a peer of a secured cluster answers") });
    },
    TEST_MS,
  );

  test(
    "no secret stands in what is printed, logged, reported or kept where others look",
    async () => {
      const all = await Invited.start();
      const invitation = await all.invite("--client", "--name", "canary");
      const secrets = [invitation.slice(12, 60)];
      const args = ["--invite-file", "-", "--token-file", all.file("canary.token"), "--json"];
      const client = await all.run(["connect", ...args], `${invitation}\n`);
      expect(client.code).toBe(0);
      const { token } = JSON.parse(readFileSync(all.file("canary.token"), "utf8"));
      const owner = JSON.parse(readFileSync(join(all.cluster.dir(1), "owner.token"), "utf8")).token;
      secrets.push(token, owner);
      const config = await all.run(["config", "--id", "1", "--print"], "", { CHATPEER_INVITE: invitation });
      const log = await all.run(["log", all.cluster.dir(1), "--json"]);
      const access = await all.run(["access", "--data-dir", all.cluster.dir(1), "--json"]);
      const entries = readdirSync(join(all.cluster.dir(1), "log")).map((name) =>
        readFileSync(join(all.cluster.dir(1), "log", name), "utf8"),
      );
      const said = [client, config, log, access].flatMap(({ out, err }) => [out, err]);
      const everything = [
        ...said,
        ...entries,
        ...all.founder.events.map((e) => JSON.stringify(e)),
        ...all.founder.stderr,
      ];
      expect(everything.join("\n")).toContain("canary");
      for (const secret of secrets) for (const text of everything) expect(text).not.toContain(secret);
    },
    TEST_MS,
  );
});
