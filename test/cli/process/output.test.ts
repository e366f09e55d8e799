/** The one writer to a stream: in order, awaited to its last byte, told when the reader is behind or gone. */
import { describe, expect, test } from "bun:test";
import { Writable } from "node:stream";
import { ONE_FRAME, Output } from "../../../src/cli/process/output.ts";

interface Write {
  readonly text: string;
  readonly done: (error?: Error) => void;
}

/** A reader that takes one write at a time, when the test says so. */
class SlowReader extends Writable {
  readonly taken: string[] = [];
  #waiting: Write | null = null;

  override _write(chunk: Buffer, _encoding: string, done: (error?: Error) => void): void {
    this.#waiting = { text: chunk.toString(), done };
  }

  get waits(): boolean {
    return this.#waiting !== null;
  }

  take(): void {
    const { text, done } = this.#waiting as Write;
    this.#waiting = null;
    this.taken.push(text);
    done();
  }

  fail(code: string): void {
    const { done } = this.#waiting as Write;
    this.#waiting = null;
    done(Object.assign(new Error(code), { code }));
  }
}

/** Streams answer on the microtasks and ticks behind the call: they are let run until the test's condition holds. */
async function until(condition: () => boolean): Promise<void> {
  for (let turn = 0; !condition(); turn++) {
    if (turn > 10_000) throw new Error("it does not happen");
    await new Promise((resolve) => setImmediate(resolve));
  }
}

async function takeAll(reader: SlowReader): Promise<void> {
  await until(() => reader.waits);
  while (reader.waits) {
    reader.take();
    for (let turn = 0; turn < 3; turn++) await new Promise((resolve) => setImmediate(resolve));
  }
}

/** Whether it resolved by now, everything that is due done. */
async function isDone(promise: Promise<void>): Promise<boolean> {
  let done = false;
  void promise.then(() => {
    done = true;
  });
  for (let turn = 0; turn < 5; turn++) await new Promise((resolve) => setImmediate(resolve));
  return done;
}

const MIB = 1024 * 1024;

describe("order and end", () => {
  test("lines reach the reader whole and in order, and it is finished when the last is there", async () => {
    const reader = new SlowReader();
    const output = new Output(reader);
    for (let i = 0; i < 20; i++) output.line(`line ${i}`);
    output.write("no newline");
    const finished = output.finished();
    expect(await isDone(finished)).toBe(false);
    reader.take();
    expect(await isDone(finished)).toBe(false);
    await takeAll(reader);
    await finished;
    expect(reader.taken.join("")).toBe(`${Array.from({ length: 20 }, (_, i) => `line ${i}\n`).join("")}no newline`);
  });

  test("it is not finished while one write is unanswered, even if a later, empty one was", async () => {
    const reader = new SlowReader();
    const output = new Output(reader);
    output.line("last words");
    output.write("");
    const finished = output.finished();
    expect(await isDone(finished)).toBe(false);
    reader.take();
    await finished;
    expect(reader.taken).toEqual(["last words\n"]);
  });

  test("nothing written is finished at once; everybody who asked is told; it can be finished again", async () => {
    const reader = new SlowReader();
    const output = new Output(reader);
    await output.finished();
    output.line("one");
    const asked = [output.finished(), output.finished()];
    await takeAll(reader);
    await Promise.all(asked);
    output.line("two");
    expect(await isDone(output.finished())).toBe(false);
    await takeAll(reader);
    await output.finished();
    expect(reader.taken).toEqual(["one\n", "two\n"]);
  });
});

describe("back-pressure", () => {
  test("nobody waits for a reader that is a little behind, but for one that is a mebibyte behind", async () => {
    const reader = new SlowReader();
    const output = new Output(reader);
    expect(output.line("x".repeat(MIB / 2))).toBe(true);
    expect(output.line("x".repeat(MIB / 2))).toBe(false);
    let resumed = 0;
    output.resumed(() => resumed++);
    expect(await isDone(until(() => resumed > 0))).toBe(false);
    await takeAll(reader);
    await until(() => resumed > 0);
    expect(output.line("more")).toBe(true);
    await takeAll(reader);
    // Once for each time it was asked for.
    expect(resumed).toBe(1);
    expect(reader.taken.join("").length).toBe(MIB + 7);
  });

  test("a producer that pauses when it is told to never has much more than the limit waiting", async () => {
    const reader = new SlowReader();
    const output = new Output(reader);
    let produced = 0;
    let most = 0;
    const produce = () => {
      while (produced < 400) {
        const ready = output.line(`${produced++} ${"x".repeat(20_000)}`);
        most = Math.max(most, reader.writableLength);
        if (!ready) return output.resumed(produce);
      }
    };
    produce();
    expect(produced).toBeLessThan(100);
    while (reader.taken.length < 400) {
      await until(() => reader.waits);
      reader.take();
    }
    await output.finished();
    expect(most).toBeLessThan(MIB + 30_000);
    expect(reader.taken.map((text) => Number(text.split(" ")[0]))).toEqual(Array.from({ length: 400 }, (_, i) => i));
  });
});

describe("a reader that goes away", () => {
  test("is no reason to fail: what waits is let go, nothing more is written, nobody is told to pause", async () => {
    const reader = new SlowReader();
    const output = new Output(reader);
    let resumed = 0;
    expect(output.line("x".repeat(2 * MIB))).toBe(false);
    output.resumed(() => resumed++);
    const finished = output.finished();
    expect(output.lost).toBe(false);
    reader.fail("EPIPE");
    await finished;
    expect([output.lost, resumed]).toEqual([true, 1]);
    expect(output.line("x".repeat(2 * MIB))).toBe(true);
    await output.finished();
    expect([reader.taken, reader.waits, output.failure]).toEqual([[], false, null]);
  });

  test("what could not be written is told by the time it is finished, as on a full disk", async () => {
    const reader = new SlowReader();
    const output = new Output(reader);
    output.line("lost");
    const finished = output.finished();
    reader.fail("ENOSPC");
    await finished;
    expect([output.lost, output.failure]).toEqual([true, "ENOSPC"]);
  });
});

describe("last words, when somebody wants this process to end", () => {
  test("are waited for while their reader takes some of them, and no longer", async () => {
    const reader = new SlowReader();
    const output = new Output(reader);
    for (let i = 0; i < 3; i++) output.line(`line ${i}`);
    const patienceMs = 60;
    const finished = output.finished();
    // Asked for while it is waited for already.
    output.hasten(patienceMs);
    await until(() => reader.waits);
    const began = performance.now();
    reader.take();
    await finished;
    expect(performance.now() - began).toBeGreaterThanOrEqual(patienceMs - 1);
    expect([reader.taken, output.lost]).toEqual([["line 0\n"], true]);
    expect(output.failure).toBe("nobody has read it for 0.06 s");
  });

  test("a reader that takes all of them in time has all of them", async () => {
    const reader = new SlowReader();
    const output = new Output(reader);
    output.hasten(60);
    for (let i = 0; i < 3; i++) output.line(`line ${i}`);
    const finished = output.finished();
    await takeAll(reader);
    await finished;
    expect([reader.taken.length, output.lost, output.failure]).toEqual([3, false, null]);
  });

  test("of a terminal may be lost", async () => {
    const reader = Object.assign(new SlowReader(), { isTTY: true });
    const output = new Output(reader, ONE_FRAME);
    expect(output.line("a frame")).toBe(false);
    output.hasten(1);
    await output.finished();
    expect([output.lost, output.failure]).toEqual([true, null]);
  });
});

test("[S9] a reader is behind by what the stream has not answered, whatever the stream says of its length", async () => {
  let answers: (() => void)[] = [];
  const stream = new Writable({ highWaterMark: 1, write: (_chunk, _encoding, done) => void answers.push(done) });
  // As the standard output of Bun 1.4.5 does.
  Object.defineProperty(stream, "writableLength", { get: () => 0 });
  const out = new Output(stream);
  const line = "x".repeat(99_999);
  let taken = 0;
  while (out.line(line)) taken += 1;
  expect(taken).toBe(10);
  let resumed = 0;
  out.resumed(() => resumed++);
  const answer = async () => {
    const done = answers;
    answers = [];
    for (const each of done) each();
    await new Promise<void>((go) => setImmediate(go));
  };
  await answer();
  expect(resumed).toBe(0);
  while (resumed === 0) await answer();
  expect(out.behind).toBe(false);
  while (answers.length > 0) await answer();
  await out.finished();
});
