/** `chatpeer doctor`: what it says of every way in which peers cannot meet, with real sockets on this machine. */
import { afterAll, afterEach, beforeAll, describe, expect, test } from "bun:test";
import { mkdirSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { createServer, type Server, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { platformVisit } from "../../../src/adapters/platform.ts";
import type { Greeting } from "../../../src/cli/doctor/greeting.ts";
import { judgeMachine } from "../../../src/cli/doctor/judge-machine.ts";
import { judgeMembers, type Knowledge, type Known } from "../../../src/cli/doctor/judge-members.ts";
import { judgePeers, lookAt, type Own } from "../../../src/cli/doctor/peers.ts";
import { PROTOCOL_VERSION } from "../../../src/core/config.ts";
import { createPeer } from "../../../src/index.ts";

const TIMEOUT_MS = 2000;
const LOCAL = "127.0.0.1";
const PORTS = platformVisit();

let root = "";
beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), "chatpeer-doctor-"));
});
const servers: Server[] = [];
afterEach(() => {
  for (const server of servers.splice(0)) server.close();
});
afterAll(() => rmSync(root, { recursive: true, force: true }));

/** A server that does this with each connection; resolves to its port. */
function serve(greet: (socket: Socket) => void): Promise<number> {
  const server = createServer((socket) => {
    socket.on("error", () => {});
    greet(socket);
  });
  servers.push(server);
  return new Promise((resolve) => server.listen(0, LOCAL, () => resolve((server.address() as { port: number }).port)));
}

interface Said {
  readonly id?: number;
  readonly inc?: string;
  readonly boot?: number;
  readonly cluster_id?: string | null;
  readonly version?: number;
  readonly version_min?: number;
  readonly host?: string;
  readonly port?: number;
  readonly wall?: number;
}

/** One that introduces itself as a peer does; what it says of its address is where it is, unless told otherwise. */
function peer(said: Said = {}): Promise<number> {
  let port = 0;
  const listening = serve((socket) => {
    const hello = {
      version: PROTOCOL_VERSION,
      cluster_id: "c1",
      id: 1,
      inc: "i1",
      boot: 1,
      host: LOCAL,
      port,
      ...said,
    };
    socket.write(`${JSON.stringify({ type: "HELLO", ...hello })}\n`);
  });
  return listening.then((bound) => {
    port = bound;
    return bound;
  });
}

async function doctor(ports: readonly number[], own: Own | null = null, timeoutMs = TIMEOUT_MS) {
  const seen = await Promise.all(ports.map((port) => lookAt(PORTS, { host: LOCAL, port }, timeoutMs)));
  return judgePeers(seen, own, timeoutMs);
}

const problems = (findings: Awaited<ReturnType<typeof doctor>>) => findings.filter((f) => !f.ok);
const codes = (findings: Awaited<ReturnType<typeof doctor>>) => problems(findings).map((f) => f.code);

/** A port on which nobody listens. */
async function closedPort(): Promise<number> {
  const port = await serve(() => {});
  await new Promise((resolve) => servers.pop()?.close(resolve));
  return port;
}

describe("an address where no peer answers", () => {
  test("refused: nothing listens there", async () => {
    const [finding] = await doctor([await closedPort()]);
    expect(finding).toMatchObject({
      ok: false,
      code: "refused",
      message: expect.stringContaining("connection refused"),
    });
  });

  test("a name that does not resolve", async () => {
    const seen = await lookAt(PORTS, { host: "no-such-host.invalid", port: 1 }, TIMEOUT_MS);
    expect(codes(judgePeers([seen], null, TIMEOUT_MS))).toEqual(["unresolved"]);
  });

  test("time out and no route, in plain words", () => {
    const of = (code: string) =>
      judgePeers(
        [{ address: { host: "10.9.8.7", port: 6001 }, greeting: { result: "unreachable", code }, advertised: null }],
        null,
        3000,
      )[0];
    expect(of("ETIMEDOUT")).toMatchObject({
      code: "timeout",
      message: expect.stringContaining("no answer within 3 s"),
    });
    expect(of("EHOSTUNREACH")).toMatchObject({
      code: "no-route",
      message: expect.stringContaining("no route to 10.9.8.7"),
    });
    expect(of("EPERM")).toMatchObject({ code: "unreachable", message: "cannot connect (EPERM)" });
  });

  test("another program: its first words are shown, and nothing of it is taken for a peer", async () => {
    const greetings = ["SSH-2.0-OpenSSH_9.9\r\n", "\x1b]0;gotcha\x07\n", '{"type":"HELLO"}\n', `${"x".repeat(5000)}`];
    const ports = await Promise.all(greetings.map((text) => serve((socket) => socket.write(text))));
    const findings = await doctor(ports);
    expect(codes(findings)).toEqual(greetings.map(() => "stranger"));
    expect(findings[0]?.message).toContain('it says "SSH-2.0-OpenSSH_9.9"');
    for (const { message } of findings) expect(message.length).toBeLessThan(400);
  });

  test("one that closes at once, and one that says nothing", async () => {
    const closes = await serve((socket) => socket.destroy());
    const silent = await serve(() => {});
    expect(codes(await doctor([closes, silent], null, 200))).toEqual(["stranger", "silent"]);
  });

  test("another protocol version, whatever else that says", async () => {
    const port = await peer({ version: PROTOCOL_VERSION + 1, id: 0, host: "" });
    const newer = `version ${PROTOCOL_VERSION + 1}, this chatpeer version ${PROTOCOL_VERSION}: this one is older`;
    expect(problems(await doctor([port]))).toMatchObject([
      { code: "wrong-version", message: expect.stringContaining(newer) },
    ]);
    const old = await peer({ version: PROTOCOL_VERSION - 1 });
    const older = `version ${PROTOCOL_VERSION - 1}, this chatpeer version ${PROTOCOL_VERSION}: the one there is older`;
    expect(problems(await doctor([old]))).toMatchObject([
      { code: "wrong-version", message: expect.stringContaining(older) },
    ]);
  });

  test("a peer of a later version that speaks this one too is no problem", async () => {
    const said = { version: PROTOCOL_VERSION + 1, version_min: PROTOCOL_VERSION, invented_later: true };
    const found = await doctor([await peer(said)]);
    expect(problems(found)).toEqual([]);
    expect(found[0]?.message).toContain(`protocol version ${PROTOCOL_VERSION}`);
  });
});

describe("peers that cannot meet", () => {
  test("one that is well is told of, and nothing else", async () => {
    const port = await peer({ wall: Date.now() });
    const findings = await doctor([port]);
    expect(findings).toMatchObject([
      { about: `${LOCAL}:${port}`, ok: true, message: expect.stringContaining("peer 1 answers, of cluster c1") },
    ]);
  });

  test("two clusters: both are named, and what to do", async () => {
    const [a, b, c] = [await peer(), await peer({ id: 2, boot: 2 }), await peer({ id: 3, boot: 3, cluster_id: "c2" })];
    const [finding, ...more] = problems(await doctor([a, b, c]));
    expect([finding?.code, more]).toEqual(["wrong-cluster", []]);
    expect(finding?.message).toContain(`127.0.0.1:${c} of cluster c2`);
    expect(finding?.message).toContain(`--seed 1:127.0.0.1:${a}`);
  });

  test("in no cluster yet", async () => {
    expect(codes(await doctor([await peer({ cluster_id: null })]))).toEqual(["no-cluster"]);
  });

  test("one id in use twice; the same process at two addresses is one", async () => {
    const [a, b] = [await peer(), await peer({ inc: "i2", boot: 2 })];
    expect(codes(await doctor([a, b]))).toEqual(["duplicate-id"]);
    expect(codes(await doctor([a, a]))).toEqual([]);
  });

  test("[E16] a directory and its copy", async () => {
    const [a, b] = [await peer(), await peer({ boot: 2 })];
    const [finding, ...more] = problems(await doctor([a, b]));
    expect([finding?.code, more]).toEqual(["twins", []]);
    expect(finding?.message).toContain(`127.0.0.1:${a} and 127.0.0.1:${b}`);
  });

  test("clocks far apart, in which direction and by how much; a small difference is none", async () => {
    const [ahead, behind, near] = [
      await peer({ wall: Date.now() + 3 * 60_000 }),
      await peer({ wall: Date.now() - 5 * 3_600_000 }),
      await peer({ wall: Date.now() + 1000 }),
    ];
    expect(problems(await doctor([ahead]))).toMatchObject([
      { code: "clock", message: expect.stringContaining("3 min ahead of") },
    ]);
    expect(problems(await doctor([behind]))).toMatchObject([
      { code: "clock", message: expect.stringContaining("5 hours behind") },
    ]);
    expect(codes(await doctor([near]))).toEqual([]);
  });

  test("an address told to the others that leads nowhere, to somebody else, or is none", async () => {
    const other = await peer({ id: 9, boot: 9 });
    const nowhere = await doctor([await peer({ port: await closedPort() })]);
    const elsewhere = await doctor([await peer({ port: other })]);
    const none = await doctor([await peer({ host: "0.0.0.0" })]);
    for (const [findings, why] of [
      [nowhere, "but it does not answer there"],
      [elsewhere, "but peer 9 answers there"],
      [none, "which is no address of one machine"],
    ] as const)
      expect(problems(findings)).toMatchObject([{ code: "advertised", message: expect.stringContaining(why) }]);
    const alike = {
      result: "peer",
      at: 0,
      unsureMs: 0,
      hello: { type: "HELLO", version: 1, cluster_id: "c1", id: 1, inc: "i", boot: 1, host: LOCAL, port: 6001 },
    } as const;
    const remote = { address: { host: "10.0.0.5", port: 6001 }, greeting: alike, advertised: alike };
    expect(problems(judgePeers([remote], null, 1))).toMatchObject([
      { code: "advertised", message: expect.stringContaining("Start it with --advertise 10.0.0.5:6001") },
    ]);
  });

  test("the peer of this directory: another cluster, an id that is taken", async () => {
    const port = await peer();
    expect(codes(await doctor([port], { id: 2, inc: "x", clusterId: "c7" }))).toEqual(["wrong-cluster"]);
    expect(codes(await doctor([port], { id: 1, inc: null, clusterId: null }))).toEqual(["duplicate-id"]);
    expect(codes(await doctor([port], { id: 1, inc: "i1", clusterId: "c1" }))).toEqual([]);
  });
});

describe("what the log and --seed say of addresses", () => {
  const CLOSED = { result: "unreachable", code: "ECONNREFUSED" } as const;
  const at = (port: number) => ({ host: LOCAL, port });
  const answers = (id: number, inc = `i${id}`) => ({
    ...({ result: "peer", at: 0, unsureMs: 0 } as const),
    hello: { type: "HELLO", version: 1, cluster_id: "c1", id, inc, boot: 1, host: LOCAL, port: 1 } as const,
  });
  const member = (id: number, port: number) => ({ id, inc: `i${id}`, address: at(port) });
  const seed = (id: number, port: number) => ({ id, inc: null, address: at(port) });
  /** Peer 1 judges; port → who answers there, nobody elsewhere. */
  const judged = (known: Partial<Knowledge>, there: Record<number, Greeting>) =>
    judgeMembers(
      { id: 1, members: [member(1, 1), member(2, 2)], seeds: [], own: at(1), at: at(1), ...known },
      [2, 3, 22].map((port) => ({ address: at(port), greeting: there[port] ?? CLOSED })),
      TIMEOUT_MS,
    ).map(({ about, code, message }) => [about, code, message]);

  test("all is where the log says", () => {
    expect(judged({}, { 2: answers(2) })).toEqual([
      [`${LOCAL}:2`, "ok", expect.stringContaining("where the log says")],
    ]);
  });

  test("a member has moved: to where --seed says, to where a person looked, or nobody knows where", () => {
    const [log, seeded] = judged({ seeds: [seed(2, 22)] }, { 22: answers(2) });
    expect(log).toEqual([`${LOCAL}:2`, "ok", expect.stringContaining(`at ${LOCAL}:22, as --seed says`)]);
    expect(seeded).toEqual([`${LOCAL}:22`, "ok", expect.stringContaining("where --seed says")]);
    const moved = [`${LOCAL}:2`, "moved", expect.stringContaining(`start with --seed 2:${LOCAL}:22`)];
    expect(judged({}, { 22: answers(2) })).toEqual([moved]);
    const refused = [`${LOCAL}:2`, "refused", expect.stringContaining("with --seed 2:HOST:PORT, its new address")];
    expect(judged({}, {})).toEqual([refused]);
  });

  test("somebody else answers there: another peer, or the id with another directory", () => {
    const by = (who: string) => [[`${LOCAL}:2`, "moved", expect.stringContaining(`but ${who} answers`)]];
    expect(judged({}, { 2: answers(3) })).toEqual(by("peer 3") as never);
    expect(judged({}, { 2: answers(2, "emptied") })).toEqual(by("another peer 2, with another directory,") as never);
  });

  test("a seed that is wrong: nobody there, somebody else, this peer itself", () => {
    const of = (s: Known, there: Record<number, Greeting>) => judged({ seeds: [s] }, there)[1]?.slice(1);
    expect(of(seed(2, 22), { 2: answers(2) })).toEqual(["stale-seed", expect.stringContaining(`it is at ${LOCAL}:2`)]);
    expect(of(seed(2, 22), {})).toEqual(["refused", expect.stringContaining("--seed says that peer 2 is here")]);
    const wrong = ["wrong-seed", expect.stringContaining(`write --seed 3:${LOCAL}:3`)];
    expect(of(seed(2, 3), { 2: answers(2), 3: answers(3) })).toEqual(wrong);
    expect(of(seed(1, 22), { 2: answers(2) })?.[0]).toBe("own-seed");
  });

  test("this peer itself moves: the others hear of it, or there is nobody to tell", () => {
    const moves = (there: Record<number, Greeting>) => judged({ at: at(11) }, there)[1]?.slice(0, 2);
    expect(moves({ 2: answers(2) })).toEqual([`${LOCAL}:11`, "ok"]);
    expect(moves({})).toEqual([`${LOCAL}:11`, "moved"]);
  });
});

test("a real peer is well, tells its clock, and does not notice that it was looked at", async () => {
  const events: string[] = [];
  const alive = await createPeer({
    id: 5,
    port: 0,
    dataDir: join(root, "five"),
    onEvent: (e) => events.push(e.event),
    onLog: ({ level, message }) => void (level === "warn" && events.push(message)),
  });
  try {
    const before = events.length;
    const seen = await lookAt(PORTS, { host: LOCAL, port: alive.port }, TIMEOUT_MS);
    expect(judgePeers([seen], null, TIMEOUT_MS).map((f) => [f.ok, f.message])).toEqual([
      [true, expect.stringContaining("peer 5 answers, of cluster ")],
    ]);
    expect(seen.greeting).toMatchObject({ result: "peer", hello: { wall: expect.any(Number) } });
    const unexpected = events.slice(before).filter((e) => e !== "role" && e !== "member" && e !== "notice");
    expect(unexpected).toEqual([]);
  } finally {
    await alive.close();
  }
});

describe("this machine", () => {
  const fit = { host: LOCAL, port: 0, id: 1, tooOld: null, runtime: "Bun" };

  test("a directory that is or can be made, and nothing is left in it", async () => {
    const dataDir = join(root, "not/yet/there");
    const findings = await judgeMachine({ ...fit, dataDir });
    expect(findings.find((f) => f.about === "data directory")).toMatchObject({
      ok: true,
      message: expect.stringContaining("to be made in"),
    });
    expect(findings.map((f) => f.about)).toEqual(
      expect.arrayContaining(["runtime", "free space", "fsync", "port", "clock"]),
    );
    expect(readdirSync(root).filter((name) => name.startsWith("."))).toEqual([]);
  });

  test("a directory that cannot be written, an old runtime", async () => {
    const file = join(root, "file");
    await Bun.write(file, "");
    const findings = await judgeMachine({ ...fit, dataDir: file, tooOld: "Bun 9 or later is needed" });
    expect(problems(findings).map((f) => f.code)).toEqual(expect.arrayContaining(["runtime", "not-writable"]));
  });

  test("a port that is taken, by whom", async () => {
    const dataDir = join(root, "port");
    mkdirSync(dataDir);
    const port = await peer({ id: 7 });
    const of = async (id: number, at: number) =>
      (await judgeMachine({ ...fit, dataDir, id, port: at })).find((f) => f.about === "port");
    expect(await of(7, port)).toMatchObject({ ok: true, message: expect.stringContaining("peer 7, which is running") });
    expect(await of(1, port)).toMatchObject({ ok: false, message: expect.stringContaining("in use by peer 7") });
    const stranger = await serve((socket) => socket.write("hello\n"));
    expect(await of(1, stranger)).toMatchObject({ ok: false, message: expect.stringContaining("another program") });
  });
});
