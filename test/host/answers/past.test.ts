/** Questions about a long past: in slices, in turn, within a budget, and only for who still waits. */
import { describe, expect, test } from "bun:test";
import { CATCHUP_BYTES_MAX, FRAME_ENTRIES_MAX } from "../../../src/core/config.ts";
import type { Entry } from "../../../src/core/log-entry.ts";
import { Past, type PastSource, type Wanted } from "../../../src/host/answers/past.ts";
import { Slices } from "../../../src/host/answers/slices.ts";
import type { RawEntries } from "../../../src/host/store/log-store.ts";
import { ManualClock } from "../manual-clock.ts";
import { LogMaker, lineOf } from "../store/log-maker.ts";

/** Who asks. */
const ME = { name: "me" };
const ANOTHER = { name: "another" };
const ENCODER = new TextEncoder();

/** A log whose reading takes time by the clock, and is counted. */
class Source implements PastSource {
  reads = 0;
  readonly #lines: string[];
  readonly #log: LogMaker;

  constructor(log: LogMaker) {
    this.#log = log;
    this.#lines = log.entries.map(lineOf);
  }

  readLines(from: number, count: number): Uint8Array[] {
    this.reads += 1;
    return [ENCODER.encode(this.#lines.slice(from - 1, from - 1 + count).join(""))];
  }

  readEntries(from: number, count: number): Entry[] {
    return this.#log.entries.slice(from - 1, from - 1 + count);
  }

  read(after: number, bytesMax: number, through: number): RawEntries {
    this.reads += 1;
    const lines: Uint8Array[] = [];
    for (let bytes = 0; bytes < bytesMax && after + lines.length < through; ) {
      const line = ENCODER.encode(this.#lines[after + lines.length]);
      lines.push(line);
      bytes += line.length;
    }
    return { prevCrc: this.#log.entries[after - 1]?.crc ?? 0, lines, count: lines.length };
  }
}

function logOf(messages: number): LogMaker {
  const log = new LogMaker({ segment_entries: 100_000, segment_bytes: 100_000_000 });
  log.genesis();
  log.leader();
  for (let i = 1; i <= messages; i++) log.chat(`message ${i}`, i % 1000 === 0 ? "rare" : "general");
  return log;
}

const LOG = logOf(5000);
const END = LOG.last;

function setUp() {
  const clock = new ManualClock();
  const source = new Source(LOG);
  const failed: unknown[] = [];
  const slices = new Slices(clock, (work) => {
    try {
      work();
    } catch (error) {
      failed.push(error);
    }
  });
  return { clock, source, slices, failed, past: new Past(slices, source) };
}

function wanted(more: Partial<Wanted> = {}): Wanted {
  return { room: "general", count: 3, text: "", charsMax: 1000, ...more };
}

const texts = (messages: readonly { payload: string }[]) => messages.map((m) => m.payload);

describe("the last messages", () => {
  test("oldest first, and where to go on", () => {
    const { past, clock } = setUp();
    const pages: [string[], number | null][] = [];
    const ask = (through: number) =>
      past.last(ME, wanted({ room: "rare", count: 2 }), through, ({ messages, more }) => {
        pages.push([texts(messages), more]);
        if (more !== null) ask(more - 1);
      });
    ask(END);
    clock.run();
    expect(pages.map(([page]) => page)).toEqual([
      ["message 4000", "message 5000"],
      ["message 2000", "message 3000"],
      ["message 1000"],
    ]);
    expect(pages.at(-1)?.[1]).toBeNull();
  });

  test("texts that are too long together come with the next page, and none twice", () => {
    const { past, clock } = setUp();
    const all: string[] = [];
    const ask = (through: number) =>
      past.last(ME, wanted({ count: 100, charsMax: 25, text: "99" }), through, ({ messages, more }) => {
        all.unshift(...texts(messages));
        if (more !== null) ask(more - 1);
      });
    ask(300);
    clock.run();
    expect(all).toEqual(["message 99", "message 199", "message 299"].filter((t) => Number(t.slice(8)) <= 298));
  });
});

test("the first ones behind an index, page by page through the end", () => {
  const { past, clock } = setUp();
  const all: string[] = [];
  const ask = (after: number) =>
    past.first(ME, wanted({ room: "rare", count: 2 }), after, END, ({ messages, more }) => {
      all.push(...texts(messages));
      if (more !== null) ask(more);
    });
  ask(0);
  clock.run();
  expect(all).toEqual([1, 2, 3, 4, 5].map((n) => `message ${n}000`));
});

test("where a message stands, or the end where it is still to come", () => {
  const { past, clock } = setUp();
  const places: number[] = [];
  for (const [room, seqNo] of [
    ["rare", 2],
    ["general", 1],
    ["rare", 9],
  ] as const)
    past.place(ME, room, seqNo, END, (before) => places.push(before));
  clock.run();
  expect(places).toHaveLength(3);
  expect(places).toEqual(expect.arrayContaining([2001, 2, END]));
});

describe("lines for who catches up", () => {
  test("as many as fit one frame, each once, from where it is; the answer of another comes between", () => {
    const { past, clock } = setUp();
    const got: string[] = [];
    let through = 0;
    const order: string[] = [];
    const more = () =>
      past.lines(ME, through, END, CATCHUP_BYTES_MAX, ({ lines, count, prevCrc }) => {
        expect(prevCrc).toBe(LOG.entries[through - 1]?.crc ?? 0);
        expect(count).toBeLessThanOrEqual(FRAME_ENTRIES_MAX);
        got.push(...lines.map((line) => new TextDecoder().decode(line)));
        through += count;
        order.push("lines");
        if (through < END) more();
      });
    more();
    past.last(ANOTHER, wanted({ count: 1 }), END, () => order.push("answer"));
    clock.run();
    expect(got).toEqual(LOG.entries.map(lineOf));
    expect(order[0]).toBe("answer");
    expect(order.length).toBeGreaterThan(2);
  });

  test("about as many bytes as asked for, or one line", () => {
    const { past, clock } = setUp();
    const sizes: number[] = [];
    for (const bytesMax of [1, 3000])
      past.lines(ME, 10, END, bytesMax, ({ lines, count }) =>
        sizes.push(
          count,
          lines.reduce((sum, { length }) => sum + length, 0),
        ),
      );
    clock.run();
    const [one, , several, bytes] = sizes as [number, number, number, number];
    expect(one).toBe(1);
    expect(several).toBeGreaterThan(5);
    expect(bytes).toBeLessThan(3500);
  });

  test("who has gone is not read for, and a damaged log gives no answer", () => {
    const { past, clock, source, slices } = setUp();
    const never = () => {
      throw new Error("answered");
    };
    past.lines(ME, 0, END, CATCHUP_BYTES_MAX, never);
    slices.run(ANOTHER, () => {
      past.forget(ME);
      return false;
    });
    clock.run();
    expect(source.reads).toBe(1);
    const damaged = { readLines: () => [], readEntries: () => [], read: () => null };
    new Past(slices, damaged).lines(ME, 0, END, CATCHUP_BYTES_MAX, never);
    clock.run();
  });
});

describe("beside everything else", () => {
  test("a long question gives way after each slice, and a short one behind it is answered first", () => {
    const { past, clock, source } = setUp();
    const answered: string[] = [];
    past.last(ME, wanted({ text: "nowhere" }), END, () => answered.push("long"));
    past.last(ANOTHER, wanted({ count: 1 }), END, () => answered.push("short"));
    clock.run();
    expect(answered).toEqual(["short", "long"]);
    expect(source.reads).toBe(Math.ceil(END / 512) + 1);
  });

  test("one who asks much is not before one who asks little", () => {
    const { past, clock } = setUp();
    const answered: string[] = [];
    for (let i = 0; i < 60; i++) past.last(ME, wanted({ count: 1 }), END, () => answered.push("one of many"));
    past.last(ANOTHER, wanted({ count: 1 }), END, () => answered.push("the only one"));
    clock.run();
    expect(answered.indexOf("the only one")).toBe(1);
    expect(answered).toHaveLength(61);
  });

  test("who has gone is not searched for any longer, also in the middle", () => {
    const { past, clock, source, slices } = setUp();
    const never = () => {
      throw new Error("answered");
    };
    past.last(ME, wanted({ text: "nowhere" }), END, never);
    slices.forget(ME);
    clock.run();
    expect(source.reads).toBe(0);
    past.last(ME, wanted({ text: "nowhere" }), END, never);
    slices.run(ANOTHER, () => {
      slices.forget(ME);
      return false;
    });
    clock.run();
    expect(source.reads).toBe(1);
  });

  test("an answer that ran out of its budget says how far it came", () => {
    const { clock, slices } = setUp();
    // As many blocks as one question may look at, and some more: none of them holds a line.
    const last = 1024 * 1024 + 5000;
    const past = new Past(slices, { readLines: () => [], readEntries: () => [], read: () => null });
    const more: (number | null)[] = [];
    const ask = (through: number) =>
      past.last(ME, wanted({ text: "nowhere" }), through, (page) => {
        more.push(page.more);
        if (page.more !== null) ask(page.more - 1);
      });
    ask(last);
    clock.run();
    expect(more).toEqual([5001, null]);
  });

  test("what a step throws is dealt with, and the others go on", () => {
    const { clock, slices, failed, past } = setUp();
    slices.run(ANOTHER, () => {
      throw new Error("damaged");
    });
    let found: string[] = [];
    past.last(ME, wanted({ count: 1 }), END, ({ messages }) => {
      found = texts(messages);
    });
    clock.run();
    expect(failed).toEqual([new Error("damaged")]);
    expect(found).toEqual(["message 4999"]);
  });
});
