/** Frames into bytes [W1]: a header and raw lines, in as few pieces as memory allows, without copies. */
import { expect, test } from "bun:test";
import type { Frame } from "../../src/core/frame.ts";
import type { Entry } from "../../src/core/log-entry.ts";
import type { CatchupResp } from "../../src/core/message.ts";
import { FrameDecoder } from "../../src/wire/decoder.ts";
import { encodeFrame, encodeRawEntries, entryLines } from "../../src/wire/encode.ts";
import { sealEntry } from "../../src/wire/entry.ts";
import { join, lineOf, Sampler, said, utf8 } from "./samples.ts";

/** Short entries, so that they share a slab. */
function shortChain(count: number): Entry[] {
  const sampler = new Sampler(1);
  let crc = 0;
  return Array.from({ length: count }, (_, i) => {
    const entry = { ...sampler.entry("leader"), index: i + 1 };
    sealEntry(entry, crc);
    crc = entry.crc;
    return entry;
  });
}

const PLACE = { prev_index: 0, prev_ballot: { term: 0, leader_id: 0, inc: "", boot: 0 }, prev_crc: 0, commit: 0 };
const BALLOT = { term: 3, leader_id: 2, inc: "abc", boot: 1 };

test("[W1] an entry frame is a header with count and bytes, then the lines verbatim", () => {
  const entries = shortChain(3);
  const frame: Frame = { type: "SEQ_CHAT", ballot: BALLOT, ...PLACE, entries };
  const lines = entries.map(lineOf).join("");
  expect(utf8(join(encodeFrame(frame)))).toBe(
    `{"type":"SEQ_CHAT","ballot":{"term":3,"leader_id":2,"inc":"abc","boot":1},"prev_index":0,"prev_ballot":{"term":0,"leader_id":0,"inc":"","boot":0},"prev_crc":0,"commit":0,"count":3,"bytes":${lines.length}}\n${lines}`,
  );
});

test("[W1] a control frame is one line of JSON, whatever stands in its texts", () => {
  const message = "one\ntwo\u2028\0\x1b[2J\ud800 👋";
  const [bytes, ...more] = encodeFrame({ type: "ADMIN_ACK", ok: false, message });
  expect(more).toEqual([]);
  const text = utf8(bytes as Uint8Array);
  expect(text.indexOf("\n")).toBe(text.length - 1);
  expect(JSON.parse(text)).toEqual({ type: "ADMIN_ACK", ok: false, message });
});

test("bytes are counted, not characters", () => {
  const entry = { ...new Sampler(2).entry("system"), index: 1, text: "é€👋" };
  sealEntry(entry, 0);
  const pieces = encodeFrame({ type: "SEQ_CHAT", ballot: BALLOT, ...PLACE, entries: [entry] });
  expect(JSON.parse(utf8(pieces[0] as Uint8Array))).toMatchObject({ count: 1, bytes: entry.end - entry.start });
  expect(entry.end - entry.start).toBeGreaterThan(lineOf(entry).length);
});

test("neighbours in memory are one piece, the entries' own memory and no copy", () => {
  const entries = shortChain(10);
  const pieces = entryLines(entries);
  expect(pieces).toHaveLength(1);
  const [piece, first] = [pieces[0] as Uint8Array, entries[0] as Entry];
  expect(piece.buffer).toBe(first.chunk.buffer as ArrayBuffer);
  expect(utf8(piece)).toBe(entries.map(lineOf).join(""));
});

test("a gap, another order or other memory begins a new piece; the bytes are right in any case", () => {
  const entries = shortChain(6) as [Entry, Entry, Entry, Entry, Entry, Entry];
  const [a, b, c, d, e, f] = entries;
  const elsewhere = (entry: Entry): Entry => {
    const chunk = entry.chunk.slice(entry.start, entry.end);
    return { ...entry, chunk, start: 0, end: chunk.length };
  };
  // At its old place in other memory: only the chunk tells.
  const twin: Entry = { ...c, chunk: c.chunk.slice() };
  const cases: [Entry[], number][] = [
    [[], 0],
    [[a], 1],
    [[a, c, d], 2],
    [[b, a], 2],
    [[a, a], 2],
    [[a, b, elsewhere(c), d, e], 3],
    [[a, b, twin, d], 3],
    [[elsewhere(e), elsewhere(f)], 2],
  ];
  for (const [list, pieces] of cases) {
    const made = entryLines(list);
    expect(made).toHaveLength(pieces);
    expect(utf8(join(made))).toBe(list.map(lineOf).join(""));
  }
});

test("[R8] lines from a disk go out as the same bytes as the entries themselves", () => {
  const frame = new Sampler(3).frame("CATCHUP_RESP", 7) as CatchupResp;
  const { entries, ...header } = frame;
  const lines = entries.map((entry) => entry.chunk.slice(entry.start, entry.end));
  const raw = join(encodeRawEntries(header, [join(lines.slice(0, 4)), join(lines.slice(4))], 7));
  expect(raw).toEqual(join(encodeFrame(frame)));
  const decoder = new FrameDecoder();
  decoder.push(join(encodeFrame(new Sampler(1).hello())));
  expect(decoder.next()).toMatchObject({ type: "HELLO" });
  decoder.push(raw);
  expect(said(decoder.next() as Frame)).toEqual(said(frame));
});
