/** [R10] How much may be under way on a line, as its PINGs are answered. */
import { expect, test } from "bun:test";
import { Window } from "../../../src/host/net/window.ts";

const KIB = 1024;
/** Milliseconds that may stand in front of a narrow line. */
const QUEUE_MS = 200;

/** A line that carries so many bytes a millisecond, with a round trip of `base` milliseconds, and somebody who always has more to send. */
class Line {
  readonly window = new Window();
  now = 0;
  rate: number;
  readonly base: number;
  #freeAt = 0;
  #pings: { readonly at: number; readonly answered: number }[] = [];

  constructor(rate: number, base: number) {
    this.rate = rate;
    this.base = base;
    this.#ping();
  }

  /** Sends frames of half a window for so long; returns the bytes that went. */
  saturate(ms: number): number {
    let sent = 0;
    for (const end = this.now + ms; this.now < end; ) {
      while (this.window.isOpen) {
        const { frame } = this.window;
        sent += frame;
        this.#freeAt = Math.max(this.now, this.#freeAt) + frame / this.rate;
        this.window.wrote(frame);
        if (this.window.wantsMark) this.#ping();
      }
      const ping = this.#pings.shift();
      if (ping === undefined) throw new Error("nothing is under way, and the window is shut");
      this.now = Math.max(this.now, ping.answered);
      this.window.answered(ping.at, this.now);
    }
    return sent;
  }

  /** Milliseconds until what is sent now gets there, beyond what the line takes without any bulk. */
  get queue(): number {
    return Math.max(0, this.#freeAt - this.now);
  }

  #ping(): void {
    const at = this.now + 0.001 * this.#pings.length;
    this.window.mark(at);
    this.#pings.push({ at, answered: Math.max(this.now, this.#freeAt) + this.base });
  }
}

test.each([
  [1000, 1],
  [1000, 600],
  [256, 20],
])("%i kbit/s and a round trip of %i ms: the line is full, and what is in front of it is short", (kbits, base) => {
  const line = new Line(kbits / 8, base);
  line.saturate(5000);
  const sent = line.saturate(10_000);
  expect(sent).toBeGreaterThan(0.9 * 10_000 * line.rate);
  expect(line.queue).toBeLessThan(2 * QUEUE_MS);
});

test("a line of 64 kbit/s is full, and has no more in front of it than frames of 4 KiB need", () => {
  const line = new Line(8, 1);
  expect(line.saturate(10_000)).toBeGreaterThan(0.95 * 10_000 * line.rate);
  expect(line.window.size).toBeLessThan(16 * KIB);
});

test("a fast line has a megabyte under way within twenty round trips", () => {
  const line = new Line(100_000, 1);
  line.saturate(20);
  expect(line.window.size).toBeGreaterThan(KIB * KIB);
});

test("a line that becomes narrow, and wide again, is followed", () => {
  const line = new Line(12_500, 5);
  line.saturate(1000);
  line.rate = 125;
  line.saturate(60_000);
  expect(line.queue).toBeLessThan(2 * QUEUE_MS);
  line.rate = 12_500;
  line.saturate(2000);
  expect(line.saturate(1000)).toBeGreaterThan(0.9 * 1000 * line.rate);
});

test("all sizes are whole bytes, as whoever reads a file needs them", () => {
  const line = new Line(100 / 3, 7);
  for (let i = 0; i < 100; i++) {
    line.saturate(30);
    expect(Number.isInteger(line.window.size) && Number.isInteger(line.window.frame)).toBe(true);
  }
});

test("one late answer behind a few bytes changes nothing", () => {
  const window = new Window();
  window.mark(1);
  window.answered(1, 2);
  window.wrote(100);
  window.mark(3);
  expect(window.answered(3, 3000)).toBe(false);
  expect(window.size).toBe(8 * KIB);
});

test("what was asked on another connection answers nothing", () => {
  const window = new Window();
  window.wrote(KIB);
  window.mark(1);
  expect(window.answered(7, 8)).toBe(false);
  expect(window.underWay).toBe(KIB);
  window.answered(1, 9);
  expect(window.underWay).toBe(0);
});
