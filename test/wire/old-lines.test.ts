/** What an older version wrote and none writes any more: the lines are read, and stay as they are. */
import { expect, test } from "bun:test";
import { EntryReader, makeSeal } from "../../src/wire/entry.ts";
import { mendOldLine } from "../../src/wire/old-lines.ts";
import { lineOf, lineWithHead, Sampler } from "./samples.ts";

/** How the writer of then wrote a number: `decimalDigits` of one below 0 is 1, and `| 0` takes the low 32 bits. */
function asThen(ts: number): string {
  const rest = ts | 0;
  const tenth = (rest / 10) | 0;
  return String.fromCharCode(0x30 + rest - tenth * 10);
}

const THEN = [-1, -9, -10, -999, -315_619_200_000, -315_619_200_001, -62_135_596_800_000, -8.64e15];

test("a time below 0 was one character, which is no digit or the wrong one", () => {
  const written = new Set(Array.from({ length: 100_000 }, (_, i) => asThen(-315_619_200_000 + 370_001 * i)));
  for (const character of written) {
    const mended = mendOldLine(`"eve","ts":${character},"payload":"x"`);
    expect(mended).toBe(/[0-9]/.test(character) ? null : `"eve","ts":0,"payload":"x"`);
  }
  expect(written.size).toBeGreaterThan(10);
});

test("[L1] chats, comings and readings of then are read as of 1970, with their own bytes and crc, also in a row and behind others", () => {
  const sampler = new Sampler(1);
  const reader = new EntryReader();
  let crc = 0;
  for (const kind of ["chat", "system", "read"] as const) {
    for (const ts of [...THEN, 5, ...THEN]) {
      const entry = { ...sampler.entry(kind), ts: 7 };
      makeSeal()(entry, crc);
      const written = kind === "chat" && ts < 0 ? asThen(ts) : `${ts}`;
      const head = lineOf(entry).split('"crc":')[0] as string;
      const line = lineWithHead(head.replace('"ts":7,', `"ts":${written},`), crc);
      const back = reader.read(line, 0, line.length, crc);
      const { chunk: _c, start: _s, end: _e, crc: _crc, ...said } = entry;
      expect(back).toEqual({
        ...said,
        ts: Math.max(0, Number(written) || 0),
        crc: back.crc,
        chunk: line,
        start: 0,
        end: line.length,
      });
      crc = back.crc;
    }
  }
});

test("nothing else is mended: not in a text, not another field, not two wrong characters", () => {
  for (const json of [
    '{"user":"a","ts":1,"payload":",\\"ts\\":),\\"payload\\":"}',
    '{"user":"a","tz":),"payload":"x"}',
    '{"user":"a","ts":)),"payload":"x"}',
    '{"user":"a","ts":x,"payload":"x"}',
    '{"user":"a","ts":1.5,"payload":"x"}',
    '{"user":"a","ts":-1e3,"payload":"x"}',
    '{"user":"\\\\ud800","ts":1,"payload":"\\u0000 \ufffd"}',
  ])
    expect(mendOldLine(json)).toBeNull();
  const other = lineWithHead(
    '{"index":1,"term":1,"leader_id":1,"inc":"a","boot":1,"kind":"settled","payload":{"config_index":)},',
  );
  expect(() => new EntryReader().read(other, 0, other.length, 0)).toThrow("not a line of JSON");
});

test("[L1] half a character in a name or a text is read as U+FFFD, with its own bytes and crc", () => {
  const reader = new EntryReader();
  const sealed = { ...new Sampler(1).entry("chat"), user: "HALF", text: "one HALF\\two" };
  makeSeal()(sealed, 0);
  const head = (lineOf(sealed).split('"crc":')[0] as string).replaceAll("HALF", "\\ud83d");
  let crc = 0;
  for (let i = 0; i < 2; i++) {
    const line = lineWithHead(head, crc);
    const back = reader.read(line, 0, line.length, crc);
    expect(back).toMatchObject({ user: "\ufffd", text: "one \ufffd\\two" });
    expect(back.chunk).toBe(line);
    crc = back.crc;
  }
});
