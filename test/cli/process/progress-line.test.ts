/** How far something is: one line that is rewritten on a terminal, a plain line now and then elsewhere. */
import { describe, expect, test } from "bun:test";
import { Writable } from "node:stream";
import { Pace, timeSpan } from "../../../src/cli/process/pace.ts";
import { progressOn } from "../../../src/cli/process/progress-line.ts";
import { VirtualTerminal } from "../screen/virtual-terminal.ts";

class Stream extends Writable {
  readonly isTTY: boolean;
  columns = 40;
  readonly terminal = new VirtualTerminal(40, 5);
  written = "";
  /** Nobody reads it: what is written waits. */
  unread = false;
  now = 0;

  constructor(isTTY: boolean) {
    super({ highWaterMark: 1 });
    this.isTTY = isTTY;
  }

  override _write(chunk: Uint8Array, _encoding: BufferEncoding, done: () => void): void {
    const text = chunk.toString();
    this.written += text;
    // As a terminal's driver does.
    this.terminal.write(text.replaceAll("\n", "\r\n"));
    if (!this.unread) done();
  }

  /** As on a terminal, or elsewhere. */
  progress(lines = true, draws = this.isTTY) {
    return progressOn(this, { lines, draws, now: () => this.now });
  }
}

describe("on a terminal", () => {
  test("a line is drawn in the place of the one before, and nothing is left of it", async () => {
    const stream = new Stream(true);
    stream.write("before\n");
    const progress = await stream.progress();
    for (const text of ["1 of 3, a long line", "2 of 3", "3 of 3"]) {
      progress.show(text);
      expect(stream.terminal.screen).toEqual(["before", text, "▏"]);
      stream.now += 1000;
    }
    progress.clear();
    stream.write("said meanwhile\n");
    progress.show("and on");
    expect(stream.terminal.screen).toEqual(["before", "said meanwhile", "and on", "▏"]);
    progress.end();
    expect(stream.terminal.screen.slice(0, 3)).toEqual(["before", "said meanwhile", "▏"]);
    expect(stream.written).not.toContain("\x1b[?25");
  });

  test("it is one row, however narrow the terminal is", async () => {
    const stream = new Stream(true);
    const progress = await stream.progress();
    progress.show("x".repeat(100));
    expect(stream.terminal.screen).toEqual(["x".repeat(39), "▏"]);
    stream.columns = 0;
    progress.clear();
    progress.show("a terminal that does not know its size");
    expect(stream.terminal.screen[0]).toBe("a terminal that does not know its size");
  });

  test("it is drawn ten times a second at most, and not while nobody has read the last one", async () => {
    const stream = new Stream(true);
    const progress = await stream.progress();
    for (let i = 0; i < 1000; i++) {
      progress.show(`${i}`);
      stream.now += 1;
    }
    expect(stream.terminal.writes).toBe(10);
    stream.unread = true;
    for (let i = 0; i < 1000; i++) {
      progress.show(`unread ${i}`);
      stream.now += 1;
    }
    expect(stream.terminal.writes).toBe(11);
  });
});

describe("elsewhere", () => {
  test("what is over within ten seconds says nothing, what takes longer a line every ten seconds", async () => {
    const stream = new Stream(false);
    const progress = await stream.progress();
    const work = (ms: number) => {
      for (const end = stream.now + ms; stream.now <= end; stream.now += 100) progress.show(`${stream.now} ms`);
      progress.end();
    };
    work(9_900);
    stream.now = 100_000;
    work(9_900);
    expect(stream.written).toBe("");
    stream.now = 200_000;
    work(25_000);
    expect(stream.written).toBe("chatpeer: 210000 ms\nchatpeer: 220000 ms\n");
  });

  test("nothing at all where that is not wanted", async () => {
    const stream = new Stream(false);
    const progress = await stream.progress(false);
    for (; stream.now < 60_000; stream.now += 100) progress.show("on the way");
    expect(stream.written).toBe("");
  });
});

test("on a terminal where nothing is drawn, because a pipe beside it is read by another program, lines come", async () => {
  const stream = new Stream(true);
  const progress = await stream.progress(false, false);
  for (; stream.now < 25_000; stream.now += 100) progress.show(`${stream.now} ms`);
  expect(stream.written).toBe("chatpeer: 10000 ms\nchatpeer: 20000 ms\n");
});

describe("the pace", () => {
  test("says how far it is, how fast it goes and how long it still takes", () => {
    const pace = new Pace("catching up", "entries", 1000, 5000);
    expect(pace.text(5000, 20_000, 1000)).toBe("catching up: 5,000 of 20,000 entries");
    expect(pace.text(10_000, 20_000, 3000)).toBe("catching up: 10,000 of 20,000 entries, 2,500 a second, 4 s left");
    // There is more of it than was known.
    expect(pace.text(30_000, 20_000, 11_000)).toBe("catching up: 30,000 of 30,000 entries, 2,500 a second, 0 s left");
  });

  test("gives times in the unit that people would choose", () => {
    expect([400, 119_000, 300_000, 7_300_000].map(timeSpan)).toEqual(["0 s", "119 s", "5 min", "2 h"]);
  });
});
