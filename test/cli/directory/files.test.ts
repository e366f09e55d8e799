/** `chatpeer verify` and `chatpeer log` on real directories: what they print, and the exit code that scripts go by. */
import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Writable } from "node:stream";
import { openDisk } from "../../../src/adapters/disk.ts";
import { type LogOptions, printLog, verify } from "../../../src/cli/directory/read-directory.ts";
import { Output } from "../../../src/cli/process/output.ts";
import { UsageError } from "../../../src/cli/usage/flag-values.ts";
import { replaceStateNow } from "../../../src/host/store/state-files.ts";
import { LogMaker, promiseAbove } from "../../host/store/log-maker.ts";
import { PLAIN } from "../screen/paints.ts";

const LIMITS = { segment_entries: 1000, segment_bytes: 1 << 24 };
const SEGMENT = "log/00000000000000000001.jsonl";

let root = "";
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "chatpeer-cli-"));
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

/** A peer's directory as it stands after a clean stop. */
function directory(name: string, log: LogMaker, commit = log.last): string {
  const path = join(root, name);
  mkdirSync(join(path, "log"), { recursive: true });
  const disk = openDisk(path);
  promiseAbove(disk);
  writeFileSync(join(path, SEGMENT), log.entries.map((_, i) => log.line(i + 1)).join(""));
  replaceStateNow(disk, "progress.json", { durable: log.last, commit, delivered: 0, clean: true });
  return path;
}

function chat(...texts: [string, string?][]): LogMaker {
  const log = new LogMaker(LIMITS);
  log.fill(1);
  log.leader();
  for (const [text, room] of texts) log.chat(text, room);
  return log;
}

/** What is shown of the progress, and "end" where it ends. */
function watched() {
  const shown: string[] = [];
  const progress = { show: (text: string) => shown.push(text), clear: () => {}, end: () => shown.push("end") };
  return { progress, shown };
}

/** A writer that keeps what it is given. */
function kept() {
  const pieces: string[] = [];
  const stream = new Writable({
    write(chunk, _encoding, done) {
      pieces.push(chunk.toString());
      done();
    },
  });
  return { output: new Output(stream), lines: () => pieces.join("").split("\n").slice(0, -1) };
}

describe("verify", () => {
  function verified(...directories: string[]) {
    const [out, err] = [kept(), kept()];
    const code = verify(directories, out.output, err.output);
    return { code, out: out.lines(), err: err.lines() };
  }

  test("the same log is one history, and so is its beginning", () => {
    const log = chat(["one"], ["two"], ["three"]);
    const [a, b, c] = [directory("a", log), directory("b", log), directory("c", log, 3)];
    expect(verified(a, b)).toEqual({
      code: 0,
      out: [`${a}: 5 committed entries`, `${b}: 5 committed entries`, "one history: identical through entry 5"],
      err: [],
    });
    expect(verified(a, c)).toMatchObject({
      code: 0,
      out: [expect.any(String), expect.any(String), "one history: identical through entry 3, the longest goes on to 5"],
    });
    expect(verified(a)).toMatchObject({ code: 0 });
  });

  test("[I2] two histories are exit code 1, with the first entry that differs as both have it", () => {
    const [a, b] = [directory("a", chat(["same"], ["one\u202e"])), directory("b", chat(["same"], ["two"]))];
    const { code, out, err } = verified(a, b);
    expect([code, err]).toEqual([1, []]);
    expect(out[0]).toBe("not one history: entry 4 differs");
    expect(out[1]).toStartWith(`  ${a}: {"index":4,`);
    expect(out[1]).toContain('"payload":"one\\u{202e}"');
    expect(out[2]).toStartWith(`  ${b}: {"index":4,`);
    expect(out).toHaveLength(3);
  });

  test("a damaged log is exit code 1, with the whole path of the file, the place in it and the reason", () => {
    const log = chat(["one"], ["two"]);
    const whole = directory("b", log);
    const a = directory("a", log);
    const text = readFileSync(join(a, SEGMENT), "utf8");
    writeFileSync(join(a, SEGMENT), text.replace('"payload":"two"', '"payload":"owt"'));
    const { code, err } = verified(whole, a);
    expect(code).toBe(1);
    expect(err.join("\n")).toContain(`${join(a, SEGMENT)}, index 4: the crc does not fit`);
  });

  test("a folder of segments that were set aside: which entries are whole, and what is missing", () => {
    const path = directory("a", chat(["one"], ["two"], ["three"]));
    const aside = join(path, "damaged");
    mkdirSync(aside);
    const lines = readFileSync(join(path, SEGMENT), "utf8").split("\n");
    writeFileSync(join(aside, "00000000000000000003.jsonl"), `${lines.slice(2, -1).join("\n")}\n`);
    expect(verified(aside)).toEqual({
      code: 1,
      out: [`${aside}: 3 entries, 3 to 5, in one chain`],
      err: ["chatpeer: entries 1 to 2 are not here"],
    });
    expect(verified(aside, path).out.at(-1)).toBe("one history: identical through entry 5");
  });

  test("says how far it is while it reads, through the end, also where that is a damaged one", () => {
    const log = new LogMaker({ segment_entries: 1e6, segment_bytes: 1e9 });
    log.fill(20_000);
    const [a, b] = [directory("a", log), directory("b", log)];
    const { progress, shown } = watched();
    expect(verify([a, b], kept().output, kept().output, progress)).toBe(0);
    expect(shown.length).toBeGreaterThan(4);
    const parts = /^reading the log: (\d+) of (\d+) MB/.exec(shown.at(-2) as string)?.slice(1);
    expect(parts?.[0]).toBe(parts?.[1] as string);
    expect(shown.filter((text) => text === "end")).toHaveLength(1);
    expect(shown.at(-1)).toBe("end");
    writeFileSync(join(b, SEGMENT), "damaged\n");
    expect(verify([a, b], kept().output, kept().output, progress)).toBe(1);
    expect(shown.at(-1)).toBe("end");
  });

  test("no directory, or one that is none: usage", () => {
    expect(() => verify([], kept().output, kept().output)).toThrow(
      new UsageError("verify needs at least one data directory: chatpeer verify DIR..."),
    );
    for (const path of [root, join(root, "missing")]) {
      expect(() => verify([path], kept().output, kept().output)).toThrow(
        new UsageError(
          `${path} is no data directory of a peer: it has no log/ and holds no segments (they are made by --data-dir)`,
        ),
      );
    }
  });
});

describe("log", () => {
  test("says how far it is while it reads", async () => {
    const { progress, shown } = watched();
    const path = directory("a", chat(["one"], ["two"]));
    expect(await printLog(path, ALL, kept().output, kept().output, PLAIN, progress)).toBe(0);
    expect(new Set(shown)).toEqual(new Set(["reading the log: 0 of 0 MB", "end"]));
    expect(shown.at(-1)).toBe("end");
  });

  const ALL: LogOptions = { json: false, room: null, after: 0 };

  async function printed(path: string, options: Partial<LogOptions>) {
    const [out, err] = [kept(), kept()];
    const code = await printLog(path, { ...ALL, ...options }, out.output, err.output, PLAIN);
    await out.output.finished();
    return { code, out: out.lines(), err: err.lines() };
  }

  test("what can be read of a folder of segments, and exit code 1 where something is missing", async () => {
    const path = directory("a", chat(["one"], ["two"], ["three"]));
    const lines = readFileSync(join(path, SEGMENT), "utf8").split("\n");
    writeFileSync(join(path, SEGMENT), `${lines.slice(3, -1).join("\n")}\n`);
    expect(await printed(join(path, "log"), {})).toEqual({
      code: 1,
      out: ["[seq=2] alice: two", "[seq=3] alice: three"],
      err: ["chatpeer: entries 1 to 3 are not here"],
    });
  });

  test("messages in order with their numbers, rooms named but for the usual one", async () => {
    const path = directory("a", chat(["one"], ["two", "dev"], ["three"], ["four", "dev\u202e"]));
    expect(await printed(path, {})).toEqual({
      code: 0,
      out: [
        "[seq=1] alice: one",
        "#dev [seq=1] alice: two",
        "[seq=2] alice: three",
        "#dev\\u{202e} [seq=1] alice: four",
      ],
      err: [],
    });
    expect((await printed(path, { room: "dev" })).out).toEqual(["[seq=1] alice: two"]);
    expect((await printed(path, { room: "general" })).out).toEqual(["[seq=1] alice: one", "[seq=2] alice: three"]);
    expect((await printed(path, { room: "nobody" })).out).toEqual([]);
    expect((await printed(path, { after: 4 })).out).toEqual([
      "[seq=2] alice: three",
      "#dev\\u{202e} [seq=1] alice: four",
    ]);
    expect((await printed(path, { after: 99 })).out).toEqual([]);
  });

  test("[D7] only what is committed is printed", async () => {
    const path = directory("a", chat(["one"], ["two"]), 3);
    expect((await printed(path, {})).out).toEqual(["[seq=1] alice: one"]);
  });

  test("as JSON: the same objects that a running peer tells", async () => {
    const path = directory("a", chat(["one\n\x1b\u2028"]));
    const { out } = await printed(path, { json: true });
    expect(out.map((line) => JSON.parse(line))).toEqual([
      {
        ...{ event: "message", index: 3, term: 1, room_id: "general", seq_no: 1, sender_id: 1, msg_id: "1.s.1" },
        ...{ user: "alice", payload: "one\n\x1b\u2028", ts: 1_700_000_000_002 },
      },
    ]);
  });

  test("damage behind good messages: those are printed, then exit code 1 and the reason", async () => {
    const path = directory("a", chat(["one"], ["two"]));
    const text = readFileSync(join(path, SEGMENT), "utf8");
    writeFileSync(join(path, SEGMENT), text.slice(0, -10));
    const { code, out, err } = await printed(path, {});
    expect([code, out]).toEqual([1, ["[seq=1] alice: one"]]);
    expect(err.join("\n")).toContain("the log ends at index 3, but 4 entries were committed");
    expect(err.join("\n")).toContain(`${path}/log/`);
  });

  test("a slow reader gets everything, and never much is waiting for it", async () => {
    const log = new LogMaker({ segment_entries: 10_000, segment_bytes: 1 << 30 });
    log.fill(1);
    for (let i = 0; i < 100; i++) log.chat(`${i} ${"x".repeat(50_000)}`);
    const path = directory("a", log);
    let most = 0;
    const numbers: number[] = [];
    const slow: Writable = new Writable({
      write(chunk, _encoding, done) {
        most = Math.max(most, slow.writableLength);
        numbers.push(Number(/alice: (\d+) /.exec(chunk.toString())?.[1]));
        setImmediate(done);
      },
    });
    const out = new Output(slow);
    expect(await printLog(path, ALL, out, kept().output, PLAIN)).toBe(0);
    await out.finished();
    expect(numbers).toEqual(Array.from({ length: 100 }, (_, i) => i));
    expect(most).toBeLessThan(1 << 21);
  });

  test("a reader that has seen enough (head) ends it, without an error", async () => {
    const log = chat(...Array.from({ length: 50 }, (_, i): [string] => [`${i} ${"x".repeat(60_000)}`]));
    const path = directory("a", log);
    // What is behind that is not read any more: else this damage would be found.
    writeFileSync(join(path, SEGMENT), readFileSync(join(path, SEGMENT)).subarray(0, -10));
    let taken = 0;
    const gone = new Writable({
      write(_chunk, _encoding, done) {
        taken += 1;
        setImmediate(() => done(taken < 3 ? null : Object.assign(new Error("EPIPE"), { code: "EPIPE" })));
      },
    });
    const out = new Output(gone);
    const err = kept();
    expect(await printLog(path, ALL, out, err.output, PLAIN)).toBe(0);
    await out.finished();
    expect([taken, out.lost, err.lines()]).toEqual([3, true, []]);
  });
});
