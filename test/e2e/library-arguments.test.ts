/** What programs hand to the library: right, wrong or hostile, it is done or refused in words, and the process lives. */
import { afterAll, afterEach, expect, test } from "bun:test";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { freePorts } from "../../bench/processes.ts";
import { type ChatPeer, type CreatePeerOptions, createPeer, PeerError } from "../../src/index.ts";
import { ROOT, RUNTIMES, run } from "./harness.ts";

const root = mkdtempSync(join(tmpdir(), "chatpeer-arguments-"));
const open: ChatPeer[] = [];
afterEach(async () => {
  await Promise.all(open.splice(0).map((peer) => peer.close()));
  rmSync(root, { recursive: true, force: true });
  mkdirSync(root);
});
afterAll(() => rmSync(root, { recursive: true }));

async function peerAt(name: string, options: Partial<CreatePeerOptions> = {}): Promise<ChatPeer> {
  const peer = await createPeer({ id: 1, port: 0, dataDir: join(root, name), timings: { founding: 1 }, ...options });
  open.push(peer);
  return peer;
}

/** What is said to whoever gets it wrong. */
async function refusal(wrong: () => unknown): Promise<string> {
  try {
    await wrong();
  } catch (error) {
    if (error instanceof PeerError) return `${error.code}: ${error.message}`;
    throw error;
  }
  return "taken";
}

for (const [name, command] of [
  ["Bun", [process.execPath]],
  ["Node", ["node"]],
  // The permissions that docs/embed.md names; what is read beside the directory is the program itself.
  ["Deno", [RUNTIMES.deno[0] as string, "run", "--no-prompt", ...permissions(root)]],
] as const) {
  test(`any value at any argument is taken or refused with a PeerError, and the peer goes on (${name})`, async () => {
    const { code, out, err } = await run([...command, `${ROOT}test/e2e/any-arguments.mjs`, join(root, name), "1"]);
    expect(`${code} ${err}`).toBe("0 ");
    const { found, taken, read, thrown } = JSON.parse(out);
    for (const [called, outcomes] of Object.entries<Record<string, number>>(found)) {
      expect([called, outcomes.done]).toEqual([called, expect.any(Number)]);
      expect(outcomes["bad-option"]).toBeGreaterThan(100);
    }
    expect(taken).toBe(read);
    expect(thrown).toBeGreaterThan(0);
  }, 60_000);
}

function permissions(directory: string): string[] {
  const page = readFileSync(`${ROOT}docs/embed.md`, "utf8");
  const [flags] = /--allow-read=DIR [^`]*/.exec(page) ?? [];
  expect(flags).toBeDefined();
  return (flags as string).replaceAll("DIR", directory).replace("HOST", "127.0.0.1").split(" ");
}

test("Deno without its permissions: a PeerError says which one is missing", async () => {
  const program = join(root, "program.mjs");
  writeFileSync(
    program,
    `import { createPeer } from "${ROOT}dist/index.js";
    const said = await createPeer({ id: 1, port: 0, dataDir: "${join(root, "deno")}" }).catch((error) => error);
    console.log(said.name, said.code, said.message);`,
  );
  const all = permissions(root);
  for (const missing of all.slice(1)) {
    const [flag] = missing.split("=");
    const given = all.filter((other) => other !== missing);
    const { code, out } = await run([RUNTIMES.deno[0] as string, "run", "--no-prompt", ...given, program]);
    expect(code).toBe(0);
    expect(out).toStartWith("PeerError start ");
    expect(out).toContain(flag as string);
  }
});

test("what is wrong is said in words, with the name that was meant", async () => {
  const all = { id: 1, port: 0, dataDir: join(root, "words") };
  const create = (options: unknown) => refusal(() => createPeer(options as CreatePeerOptions));
  expect(await create({ ...all, seed: [] })).toBe("bad-option: unknown option seed: did you mean seeds?");
  expect(await create({ ...all, data_dir: "x" })).toBe("bad-option: unknown option data_dir: did you mean dataDir?");
  expect(await create({ ...all, "a\nb": 1 })).toBe('bad-option: unknown option "a\\nb"');
  expect(await create({ id: 1, datadir: "x" })).toBe("bad-option: unknown option datadir: did you mean dataDir?");
  expect(await create({ dataDir: "x" })).toBe("bad-option: option id is missing");
  expect(await create({ ...all, id: 1.5 })).toBe("bad-option: id must be a whole number from 1 to 59535, not 1.5");
  expect(await create({ ...all, host: "" })).toBe(`bad-option: host must be a host's name or address, not ""`);
  expect(await create({ ...all, seeds: ["1:127.0.0.1:6001"] })).toBe(
    'bad-option: seeds.0 must be an object, not "1:127.0.0.1:6001"',
  );
  expect(await create({ ...all, timings: { hartbeat: 5 } })).toBe(
    "bad-option: unknown option hartbeat: did you mean heartbeat?",
  );
  expect(await create({ ...all, timings: { heartbeat: 0 } })).toContain("heartbeat must be a positive number");
  expect(await create(undefined)).toBe("bad-option: the options of createPeer must be an object, not undefined");

  const peer = await peerAt("words");
  const { submit, submitAll, confirmRead } = {
    submit: (...args: unknown[]) => refusal(() => peer.submit(...(args as [string]))),
    submitAll: (...args: unknown[]) => refusal(() => peer.submitAll(...(args as [string[]]))),
    confirmRead: (...args: unknown[]) => refusal(() => peer.confirmRead(...(args as [string, number]))),
  };
  expect(await submit(42)).toBe("bad-option: text must be a text, not 42");
  expect(await submit(new Uint8Array(2))).toBe("bad-option: text must be a text, not a value of the type Uint8Array");
  expect(await submit("x", { rooom: "attic" })).toBe("bad-option: unknown option rooom: did you mean room?");
  expect(await submit("x", "attic")).toBe('bad-option: the options of submit must be an object, not "attic"');
  expect(await submit("\ud83d")).toStartWith("not-utf8: the message holds half a character");
  expect(await submit("x", { room: "\ud83d" })).toStartWith("bad-room: a room's name has");
  expect(await refusal(() => peer.rename("\ud83d"))).toStartWith("bad-name: a name has");
  expect(await submitAll("hey")).toBe('bad-option: texts must be an array of texts, not "hey"');
  expect(await submitAll(["a", 1])).toBe("bad-option: texts.1 must be a text, not 1");
  expect(await confirmRead("general", Number.NaN)).toBe("bad-option: seqNo must be a whole number from 1, not NaN");
  expect(await refusal(() => peer.messages({ room: "a\nb" }))).toStartWith("bad-room: a room's name has");
});

test("ready: a peer whose cluster is away waits, until a time, a signal, its end, or the majority is there", async () => {
  const [port] = (await freePorts(1)) as [number];
  const second = await peerAt("ready-2", { id: 2, seeds: [{ id: 1, host: "127.0.0.1", port }] });
  const kept = await second.submit("kept");
  const controller = new AbortController();
  const { signal } = controller;
  const ready = refusal(() => second.ready({ signal }));
  const sent = refusal(() => kept.sent({ signal, timeout: 60_000 }));
  expect(await refusal(() => second.ready({ timeout: 20 }))).toMatch(
    /^timeout: not ready after 20 ms: not in a cluster yet/,
  );
  expect(await refusal(() => kept.sent({ timeout: 20 }))).toMatch(/^timeout: .*it is kept and goes out/);
  const reason = new Error("enough");
  controller.abort(reason);
  expect(await ready).toBe("aborted: the signal is aborted");
  expect(await sent).toBe("aborted: the signal is aborted");
  expect(await second.submit("late", { signal }).catch((error) => error.cause)).toBe(reason);

  const again = second.ready();
  {
    await using first = await createPeer({ id: 1, port, dataDir: join(root, "ready-1"), timings: { founding: 1 } });
    await first.ready({ timeout: 10_000 });
    await again;
    expect(await kept.sent({ timeout: 20_000 })).toMatchObject({ msg_id: kept.msg_id });
  }

  const never = await peerAt("ready-3", { id: 3, seeds: [{ id: 9, host: "127.0.0.1", port: 9 }] });
  const waiting = refusal(() => never.ready());
  await never.close();
  expect(await waiting).toBe("closed: this peer is closed");
}, 30_000);

test("a signal ends loops between two messages, the start of a peer, and nothing when it comes too late", async () => {
  const peer = await peerAt("signal");
  await peer.submitAll(["one", "two"]);
  const controller = new AbortController();
  const { signal } = controller;
  const seen: string[] = [];
  const see = (text: string) => {
    if (seen.push(text) === 4) controller.abort();
  };
  const loop = refusal(async () => {
    for await (const { payload } of peer.messages({ signal })) see(payload);
  });
  const own = refusal(async () => {
    for await (const { payload } of peer.messages({ from: "start", signal })) see(payload);
  });
  expect(await loop).toBe("aborted: the signal is aborted");
  expect(await own).toBe("aborted: the signal is aborted");
  expect(seen.toSorted()).toEqual(["one", "one", "two", "two"]);
  expect(await refusal(() => peer.history(1, { signal }))).toBe("aborted: the signal is aborted");
  // The loop had asked for what comes after "two".
  await (await peer.submit("three")).sent();
  for await (const { payload } of peer.messages) {
    seen.push(payload);
    break;
  }
  expect(seen.at(-1)).toBe("three");

  const start = new AbortController();
  const starting = refusal(() => peerAt("aborted", { signal: start.signal }));
  start.abort();
  expect(await starting).toBe("aborted: the signal is aborted");
  const late = new AbortController();
  const again = await peerAt("aborted", { signal: late.signal });
  late.abort();
  await again.ready({ timeout: 10_000 });
});
