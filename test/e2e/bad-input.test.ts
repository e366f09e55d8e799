/** Bad input from people, files and the network: a clear error, nothing lost, nothing crashed. */
import { afterEach, expect, test } from "bun:test";
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PROTOCOL_VERSION } from "../../src/core/config.ts";
import { BINARY, Cluster, endAll, PeerProcess, RUNTIMES, run } from "./harness.ts";
import { checkHistory, logLines } from "./history.ts";

afterEach(endAll);

async function refusedStart(...args: string[]): Promise<{ code: number; err: string }> {
  const { code, err } = await run([BINARY, ...args], "");
  return { code, err };
}

test("wrong usage ends with exit code 2 and says what is wanted", async () => {
  const cases: [string[], RegExp][] = [
    [[], /--id is needed/],
    [["--id", "zero"], /--id must be a whole number from 1/],
    [["--id", "1", "--seed", "nonsense"], /--seed must be ID:HOST:PORT like 2:127\.0\.0\.1:6002/],
    [["--id", "1", "--seed", "2:127.0.0.1:99999"], /--seed must be/],
    [["--id", "1", "--port", "70000"], /--port must be/],
    [["--id", "1", "--leader-timeout", "soon"], /--leader-timeout must be a time like/],
    [["--id", "1", "--leader-timeout", "300ms"], /at least three heartbeat intervals/],
    [["--id", "1", "--durability", "maybe"], /--durability must be one of fsync, os/],
    [["--id", "1", "--jsn"], /there is no flag --jsn, did you mean --json\?/],
    [["verfy"], /did you mean verify\?/],
    [["verify"], /verify needs at least one data directory/],
    [["log", "/nonexistent"], /is no data directory/],
  ];
  for (const [args, expected] of cases) {
    const { code, err } = await refusedStart(...args);
    expect(`${code} ${err}`).toMatch(expected);
    expect(code).toBe(2);
  }
});

test("an empty --data-dir is refused, not taken for the current directory", async () => {
  const { code, err } = await run([BINARY, "--id", "1", "--port", "0", "--data-dir", ""]);
  expect(code).toBe(2);
  expect(err).toContain("--data-dir needs a directory");
});

/** A user that no account knows, as in a container. */
const HOMELESS = ["env", "-i", "setpriv", "--reuid", "54321", "--regid", "54321", "--clear-groups"];

test.skipIf(process.getuid?.() !== 0)("a user without HOME and without an account is answered in words", async () => {
  for (const [command, ...rest] of [RUNTIMES.binary, RUNTIMES.node]) {
    const path = Bun.which(command) as string;
    const { code, err } = await run([...HOMELESS, path, ...rest, "config", "--id", "1"]);
    expect(err.split("\n")).toEqual([
      expect.stringContaining("chatpeer: this user has no home directory"),
      "Try: chatpeer config --help",
      "",
    ]);
    expect(code).toBe(2);
  }
});

test.skipIf(process.getuid?.() !== 0)(
  "whatever home, directory or file a command is given, it ends in words",
  async () => {
    const root = mkdtempSync(join(tmpdir(), "chatpeer-given-"));
    const closed = join(root, "closed");
    mkdirSync(join(closed, "log"), { recursive: true });
    chmodSync(root, 0o755);
    chmodSync(closed, 0o700);
    const nobody = HOMELESS.slice(2);
    const given: { before?: readonly string[]; args: readonly string[]; code: number; said: string }[] = [
      {
        // Node.js tried for ever to make a directory there.
        ...{ before: ["env", "HOME=/proc", ...nobody], args: ["--id", "1", "--headless"], code: 1 },
        said: "cannot make /proc/.local/state/chatpeer/peer-1",
      },
      { before: ["env", "HOME=here"], args: ["config", "--id", "1"], code: 2, said: "this user has no home directory" },
      ...["verify", "log", "recover"].map((command) => ({
        ...{ before: nobody, args: [command, closed], code: 1 },
        said: `cannot look at ${closed}/log: permission denied (EACCES)`,
      })),
      { args: ["--config", "/dev/zero"], code: 2, said: "/dev/zero has more than 1048576 bytes" },
    ];
    try {
      for (const [command, ...rest] of [RUNTIMES.binary, RUNTIMES.node])
        for (const { before = [], args, code, said } of given) {
          const ended = await run([...before, Bun.which(command) as string, ...rest, ...args]);
          const [first] = ended.err.split("\n");
          expect(first).toStartWith("chatpeer: ");
          expect(first).toContain(said);
          expect(ended.err).not.toContain("    at ");
          expect(ended.code).toBe(code);
        }
    } finally {
      rmSync(root, { recursive: true, force: true });
    }
  },
);

test("names that look like numbers stay names", async () => {
  const cluster = await Cluster.reserve(1);
  const peer = cluster.start(1, { name: "007", args: ["--room", "1e3"] });
  peer.say("shaken");
  const message = await peer.event("message");
  expect([message.user, message.room_id]).toEqual(["007", "1e3"]);
  await cluster.stop();
});

test("a port in use is named, with what to do", async () => {
  const cluster = await Cluster.start(1);
  const dir = mkdtempSync(join(tmpdir(), "chatpeer-e2e-"));
  const { code, err } = await refusedStart("--id", "2", "--port", String(cluster.portOf(1)), "--data-dir", dir);
  expect(code).toBe(1);
  expect(err).toContain(
    `cannot listen on 127.0.0.1:${cluster.portOf(1)}: the port is in use (another chatpeer? try --port`,
  );
  rmSync(dir, { recursive: true });
  await cluster.stop();
});

test("[D1] a data directory that another process has is refused; after kill -9 it is free", async () => {
  const cluster = await Cluster.start(1);
  const { code, err } = await refusedStart("--id", "1", "--port", "0", "--data-dir", cluster.dir(1));
  expect(code).toBe(1);
  expect(err).toMatch(/in use by another process/);
  await cluster.peer(1).stop("SIGKILL");
  const again = cluster.start(1);
  await again.event("started");
  await cluster.stop();
});

test("a data directory that cannot be written is named", async () => {
  const parent = mkdtempSync(join(tmpdir(), "chatpeer-e2e-"));
  writeFileSync(join(parent, "file"), "");
  const { code, err } = await refusedStart("--id", "1", "--port", "0", "--data-dir", join(parent, "file", "peer"));
  expect(code).toBe(1);
  expect(err).toMatch(/the data directory cannot be used/);
  rmSync(parent, { recursive: true });
});

test("a peer of another cluster is refused with both clusters' names", async () => {
  const [one, two] = [await Cluster.start(1), await Cluster.start(1)];
  await two.peer(1).stop("SIGKILL");
  const other = await Cluster.reserve(1);
  // A peer that belongs to its own cluster is pointed at another one by --seed; its id is not known there.
  const stray = new PeerProcess([
    BINARY,
    "--id",
    "9",
    "--port",
    String(other.portOf(1)),
    "--data-dir",
    other.dir(1),
    "--json",
  ]);
  await stray.event("role", (e) => e.role === "leader");
  await stray.stop("SIGTERM");
  const lost = new PeerProcess([
    BINARY,
    "--id",
    "9",
    "--port",
    String(other.portOf(1)),
    "--data-dir",
    other.dir(1),
    "--json",
    "--seed",
    `1:127.0.0.1:${one.portOf(1)}`,
  ]);
  const error = await lost.event("error", (e) => e.code === "wrong-cluster" || /belongs to cluster/.test(e.message));
  expect(error.message).toContain("check --seed and --data-dir");
  // Both sides read what helps if it was an accident.
  const amends = `move its data directory away (mv DIR DIR.old) and start it again with --seed 1:127.0.0.1:${one.portOf(1)}`;
  const seen = await one.peer(1).event("error", (e) => e.code === "wrong-cluster");
  for (const { message } of [error, seen]) expect(message).toContain(amends);
  await lost.stop();
  for (const cluster of [one, two, other]) await cluster.stop();
});

/** Sends bytes to a peer's port and returns what comes back until it closes. */
function poke(port: number, ...pieces: (string | Uint8Array)[]): Promise<string> {
  return new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1");
    let said = "";
    socket.on("data", (bytes) => {
      said += bytes.toString();
    });
    socket.on("error", () => {});
    socket.on("close", () => resolve(said));
    for (const piece of pieces) socket.write(piece);
  });
}

const hello = (over: object) =>
  `${JSON.stringify({ type: "HELLO", version: PROTOCOL_VERSION, cluster_id: null, id: 77, inc: "abc", boot: 5, host: "127.0.0.1", port: 1, ...over })}\n`;

test("[W2] [W3] [W4] garbage on the port closes that connection and harms nobody else", async () => {
  const cluster = await Cluster.start(3);
  const port = cluster.portOf(3);
  cluster.peer(1).say("before");
  await cluster.delivered(1);
  const deep = `${"[".repeat(100_000)}\n`;
  const cases: [string, (string | Uint8Array)[], RegExp][] = [
    ["garbage", ["GET / HTTP/1.1\r\n\r\n"], /REFUSE.*not a line of JSON/],
    ["not UTF-8", [new Uint8Array([0xff, 0xfe, 0x0a])], /REFUSE.*UTF-8/],
    [
      "another version",
      [hello({ version: 99 })],
      new RegExp(`wrong-version.*protocol version ${PROTOCOL_VERSION}, not 99`),
    ],
    ["another cluster", [hello({ cluster_id: "elsewhere" })], /wrong-cluster/],
    ["before HELLO", ['{"type":"HEARTBEAT"}\n'], /HEARTBEAT before HELLO/],
    ["an oversized greeting", [`{"type":"HELLO","pad":"${"x".repeat(10_000)}`], /a line of more than 4096 bytes/],
    [
      "an oversized frame",
      [hello({}), `{"type":"CHAT","pad":"${"x".repeat(1_100_000)}`],
      /a line of more than 1048576 bytes/,
    ],
    ["deep nesting", [hello({}), deep], /nested deeper than 16/],
    ["an unknown message", [hello({}), '{"type":"DANCE"}\n'], /unknown message/],
    [
      "__proto__ in a frame",
      [hello({}), '{"type":"LEAVE","id":77,"inc":"abc","__proto__":{"x":1}}\n'],
      /LEAVE with a wrong/,
    ],
    [
      "an entry whose crc is wrong",
      [hello({}), seqChat('{"index":1,"term":1,"leader_id":1,"inc":"a","kind":"leader","crc":1}\n')],
      /the crc does not fit/,
    ],
  ];
  for (const [what, pieces, expected] of cases) {
    expect(`${what}: ${await poke(port, ...pieces)}`).toMatch(expected);
  }
  cluster.peer(1).say("after");
  await cluster.delivered(2);
  checkHistory(
    [1, 2, 3].map((id) => cluster.dir(id)),
    [],
  );
  await cluster.stop();
});

function seqChat(lines: string): string {
  const ballot = { term: 1, leader_id: 1, inc: "a", boot: 1 };
  const header = {
    type: "SEQ_CHAT",
    ballot,
    prev_index: 0,
    prev_ballot: { term: 0, leader_id: 0, inc: "", boot: 0 },
    prev_crc: 0,
    commit: 0,
    count: 1,
    bytes: lines.length,
  };
  return `${JSON.stringify(header)}\n${lines}`;
}

test("[W3] half a frame is not waited for longer than the handshake allows", async () => {
  const cluster = await Cluster.start(1);
  const began = performance.now();
  expect(await poke(cluster.portOf(1), '{"type":"HEL')).toMatch(/no HELLO within/);
  expect(performance.now() - began).toBeGreaterThan(4000);
  await cluster.stop();
}, 20_000);

test("messages that cannot be sent are refused one by one, the others go out", async () => {
  const cluster = await Cluster.start(1);
  const peer = cluster.peer(1);
  const largest = "é".repeat(32 * 1024);
  peer.say("", "x".repeat(10 * 1024 * 1024), `${largest}x`, largest);
  peer.write("\xff");
  peer.endInput();
  expect(await peer.exited).toBe(0);
  expect(peer.all("error").map((e) => e.code)).toEqual(["empty", "too-large", "too-large"]);
  expect(peer.messages.map((m) => m.payload)).toEqual([largest, "ÿ"]);
  await cluster.stop();
});

test("input that is not UTF-8 is refused", async () => {
  const cluster = await Cluster.reserve(1);
  const { out } = await run(
    [
      BINARY,
      "--id",
      "1",
      "--port",
      String(cluster.portOf(1)),
      "--data-dir",
      cluster.dir(1),
      "--json",
      "--log-level",
      "off",
    ],
    Buffer.concat([Buffer.from([0xc3, 0x28, 0x0a]), Buffer.from("fine\n")]),
  );
  const events = out
    .trim()
    .split("\n")
    .map((l) => JSON.parse(l));
  expect(events.filter((e) => e.event === "error").map((e) => e.code)).toEqual(["not-utf8"]);
  expect(events.filter((e) => e.event === "message").map((e) => e.payload)).toEqual(["fine"]);
  await cluster.stop();
});

/** A cluster of three with `count` messages, all stopped hard; the newest entries are on every disk. */
async function stoppedCluster(count: number): Promise<Cluster> {
  const cluster = await Cluster.start(3);
  cluster.peer(2).say(...Array.from({ length: count }, (_, i) => `kept ${i + 1}`));
  await cluster.delivered(count);
  for (const id of [2, 1, 3]) {
    // A clean stop notes the watermark: what is damaged below it was confirmed.
    cluster.peer(id).kill("SIGTERM");
    await cluster.peer(id).exited;
  }
  return cluster;
}

function segment(cluster: Cluster, id: number): string {
  const name = readdirSync(join(cluster.dir(id), "log"))
    .filter((n) => n.endsWith(".jsonl"))
    .sort()[0] as string;
  return join(cluster.dir(id), "log", name);
}

test("[D5] a torn last line was never confirmed: it is cut and the peer goes on", async () => {
  const cluster = await Cluster.start(1);
  cluster.peer(1).say("whole");
  await cluster.peer(1).event("sent");
  await cluster.peer(1).stop("SIGKILL");
  const file = segment(cluster, 1);
  writeFileSync(file, Buffer.concat([readFileSync(file), Buffer.from('{"index":4,"term":1,"lea')]));
  const again = cluster.start(1);
  const notice = await again.event("notice", (e) => e.code === "recovered");
  expect(notice.message).toContain("cut what was written but never confirmed");
  again.say("and on");
  await again.event("sent", (e) => e.seq_no === 2);
  expect(logLines(cluster.dir(1)).filter((l) => l.includes('"kind":"chat"')).length).toBe(2);
  await cluster.stop();
});

for (const damage of ["a flipped bit in the middle", "a missing segment", "a file cut short"] as const) {
  test(`[D5] ${damage} of a log: the bad file is kept aside and the loss fetched from the others`, async () => {
    const cluster = await stoppedCluster(50);
    const file = segment(cluster, 2);
    const bytes = readFileSync(file);
    if (damage === "a missing segment") rmSync(file);
    else if (damage === "a file cut short") writeFileSync(file, bytes.subarray(0, bytes.length >> 1));
    else {
      const middle = bytes.length >> 1;
      bytes[middle] = (bytes[middle] as number) ^ 1;
      writeFileSync(file, bytes);
    }
    for (const id of [3, 1]) cluster.start(id);
    const hurt = cluster.start(2);
    await hurt.event("notice", (e) => e.code === "recovered" && /damaged/.test(e.message));
    await hurt.event("notice", (e) => e.code === "repaired");
    hurt.say("healthy again");
    await hurt.event("sent");
    if (damage !== "a missing segment") expect(readdirSync(join(cluster.dir(2), "damaged")).length).toBe(1);
    const chats = checkHistory(
      [1, 2, 3].map((id) => cluster.dir(id)),
      [],
    );
    expect(chats.filter((c) => c.payload.startsWith("kept")).length).toBe(50);
    await cluster.stop();
  });
}

test("[D5] a lone voter with a damaged log stops and names recover", async () => {
  const cluster = await Cluster.start(1);
  cluster.peer(1).say(...Array.from({ length: 20 }, (_, i) => `only copy ${i}`));
  await cluster.delivered(20);
  cluster.peer(1).endInput();
  await cluster.peer(1).exited;
  const file = segment(cluster, 1);
  const bytes = readFileSync(file);
  bytes[bytes.length >> 1] = (bytes[bytes.length >> 1] as number) ^ 1;
  writeFileSync(file, bytes);
  const { code, err } = await refusedStart("--id", "1", "--port", "0", "--data-dir", cluster.dir(1));
  expect(code).toBe(1);
  expect(err).toContain("chatpeer recover");
  await cluster.stop();
});

const mountable = (() => {
  const dir = mkdtempSync(join(tmpdir(), "chatpeer-tmpfs-"));
  const mounted = Bun.spawnSync(["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", dir]).exitCode === 0;
  if (mounted) Bun.spawnSync(["umount", dir]);
  rmSync(dir, { recursive: true });
  return mounted;
})();

test.skipIf(!mountable)(
  "[D4] a full disk: messages are kept by the others, and the peer goes on when there is room",
  async () => {
    const cluster = await Cluster.reserve(3);
    const dir = cluster.dir(2);
    mkdirSync(dir);
    expect(Bun.spawnSync(["mount", "-t", "tmpfs", "-o", "size=400k", "tmpfs", dir]).exitCode).toBe(0);
    try {
      for (const id of [1, 2, 3]) cluster.start(id);
      await cluster.formed(3);
      const text = "y".repeat(1000);
      cluster.peer(1).say(...Array.from({ length: 600 }, (_, i) => `${i} ${text}`));
      await cluster.delivered(600, [1, 3]);
      await cluster.peer(2).event("error", (e) => e.code === "trouble");
      expect(Bun.spawnSync(["mount", "-o", "remount,size=64m", dir]).exitCode).toBe(0);
      await cluster.peer(2).event("notice", (e) => e.code === "trouble-over");
      await cluster.delivered(600);
      cluster.peer(2).say("room again");
      await cluster.delivered(601);
      checkHistory(
        [1, 2, 3].map((id) => cluster.dir(id)),
        [],
      );
    } finally {
      await endAll();
      Bun.spawnSync(["umount", "-l", dir]);
      await cluster.stop();
    }
  },
  60_000,
);

test("signals leave as /quit does; a second SIGINT ends at once with 130", async () => {
  const cluster = await Cluster.start(3);
  expect(await cluster.peer(2).stop("SIGTERM")).toBe(0);
  await cluster.peer(1).event("member", (e) => e.id === 2 && e.state === "left");
  // Alone of two voters nobody can confirm a departure: two seconds of trying, or a second signal.
  cluster.peer(1).kill("SIGSTOP");
  cluster.peer(3).kill("SIGINT");
  await Bun.sleep(50);
  cluster.peer(3).kill("SIGINT");
  expect(await cluster.peer(3).exited).toBe(130);
  cluster.peer(1).kill("SIGCONT");
  await cluster.stop();
});
