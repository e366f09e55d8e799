/**
 * The command line as a process: which flags there are, what is said about wrong ones, and the exit code: 0 done, 1 it
 * failed, 2 wrong usage. The compiled artefacts are tested in test/e2e; this runs the source.
 */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const MAIN = join(import.meta.dir, "../../src/cli/main.ts");

let root = "";
beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), "chatpeer-main-"));
});
afterAll(() => rmSync(root, { recursive: true, force: true }));

interface Ended {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

/** Runs it in a directory of its own, where it cannot find or leave anything, to its end. */
async function chatpeer(args: readonly string[], input = "", env: Record<string, string> = {}): Promise<Ended> {
  const child = Bun.spawn([process.execPath, MAIN, ...args], {
    cwd: root,
    env: { PATH: process.env.PATH ?? "", HOME: root, XDG_STATE_HOME: join(root, "state"), ...env },
    stdin: new Blob([input]),
    stdout: "pipe",
    stderr: "pipe",
  });
  const [out, err, code] = await Promise.all([child.stdout.text(), child.stderr.text(), child.exited]);
  return { code, out, err };
}

const events = ({ out }: Ended) =>
  out
    .split("\n")
    .slice(0, -1)
    .map((line) => JSON.parse(line) as Record<string, unknown>);

describe("wrong usage", () => {
  const ID = ["--id", "1"];
  const wrong: [string[], string][] = [
    [[], "--id is needed, a number that no other peer has: chatpeer --id 1"],
    [["--id"], "--id needs a value"],
    [["--id", "0"], '--id must be a whole number from 1 to 59535, not "0"'],
    [["--id", "1e3"], '--id must be a whole number from 1 to 59535, not "1e3"'],
    [["--id", "5", "--id", "6"], "--id is given twice (5 and 6): give it once"],
    [[...ID, "--json", "--json"], "--json is given twice: give it once"],
    [[...ID, "--port", "65536"], '--port must be a whole number from 0 to 65535, not "65536"'],
    [[...ID, "--host"], "--host needs a value"],
    [["log", "./\x1b]0;x\x07\u202e"], "./^[]0;x^G\\u{202e} is no data directory"],
    [["send", "127.0.0.1:1", ""], "an empty message is not sent"],
    [["send", "127.0.0.1:1", "-"], "an empty message is not sent"],
    [["send", "127.0.0.1:1", "é".repeat(32_769)], "the message has 65538 bytes of UTF-8, the limit is 65536"],
    [[...ID, "--advertise", "here"], "--advertise must be HOST:PORT like 192.168.1.5:6001"],
    [[...ID, "--seed", "2:localhost:1", "--seed", "3"], "--seed must be ID:HOST:PORT like 2:127.0.0.1:6002"],
    [[...ID, "--name", "a\nb"], '--name must have 1 to 64 bytes of UTF-8 and no control characters, not "a\\nb"'],
    [[...ID, "--room="], '--room must have 1 to 64 bytes of UTF-8 and no control characters, not ""'],
    [[...ID, "--data-dir"], "--data-dir needs a value"],
    [[...ID, "--history=-1"], '--history must be a whole number from 0 to 10000, not "-1"'],
    [[...ID, "--heartbeat-interval", "often"], "--heartbeat-interval must be a time like 200ms or 1.2s"],
    [[...ID, "--leader-timeout", "2h"], '--leader-timeout must be a time like 200ms or 1.2s, at most 60m, not "2h"'],
    [[...ID, "--heartbeat-interval", "1s"], "the leader timeout (1200 ms) must be at least three heartbeat intervals"],
    [[...ID, "--durability", "none"], '--durability must be one of fsync, os, not "none"'],
    [[...ID, "--log-level", "loud"], "--log-level must be one of off, error, warn, info, debug"],
    [[...ID, "--log-format", "xml"], '--log-format must be one of text, json, not "xml"'],
    [[...ID, "--sed", "2:localhost:1"], "there is no flag --sed, did you mean --seed?"],
    [[...ID, "--completely-else"], "there is no flag --completely-else\n"],
    [["vrify"], 'there is no command "vrify", did you mean verify?'],
    [[...ID, "verify"], '"verify" is no flag (a command would stand first)'],
    [["verify"], "verify needs at least one data directory: chatpeer verify DIR..."],
    [["verify", "."], ". is no data directory of a peer"],
    [["verify", "--room", "x"], "there is no flag --room"],
    [["log"], "log needs one data directory: chatpeer log DIR"],
    [["log", "a", "b"], "log needs one data directory: chatpeer log DIR"],
    [["log", ".", "--after", "x"], '--after must be a whole number from 0 to 999999999999999, not "x"'],
    [["connect"], "connect needs one address: chatpeer connect 127.0.0.1:6001"],
    [["connect", "nowhere"], 'the address must be HOST:PORT like 192.168.1.5:6001 (IPv6 in brackets), not "nowhere"'],
    [["connect", "h:1", "--id", "2"], "there is no flag --id"],
    [["send", "h:1", "a", "b"], 'send needs an address and one text: chatpeer send 127.0.0.1:6001 "some words"'],
    [["send", "h:1", ""], "an empty message is not sent"],
    [["send", "h:1"], "an empty message is not sent"],
    [["send", "h:1", "x".repeat(65_537)], "the message has 65537 bytes of UTF-8, the limit is 65536: send it in parts"],
    [["send", "h:1", "a", "--name", "b", "--timeout", "never"], "--timeout must be a time like 200ms or 1.2s"],
    [["tail", "h:1", "--since", "0"], "--since must be a whole number from 1 to 999999999999999, not"],
    [["tail", "h:1", "--folow"], "there is no flag --folow, did you mean --follow?"],
    [["status"], "status needs one address: chatpeer status 127.0.0.1:6001"],
    [["help", "verfy"], 'there is no command "verfy", did you mean verify?'],
  ];

  test("each is exit code 2, says what is wanted on stderr and where to read more, and starts nothing", async () => {
    const ended = await Promise.all(wrong.map(([args]) => chatpeer(args)));
    for (const [i, [args, message]] of wrong.entries()) {
      const { code, out, err } = ended[i] as Ended;
      expect([args, err]).toEqual([args, expect.stringContaining(`chatpeer: ${message}`)]);
      const command = /^[a-z]/.test(args[0] ?? "") && args[0] !== "vrify" ? `chatpeer ${args[0]}` : "chatpeer";
      expect([args, code, out, err.endsWith(`\nTry: ${command} --help\n`)]).toEqual([args, 2, "", true]);
    }
    expect(existsSync(join(root, "state"))).toBe(false);
  });

  test("a flag spelled otherwise is refused and not passed over in silence", async () => {
    const spelled = [["--dataDir", "other"], ["--leaderTimeout", "5s"], ["--name.first", "x"], ["--no-history"]];
    const ended = await Promise.all(
      spelled.map((flag, i) => chatpeer([...ID, "--port", "0", "--data-dir", `spelled-${i}`, "--json", ...flag])),
    );
    expect(ended.map(({ code }, i) => [spelled[i]?.[0], code])).toEqual(spelled.map(([flag]) => [flag, 2]));
  });
});

describe("help", () => {
  test("names every flag and command, on stdout, exit code 0", async () => {
    const [flag, word, verify, version] = (await Promise.all(
      [["--help"], ["help"], ["help", "verify"], ["--version"]].map((args) => chatpeer(args)),
    )) as [Ended, Ended, Ended, Ended];
    const flags =
      "id host port advertise seed name room data-dir headless json history heartbeat-interval leader-timeout";
    for (const name of `${flags} durability log-level log-format`.split(" ")) expect(flag.out).toContain(`--${name}`);
    for (const command of ["verify DIR...", "log DIR", "help [COMMAND]"]) expect(flag.out).toContain(command);
    expect(word).toEqual(flag);
    expect(flag).toMatchObject({ code: 0, err: "" });
    expect(verify.out).toContain("Usage: chatpeer verify DIR... [flags]");
    expect(verify.code).toBe(0);
    expect(version).toMatchObject({ code: 0, out: expect.stringMatching(/^chatpeer\/\d+\.\d+\.\d+ /) });
  });
});

describe("settings and doctor", () => {
  test("a file, the environment and flags together; what is wrong is exit code 2 with its line", async () => {
    await Bun.write(join(root, "node.yml"), "node_id: 9\nlog_dir: ./nine\nroom: filed\n");
    await Bun.write(join(root, "wrong.yml"), "id: 9\nrom: x\n");
    const env = { CHATPEER_CONFIG: "node.yml", CHATPEER_ROOM: "environment" };
    const [printed, checked, wrong, run] = (await Promise.all([
      chatpeer(["config", "--print", "--history", "3"], "", env),
      chatpeer(["config"], "", env),
      chatpeer(["--config", "wrong.yml"]),
      chatpeer(["--port", "0", "--json"], "hello\n", env),
    ])) as [Ended, Ended, Ended, Ended];
    for (const line of ["id: 9 # node.yml:1", 'room: "environment" # CHATPEER_ROOM', "history: 3 # flag"])
      expect(printed.out.split("\n")).toContain(line);
    expect(checked).toMatchObject({
      code: 0,
      out: expect.stringContaining(`peer 9, peer_9, data in ${join(root, "nine")}`),
    });
    expect(wrong).toEqual({
      ...{ code: 2, out: "" },
      err: "chatpeer: wrong.yml:2: there is no setting rom, did you mean room?\nTry: chatpeer --help\n",
    });
    expect(events(run).find((e) => e.event === "message")).toMatchObject({ sender_id: 9, room_id: "environment" });
  });

  test("doctor: 0 where all is well, 1 where something is wrong; as JSON an object for each finding", async () => {
    const taken = Bun.listen({ hostname: "127.0.0.1", port: 0, socket: { data() {} } });
    const port = String(taken.port);
    const machine = ["doctor", "--data-dir", "doctored", "--json", "--port"];
    const [well, inUse, silent] = (await Promise.all([
      chatpeer([...machine, "0"]),
      chatpeer([...machine, port]),
      chatpeer(["doctor", `127.0.0.1:${port}`, "--timeout", "200ms"]),
    ])) as [Ended, Ended, Ended];
    taken.stop();
    const wrong = (ended: Ended) => events(ended).filter(({ ok, about }) => ok === false && about !== "free space");
    expect([wrong(well), events(well).length]).toEqual([[], expect.any(Number)]);
    expect([inUse.code, wrong(inUse)]).toMatchObject([1, [{ about: "port", code: "port" }]]);
    expect(silent).toMatchObject({
      code: 1,
      out: expect.stringMatching(/^problem {2}127\.0\.0\.1:\d+ {2}something listens/),
    });
    expect(existsSync(join(root, "doctored"))).toBe(false);
  });
});

describe("a peer alone, its input a pipe", () => {
  test("every flag at once; names and directories that look like numbers stay what was typed", async () => {
    const ended = await chatpeer(
      [
        ...["--id", "7", "--host", "127.0.0.1", "--port", "0", "--advertise", "localhost:6007", "--name", "007"],
        ...["--room=1e3", "--data-dir", "5e1", "--json", "--history", "0", "--heartbeat-interval", "50"],
        ...["--leader-timeout", "0.5s", "--durability", "os", "--log-level", "debug", "--log-format", "json"],
      ],
      "0x10\n//quit\n/nonsense\n\xff\u2028\nlast line without an end",
    );
    expect(ended.code).toBe(0);
    const all = events(ended);
    expect(all.find((e) => e.event === "started")).toMatchObject({ id: 7, data_dir: join(root, "5e1") });
    const messages = all.filter((e) => e.event === "message");
    expect(messages.map((e) => [e.seq_no, e.user, e.room_id, e.payload])).toEqual([
      [1, "007", "1e3", "0x10"],
      [2, "007", "1e3", "/quit"],
      [3, "007", "1e3", "\xff\u2028"],
      [4, "007", "1e3", "last line without an end"],
    ]);
    expect(all.filter((e) => e.event === "error")).toMatchObject([
      { code: "command", message: expect.stringContaining("there is no command /nonsense") },
    ]);
    const logged = ended.err
      .split("\n")
      .slice(0, -1)
      .map((line) => JSON.parse(line));
    expect(logged.length).toBeGreaterThan(0);
    for (const record of logged)
      expect(record).toMatchObject({ peer: 7, level: expect.stringMatching(/^(warn|info|debug)$/) });
  });

  test("as text, with the defaults: what it says can be read back with log, and the directory verified", async () => {
    const state = join(root, "xdg");
    const said = await chatpeer(["--id", "3", "--port", "0", "--log-level", "off"], "hello\n\nworld\r\n", {
      XDG_STATE_HOME: state,
    });
    const lines = ["[seq=1] peer_3: hello", "[seq=2] peer_3: world"];
    expect(said).toMatchObject({ code: 0, err: "" });
    // An empty line is no message.
    expect(said.out.split("\n").filter((line) => line.startsWith("["))).toEqual(lines);
    expect(said.out.split("\n").at(-2)).toStartWith("-- stopped: ");
    const data = join(state, "chatpeer", "peer-3");
    const [text, json, after, verified] = (await Promise.all([
      chatpeer(["log", data]),
      chatpeer(["log", data, "--json", "--room", "general"]),
      chatpeer(["log", data, "--after", "99"]),
      chatpeer(["verify", data, data]),
    ])) as [Ended, Ended, Ended, Ended];
    expect(text).toEqual({ code: 0, out: `${lines.join("\n")}\n`, err: "" });
    expect(events(json).map((e) => [e.event, e.payload])).toEqual([
      ["message", "hello"],
      ["message", "world"],
    ]);
    expect(after).toEqual({ code: 0, out: "", err: "" });
    expect(verified.code).toBe(0);
    expect(verified.out).toContain("one history: identical through entry");
  });

  test("a relative XDG_STATE_HOME is ignored, as its specification says", async () => {
    const ended = await chatpeer(["--id", "4", "--port", "0", "--json"], "/quit\n", {
      XDG_STATE_HOME: "relative",
    });
    expect(events(ended).find((e) => e.event === "started")).toMatchObject({
      data_dir: join(root, ".local/state/chatpeer/peer-4"),
    });
  });

  test("a user without a home directory is told to say where data is kept; with that, all is well", async () => {
    const homeless = { HOME: "nowhere", XDG_STATE_HOME: "" };
    const ended = await chatpeer(["config", "--id", "4"], "", homeless);
    expect(ended).toMatchObject({ code: 2, out: "" });
    expect(ended.err).toContain(
      "no home directory (HOME is not set, and no account says it): say where this peer's data",
    );
    const told = await chatpeer(["config", "--id", "4", "--data-dir", "here"], "", homeless);
    expect(told).toMatchObject({ code: 0, err: "" });
  });

  test("/save below a home directory that is not known is refused in words", async () => {
    const lines = "/save ~/history.txt\n/quit\n";
    const ended = await chatpeer(["--id", "4", "--port", "0", "--data-dir", "homeless", "--json"], lines, {
      HOME: "x",
    });
    expect(events(ended).filter((e) => e.event === "error")).toMatchObject([
      { message: expect.stringContaining("give a whole path instead of ~/history.txt") },
    ]);
    expect(ended.code).toBe(0);
  });
});
