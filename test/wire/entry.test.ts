/**
 * Entries and their lines [L1] [L2] [L3] [L7]: what a leader seals, everybody reads back and nothing else; the check
 * written by hand says exactly what the schemas say [W4].
 */
import { describe, expect, test } from "bun:test";
import * as v from "valibot";
import {
  BOOT_MAX,
  MESSAGE_BYTES_MAX,
  NAME_BYTES_MAX,
  NESTING_MAX,
  PEER_ID_MAX,
  TERM_MAX,
} from "../../src/core/config.ts";
import type { Entry, EntryKind } from "../../src/core/log-entry.ts";
import { messageId } from "../../src/core/message-id.ts";
import { EntryReader, makeSeal, sealEntry } from "../../src/wire/entry.ts";
import { mendOldLine } from "../../src/wire/old-lines.ts";
import { ENTRIES } from "../../src/wire/schemas.ts";
import { WireError } from "../../src/wire/wire-error.ts";
import { ascii, contents, dumbChain, KINDS, lineOf, lineWithHead, Sampler, utf8 } from "./samples.ts";

/** [L2], kind by kind. */
const ORDER: Record<EntryKind, string> = {
  genesis: "index term leader_id inc boot kind payload crc",
  chat: "index term leader_id inc boot kind room_id seq_no sender_id msg_id user ts payload crc",
  system: "index term leader_id inc boot kind room_id sender_id user ts payload crc",
  read: "index term leader_id inc boot kind room_id sender_id user ts payload crc",
  config: "index term leader_id inc boot kind payload crc",
  settled: "index term leader_id inc boot kind payload crc",
  leader: "index term leader_id inc boot kind crc",
  access: "index term leader_id inc boot kind ts payload crc",
};

/** The entry that a line holds, or the WireError; whatever else is thrown is the test's to fail on. */
function readWith(reader: EntryReader, line: Uint8Array, previous: number): Entry | WireError {
  try {
    return reader.read(line, 0, line.length, previous);
  } catch (error) {
    if (error instanceof WireError) return error;
    throw error;
  }
}

/** Has read every line of this file before: it knows the form of each that was taken. */
const experienced = new EntryReader();

/** What a reader says who sees such a line for the first time; who knows its form says the same. */
function read(line: Uint8Array, previous = 0): Entry | WireError {
  const first = readWith(new EntryReader(), line, previous);
  for (const _ of ["learns", "knows"]) expect(readWith(experienced, line, previous)).toEqual(first);
  return first;
}

function refusal(line: Uint8Array, previous = 0): string {
  const result = read(line, previous);
  if (!(result instanceof WireError)) throw new Error(`taken: ${utf8(line).slice(0, 300)}`);
  return result.message;
}

describe("sealed entries", () => {
  for (const kind of KINDS) {
    test(`[L1] [L2] [L3] ${kind}: one line, fields in order, a chain anyone can check, read back as it was`, () => {
      const sampler = new Sampler(KINDS.indexOf(kind) + 1);
      let crc = 0;
      for (let round = 0; round < 200; round++) {
        const entry = sampler.entry(kind);
        const before = contents(entry);
        sealEntry(entry, crc);
        const line = lineOf(entry);
        expect(line.indexOf("\n")).toBe(line.length - 1);
        expect(Object.keys(JSON.parse(line)).join(" ")).toBe(ORDER[kind]);
        const head = line.slice(0, line.lastIndexOf('"crc":'));
        expect(head.endsWith(",")).toBe(true);
        expect(entry.crc).toBe(dumbChain(crc, ascii(head)));
        expect(line.slice(head.length)).toBe(`"crc":${entry.crc}}\n`);
        const back = new EntryReader().read(entry.chunk, entry.start, entry.end, crc);
        expect(contents(back)).toEqual({ ...before, crc: entry.crc });
        expect([back.start, back.end]).toEqual([entry.start, entry.end]);
        expect(back.chunk).toBe(entry.chunk);
        crc = entry.crc;
      }
    });
  }

  test("[L2] a line as it stands in a file, byte for byte", () => {
    const entry: Entry = {
      ...new Sampler(1).entry("chat"),
      ...{ index: 7, term: 3, leader_id: 2, inc: "abc", boot: 9, room_id: "general", seq_no: 5, sender_id: 1 },
      ...{
        session: "1.s0",
        counter: 4,
        user: 'Al "ice"',
        ts: 1_700_000_000_000,
        text: "line one\nline two\u2028 <\u00e9>",
      },
    };
    sealEntry(entry, 0x0102_0304);
    const head =
      '{"index":7,"term":3,"leader_id":2,"inc":"abc","boot":9,"kind":"chat","room_id":"general","seq_no":5,' +
      '"sender_id":1,"msg_id":"1.s0.4","user":"Al \\"ice\\"","ts":1700000000000,"payload":"line one\\nline two\u2028 <\u00e9>",';
    expect(lineOf(entry)).toBe(`${head}"crc":${dumbChain(0x0102_0304, ascii(head))}}\n`);
  });

  test("[L2] a line that is older than boot numbers has none, and is read as boot 0; the next ones are not mistaken for it", () => {
    for (const kind of KINDS) {
      const sampler = new Sampler(4);
      const reader = new EntryReader();
      const entry = sampler.entry(kind);
      sealEntry(entry, 7);
      const { boot, crc: _, ...older } = JSON.parse(lineOf(entry)) as { boot: number; crc: number };
      const line = lineWithHead(headOf(older), 7);
      for (const _ of ["learns", "knows"]) {
        const read = reader.read(line, 0, line.length, 7);
        expect(contents(read)).toEqual({ ...contents(entry), boot: 0, crc: read.crc });
        expect(reader.read(entry.chunk, entry.start, entry.end, 7).boot).toBe(boot);
      }
      expect(refusal(lineWithHead(headOf({ ...older, reboot: 1 }), 7), 7)).toContain("fields");
    }
  });

  test("[L1] entries sealed in a row are neighbours in memory, and sealing more never touches the earlier ones", () => {
    const sampler = new Sampler(2);
    const sealed: [Entry, string][] = [];
    let adjacent = 0;
    let crc = 0;
    for (let i = 0; i < 60; i++) {
      const entry = sampler.entry("chat");
      // Far more than one slab in all, and single lines larger than a slab's rest.
      if (i % 10 === 9) Object.assign(entry, { text: "\x01".repeat(MESSAGE_BYTES_MAX) });
      sealEntry(entry, crc);
      crc = entry.crc;
      const last = sealed.at(-1)?.[0];
      if (last?.chunk === entry.chunk && last.end === entry.start) adjacent++;
      sealed.push([entry, lineOf(entry)]);
    }
    expect(adjacent).toBeGreaterThan(40);
    for (const [entry, line] of sealed) expect(lineOf(entry)).toBe(line);
  });

  test("the largest text there can be is sealed and read back", () => {
    const largest = {
      "one byte each": "x".repeat(MESSAGE_BYTES_MAX),
      "escaped, six bytes each": "\x01".repeat(MESSAGE_BYTES_MAX),
      "three bytes each": "€".repeat(Math.floor(MESSAGE_BYTES_MAX / 3)),
      "four bytes each": "👋".repeat(MESSAGE_BYTES_MAX / 4),
    };
    for (const [what, text] of Object.entries(largest)) {
      const entry = { ...new Sampler(3).entry("chat"), text };
      sealEntry(entry, 1);
      expect([what, new EntryReader().read(entry.chunk, entry.start, entry.end, 1).text === text]).toEqual([
        what,
        true,
      ]);
      // Above that, neither.
      Object.assign(entry, { text: `${text}€` });
      expect(() => sealEntry(entry, 1)).toThrow("the text of an entry is a message");
      const head = `${lineOf(entry).split('"payload":')[0]}"payload":${JSON.stringify(entry.text)},`;
      expect(refusal(lineWithHead(head, 1), 1)).toContain("field payload of an entry is wrong");
    }
  });
});

const OBJECT = {
  index: 1,
  term: 2,
  leader_id: 3,
  inc: "abc",
  boot: 8,
  kind: "chat",
  room_id: "general",
  seq_no: 4,
  sender_id: 5,
  msg_id: "5.s.6",
  user: "alice",
  ts: 7,
  payload: "Hello",
};
const headOf = (object: object) => `${JSON.stringify(object).slice(0, -1)},`;

describe("[L2] lines that follow one another", () => {
  /** Changes that make the next line more than a count further. */
  const CHANGES: readonly ((entry: Entry, sampler: Sampler) => Partial<Entry>)[] = [
    ({ ts }, sampler) => ({ ts: ts + sampler.below(3) }),
    ({ index }, sampler) => ({ index: index + sampler.below(2) }),
    ({ seq_no }, sampler) => ({ seq_no: seq_no + sampler.below(2) }),
    ({ counter }, sampler) => ({ counter: counter + sampler.below(2) }),
    (_, sampler) => ({ user: sampler.name() }),
    (_, sampler) => ({ room_id: sampler.name() }),
    (_, sampler) => ({ text: sampler.text() }),
    ({ sender_id }, sampler) => ({ session: `${sender_id}.${sampler.word()}` }),
    ({ term }) => ({ term: term + 1 }),
    ({ boot }, sampler) => ({ boot: (boot + sampler.below(2)) % BOOT_MAX }),
  ];

  /** As an entry of its own: sealed and read by who has seen no other. */
  function alone(entry: Entry, crc: number): { line: Uint8Array; result: Entry | WireError } {
    const copy = { ...entry };
    makeSeal()(copy, crc);
    const line = copy.chunk.slice(copy.start, copy.end);
    return { line, result: readWith(new EntryReader(), line, crc) };
  }

  function* chats(sampler: Sampler, rounds: number): Generator<Entry> {
    const first = { ...sampler.entry("chat"), term: 1, ts: 1_700_000_000_000 };
    for (const n of [1, 8, 98, 998, 999_998, 10 ** 12 - 2]) {
      let entry: Entry = { ...first, index: n, seq_no: n, counter: n };
      for (let round = 0; round < rounds; round++) {
        yield entry;
        entry = {
          ...entry,
          index: entry.index + 1,
          seq_no: entry.seq_no + 1,
          counter: entry.counter + 1,
          text: "plain",
        };
        if (sampler.below(4) === 0) entry = { ...entry, ...sampler.pick(CHANGES)(entry, sampler) };
      }
    }
  }

  test("are written and read as each one alone is, whatever changes from one to the next", () => {
    const seal = makeSeal();
    const reader = new EntryReader();
    let crc = 0;
    for (const entry of chats(new Sampler(31), 500)) {
      const { line, result } = alone(entry, crc);
      seal(entry, crc);
      expect(lineOf(entry)).toBe(utf8(line));
      expect(result).not.toBeInstanceOf(WireError);
      expect(readWith(reader, line, crc)).toEqual(result);
      crc = entry.crc;
    }
  });

  test("a line that is the one to come but for one byte is judged as it is alone", () => {
    const [before, entry] = [...chats(new Sampler(32), 2)] as [Entry, Entry];
    const lines = [before, entry].map((e) => alone(e, 0).line) as [Uint8Array, Uint8Array];
    const head = lines[1].subarray(0, lines[1].lastIndexOf(0x2c) + 1);
    let taken = 0;
    for (let at = 0; at < head.length; at++) {
      for (const byte of [0x22, 0x2d, 0x30, 0x39, 0x5c, 0x61, 0xff]) {
        const changed = head.slice();
        changed[at] = byte;
        const reader = new EntryReader();
        for (const _ of ["learns", "counts on from it"]) readWith(reader, lines[0], 0);
        const line = lineWithHead(changed);
        const result = readWith(reader, line, 0);
        expect(result).toEqual(readWith(new EntryReader(), line, 0));
        if (!(result instanceof WireError)) taken += 1;
      }
    }
    expect(taken).toBeGreaterThan(100);
  });
});

describe("[L3] the crc", () => {
  const good = lineWithHead(headOf(OBJECT), 99);

  test("a line that continues the chain is taken, behind any other line it is refused", () => {
    expect(read(good, 99)).toMatchObject({ index: 1, text: "Hello" });
    for (const previous of [0, 98, 100, 0xffff_ffff]) expect(refusal(good, previous)).toContain("the crc does not fit");
  });

  test("a single flipped bit anywhere in a line is refused", () => {
    let refused = 0;
    for (let i = 0; i < good.length; i++) {
      for (let bit = 0; bit < 8; bit++) {
        const bad = good.slice();
        bad[i] = (bad[i] as number) ^ (1 << bit);
        refusal(bad, 99);
        refused++;
      }
    }
    expect(refused).toBe(8 * good.length);
  });

  test("a line cut anywhere, or with anything behind it, is refused", () => {
    for (let end = 0; end < good.length; end++) refusal(good.subarray(0, end), 99);
    for (const more of [" ", "\n", "}\n", "\r\n"]) refusal(Buffer.concat([good, ascii(more)]), 99);
    expect(read(good, 99)).not.toBeInstanceOf(WireError);
  });

  test("it stands last, behind a comma, as the shortest decimal number", () => {
    const head = headOf(OBJECT);
    const crc = dumbChain(0, ascii(head));
    expect(read(ascii(`${head}"crc":${crc}}\n`))).toMatchObject({ crc });
    const endings = [
      `"crc":0${crc}}\n`,
      `"crc":${crc}.0}\n`,
      `"crc":+${crc}}\n`,
      `"crc":-${crc}}\n`,
      `"crc":"${crc}"}\n`,
      `"crc": ${crc}}\n`,
      `"crc":${crc} }\n`,
      `"crc":${crc}} \n`,
      `"crc":${crc}\n`,
      `"crc":${crc}}`,
      `"crc":}\n`,
      `"crc":${crc + 2 ** 32}}\n`,
      `"crc":${"9".repeat(400)}}\n`,
      `"crc":${"0".repeat(400)}}\n`,
      `"crc":1${"0".repeat(400)}}\n`,
      `"CRC":${crc}}\n`,
      `crc":${crc}}\n`,
    ];
    for (const ending of endings) refusal(ascii(head + ending));
    // Without its comma the line is no JSON either, but the crc of such a head is refused before JSON is looked at.
    const bare = head.slice(0, -1);
    expect(refusal(ascii(`${bare}"crc":${dumbChain(0, ascii(bare))}}\n`))).toContain("no crc at the end of an entry");
    for (const tiny of ["", "\n", "}\n", "1}\n", '"crc":1}\n', ',"crc":1}\n']) refusal(ascii(tiny));
  });
});

describe("[L7] fields", () => {
  test("one too many, one too few, one for another: refused, whatever their names", () => {
    for (const extra of ["extra", "toString", "constructor", "hasOwnProperty", "valueOf"]) {
      expect(refusal(lineWithHead(headOf({ ...OBJECT, [extra]: {} })))).toContain("a chat entry has 14 fields, not 15");
    }
    for (const field of Object.keys(OBJECT)) {
      const { [field as "index"]: _left, ...rest } = OBJECT;
      if (field !== "boot") refusal(lineWithHead(headOf(rest)));
      refusal(lineWithHead(headOf({ ...rest, other: OBJECT[field as "index"] })));
      refusal(lineWithHead(`${headOf(rest)}"__proto__":${JSON.stringify(OBJECT)},`));
    }
    expect(read(lineWithHead(headOf(OBJECT)))).not.toBeInstanceOf(WireError);
  });

  test("__proto__ is a field like any other, unknown, and leaves no trace in anything", () => {
    const planted = '"__proto__":{"polluted":true},';
    expect(refusal(lineWithHead(headOf(OBJECT) + planted))).toContain("not 15");
    const member = `{"id":1,"inc":"a","host":"h","port":1,"role":"voter",${planted.slice(0, -1)}}`;
    for (const payload of [
      `{"members":[],"prev_voters":[],${planted.slice(0, -1)}}`,
      `{"members":[${member}],"prev_voters":[]}`,
    ]) {
      const head = `{"index":1,"term":2,"leader_id":3,"inc":"abc","kind":"config","payload":${payload},`;
      expect(refusal(lineWithHead(head))).toContain("payload of a config entry is wrong");
    }
    expect(({} as { polluted?: boolean }).polluted).toBeUndefined();
  });

  test("an entry is made of its own fields only: what was parsed does not travel", () => {
    const line = lineWithHead(headOf({ ...OBJECT, room_id: "__proto__", user: "constructor" }));
    const entry = read(line) as Entry;
    expect(Object.keys(entry).sort()).toEqual(
      "boot chunk counter crc data end inc index kind leader_id room_id sender_id seq_no session start term text ts user".split(
        " ",
      ),
    );
    expect([entry.room_id, entry.user]).toEqual(["__proto__", "constructor"]);
    expect(Object.getPrototypeOf(entry)).toBe(Object.prototype);
  });

  test("kinds that are names of something else are unknown kinds", () => {
    for (const kind of ["toString", "__proto__", "constructor", "CHAT", "", null, 1, ["chat"], { chat: 1 }]) {
      expect(refusal(lineWithHead(headOf({ ...OBJECT, kind })))).toContain("unknown kind of entry");
    }
  });
});

describe("[W3] bounds", () => {
  test("an entry nested too deep is refused before it is parsed", () => {
    const deep = (levels: number) => `${"[".repeat(levels)}${"]".repeat(levels)}`;
    for (const levels of [NESTING_MAX, 1e5]) {
      expect(refusal(lineWithHead(`{"index":1,"payload":${deep(levels)},`))).toContain(
        `nested deeper than ${NESTING_MAX} levels`,
      );
    }
    expect(refusal(lineWithHead(`{"index":1,"payload":${deep(NESTING_MAX - 1)},`))).toContain("unknown kind");
  });

  test("brackets inside of strings are no nesting, behind any number of backslashes", () => {
    // A quote, escaped or not, at any place of a string that is searched by hand, and of one that is not.
    const shifted = Array.from({ length: 40 }, (_, i) => `${"a".repeat(i)}\\"${"[".repeat(99)}\\`);
    const texts = ["[".repeat(1000), '"'.repeat(9) + "{".repeat(99), "\\".repeat(33), ...shifted];
    for (const text of texts) {
      expect((read(lineWithHead(headOf({ ...OBJECT, payload: text }))) as Entry).text).toBe(text);
    }
  });

  test("not UTF-8: refused", () => {
    for (const bytes of [[0xff], [0xc3], [0xed, 0xa0, 0x80], [0xc0, 0x80], [0xf5, 0x80, 0x80, 0x80]]) {
      const [front, back] = headOf({ ...OBJECT, payload: "|" }).split("|") as [string, string];
      const head = Buffer.concat([ascii(front), Uint8Array.from(bytes), ascii(back)]);
      expect(refusal(lineWithHead(head))).toContain("not a line of JSON in UTF-8");
    }
  });
});

// ── the check by hand and the schemas ────────────────────────────────────────────────────────────────────────────

/** `<sender_id>.<session>.<counter>`, what the schema leaves to the hand-written check. */
function isMessageId(msg_id: string, sender_id: number): boolean {
  const parts = msg_id.split(".");
  const counter = Number(parts[2]);
  return (
    parts.length === 3 &&
    parts[0] === String(sender_id) &&
    [...(parts[1] as string)].every((c) => "abcdefghijklmnopqrstuvwxyz0123456789".includes(c)) &&
    (parts[1] as string).length >= 1 &&
    (parts[1] as string).length <= 64 &&
    Number.isSafeInteger(counter) &&
    counter > 0 &&
    parts[2] === String(counter)
  );
}

/** What the schemas say about a line whose crc is right, or about what an older version meant by it: its fields, or null. */
function bySchema(line: Uint8Array): Record<string, unknown> | null {
  let text: string;
  try {
    text = utf8(line);
  } catch {
    return null;
  }
  const mended = mendOldLine(text);
  return fieldsOf(text) ?? (mended === null ? null : fieldsOf(mended));
}

function fieldsOf(text: string): Record<string, unknown> | null {
  let object: unknown;
  try {
    object = JSON.parse(text);
  } catch {
    return null;
  }
  const kind = (object as { kind?: unknown } | null)?.kind;
  if (!KINDS.includes(kind as EntryKind)) return null;
  const result = v.safeParse(ENTRIES[kind as EntryKind], object);
  if (!result.success) return null;
  const { output } = result;
  return output.kind === "chat" && !isMessageId(output.msg_id, output.sender_id) ? null : output;
}

/** An entry's fields as they stand on a line. */
function onLine(entry: Entry): Record<string, unknown> {
  const all: Record<string, unknown> = { ...entry, msg_id: messageId(entry), payload: entry.data ?? entry.text };
  return Object.fromEntries(ORDER[entry.kind].split(" ").map((field) => [field, all[field]]));
}

/** How many were taken and refused; fails where the two disagree. */
function compare(lines: Iterable<Uint8Array>): { taken: number; refused: number } {
  const count = { taken: 0, refused: 0 };
  for (const line of lines) {
    const byHand = read(line);
    const expected = bySchema(line);
    const actual = byHand instanceof WireError ? null : onLine(byHand);
    if (!Bun.deepEquals(actual, expected)) {
      throw new Error(
        `${new TextDecoder().decode(line).slice(0, 500)}\nby hand: ${JSON.stringify(actual ?? (byHand as WireError).message)}\nby schema: ${JSON.stringify(expected)}`,
      );
    }
    count[actual === null ? "refused" : "taken"]++;
  }
  return count;
}

/** Values at, inside and outside of every bound there is. */
const VALUES: unknown[] = [
  ...[0, -0, 1, -1, 1.5, 2, 255, 1e3, 65_535, 65_536, 0xffff_ffff, 2 ** 32, 2 ** 32 + 1, 2 ** 40, 2 ** 40 + 1],
  ...[PEER_ID_MAX, PEER_ID_MAX + 1, TERM_MAX, TERM_MAX + 1, Number.MAX_SAFE_INTEGER, 2 ** 53, 1e300, 5e-324],
  ...[
    null,
    true,
    false,
    [],
    {},
    [1],
    { id: 1 },
    [[]],
    "",
    "0",
    "1",
    "null",
    "a",
    "A",
    "a b",
    "é",
    "ab_c",
    "\0",
    "\x7f",
  ],
  ...["\x80", "\x9f", "\xa0", "\n", "\u2028", "\ud800", "__proto__", "voter", "left", "chat", "leader", "127.0.0.1"],
  ...["a2".repeat(26), "A2".repeat(26), "a1".repeat(26), "a2".repeat(27), "admin", "invite", "revoke", 1000, 1001],
  ...["a".repeat(64), "a".repeat(65), "é".repeat(32), "é".repeat(33), "€".repeat(21), `${"€".repeat(21)}a`],
  ...[`${"€".repeat(21)}é`, "€".repeat(22), "👋".repeat(16), "👋".repeat(17), "\ud800".repeat(21), "\ud800".repeat(22)],
  ...["a".repeat(255), "a".repeat(256), "é".repeat(255), "a".repeat(MESSAGE_BYTES_MAX), "a".repeat(65_537)],
  ...["é".repeat(MESSAGE_BYTES_MAX / 2), "é".repeat(32_769), "€".repeat(21_845), "€".repeat(21_846)],
  ...[
    "5.s.6",
    "5.s.0",
    "5.s.06",
    "05.s.6",
    "5.s",
    "5.s.6.7",
    "5..6",
    "5.S.6",
    "5.s.1e3",
    "5.s. 6",
    "5.s.-6",
    "5.s.6\n",
  ],
  ...["5.s.9007199254740991", "5.s.9007199254740992", "5.s.9007199254740993", `5.s.${"9".repeat(30)}`],
  ...[`5.${"s".repeat(64)}.6`, `5.${"s".repeat(65)}.6`, "6.s.6", ".s.6", "0.s.6", "+5.s.6"],
];

type Json = Record<string, unknown>;

/** Every object there is in a value, itself included. */
function objects(value: unknown): Json[] {
  if (typeof value !== "object" || value === null) return [];
  return [value as Json, ...Object.values(value).flatMap(objects)];
}

/** A valid line's object with one to three things wrong, or so. */
function mutate(sampler: Sampler, object: Json): void {
  const target = sampler.pick(objects(object));
  const field = sampler.pick(Object.keys(target)) ?? "0";
  // A copy: the next mutation may change it, or put it into itself.
  const value = structuredClone(sampler.pick(VALUES));
  switch (sampler.below(6)) {
    case 0:
      if (field !== "kind") delete target[field];
      return;
    case 1: {
      // As its own field, the way JSON.parse makes it: an assignment would set the prototype.
      const key = sampler.pick(["__proto__", "toString", "x", "payload", "ts", "members"]);
      Object.defineProperty(target, key, { value, enumerable: true, configurable: true, writable: true });
      return;
    }
    case 2:
      target.kind = sampler.pick([...KINDS, "toString", "CHAT"]);
      return;
    default:
      Object.defineProperty(target, field, { value, enumerable: true, configurable: true, writable: true });
  }
}

function entryObject(sampler: Sampler, kind: EntryKind): Json {
  const entry = sampler.entry(kind);
  sealEntry(entry, 0);
  const { crc: _crc, ...object } = JSON.parse(lineOf(entry)) as Json;
  return object;
}

describe("[W4] the check by hand and the schemas", () => {
  test("agree on each value of each field", () => {
    const sampler = new Sampler(11);
    const lines: Uint8Array[] = [];
    for (const kind of KINDS) {
      const fields = Object.keys({ ...entryObject(sampler, kind), payload: null });
      for (const field of fields) {
        for (const value of VALUES) {
          const object = kind === "chat" ? { ...OBJECT } : entryObject(sampler, kind);
          lines.push(lineWithHead(headOf({ ...object, [field]: value })));
        }
      }
    }
    const { taken, refused } = compare(lines);
    expect(taken).toBeGreaterThan(500);
    expect(refused).toBeGreaterThan(2000);
  });

  test("agree on each value of each field of a structured payload", () => {
    const hash = "a2".repeat(26);
    const member = { id: 1, inc: "a", host: "h", port: 1, role: "voter", key: hash };
    const invite = { change: "invite", hash, role: "client", name: "", rights: "read", uses: 1, expires: 1, by: "a" };
    const payloads: [EntryKind, Json][] = [
      ["genesis", { members: [member], prev_voters: [], cluster_id: "c", segment_entries: 1, segment_bytes: 1 }],
      ["config", { members: [member], prev_voters: [{ id: 2, inc: "b" }], secure: true, invites: [hash] }],
      ["access", invite],
      ["access", { change: "user", hash, name: "a", rights: "write", invite: hash }],
      ["access", { change: "revoke", hash, by: "a" }],
      ["settled", { config_index: 1 }],
      ["read", { through: 1 }],
    ];
    const sampler = new Sampler(12);
    const lines: Uint8Array[] = [];
    for (const [kind, payload] of payloads) {
      const shape = objects(payload);
      for (const [which, object] of shape.entries()) {
        for (const field of Object.keys(object)) {
          for (const value of VALUES) {
            const copy = structuredClone(payload);
            (objects(copy)[which] as Json)[field] = value;
            lines.push(lineWithHead(headOf({ ...entryObject(sampler, kind), payload: copy })));
          }
        }
      }
    }
    const { taken, refused } = compare(lines);
    expect(taken).toBeGreaterThan(200);
    expect(refused).toBeGreaterThan(1000);
  });

  test("agree on thousands of entries with several things wrong", () => {
    const sampler = new Sampler(13);
    const lines = Array.from({ length: 4000 }, (_, i) => {
      const object = entryObject(sampler, sampler.pick(KINDS));
      read(lineWithHead(headOf(object)));
      for (let n = i % 4; n > 0; n--) mutate(sampler, object);
      return lineWithHead(headOf(object));
    });
    const { taken, refused } = compare(lines);
    expect(taken).toBeGreaterThan(1000);
    expect(refused).toBeGreaterThan(1000);
  });

  test("agree on thousands of lines with damaged bytes under a right crc", () => {
    const sampler = new Sampler(14);
    const damaged = function* () {
      for (let i = 0; i < 4000; i++) {
        const whole = headOf(entryObject(sampler, sampler.pick(KINDS)));
        // So that its form is known to who has experience.
        read(lineWithHead(whole));
        const head = [...ascii(whole.slice(0, 4000))];
        const comma = head.pop() as number;
        for (let n = 1 + sampler.below(2); n > 0; n--) {
          const at = sampler.below(head.length);
          // A newline would end the line; no decoder hands out such a thing.
          const byte = sampler.pick([...ascii('{}[]",:\\ 0123456789eE.-+aznltrue_'), 0x00, 0x7f, 0x80, 0xc3, 0xff]);
          const how = sampler.below(3);
          if (how === 0) head[at] = byte;
          else head.splice(at, how === 1 ? 1 : 0, ...(how === 1 ? [] : [byte]));
        }
        yield lineWithHead(Uint8Array.from([...head, comma]));
      }
    };
    const { taken, refused } = compare(damaged());
    expect(taken).toBeGreaterThan(300);
    expect(refused).toBeGreaterThan(1000);
  });

  test("names of 64 bytes and texts of 64 KiB are the last that fit, in every width of character", () => {
    const fits = (field: string, value: string) =>
      !(read(lineWithHead(headOf({ ...OBJECT, [field]: value }))) instanceof WireError);
    for (const [field, max] of [
      ["user", NAME_BYTES_MAX],
      ["room_id", NAME_BYTES_MAX],
      ["payload", MESSAGE_BYTES_MAX],
    ] as const) {
      for (const wide of ["a", "é", "€", "👋"]) {
        const width = Buffer.byteLength(wide);
        const full = wide.repeat(Math.floor(max / width)) + "a".repeat(max % width);
        expect([field, wide, fits(field, full), fits(field, `${full}a`)]).toEqual([field, wide, true, false]);
      }
    }
  });
});
