/**
 * Messages on their way to the log [W4] [L7]: what is written by hand is what JSON.stringify writes, and what is read by
 * hand is what the schema takes.
 */
import { expect, test } from "bun:test";
import * as v from "valibot";
import { MESSAGE_BYTES_MAX, NAME_BYTES_MAX, OUTSTANDING_MESSAGES_MAX } from "../../src/core/config.ts";
import type { Chat } from "../../src/core/message.ts";
import { ChatReader, encodeWithDrafts } from "../../src/wire/drafts.ts";
import { FRAMES } from "../../src/wire/schemas.ts";
import { ascii, Sampler, utf8 } from "./samples.ts";

const GOOD = { room_id: "general", user: "alice", ts: 1, payload: "hello" };
const FIELDS = Object.keys(GOOD) as (keyof typeof GOOD)[];
/** Longer numbers are the schema's. */
const TS_MAX = 10 ** 15 - 1;

const VALUES: unknown[] = [
  ...[undefined, null, true, [], {}, 0, -0, 1, -1, 1.5, 1e300, TS_MAX, Number.MAX_SAFE_INTEGER, 2 ** 53, Number.NaN],
  ...[
    "",
    "a",
    "\0",
    "\x7f",
    "\x80",
    "\x9f",
    "\xa0",
    "\n",
    "\u2028",
    "\ud800",
    "__proto__",
    '"',
    "\\",
    '\\"',
    '","ts":1',
  ],
  ...["a", "é", "€", "👋", "\ud800", "\n"].flatMap((c) =>
    [NAME_BYTES_MAX, MESSAGE_BYTES_MAX].flatMap((max) =>
      [1, 2, 3, 4].flatMap((width) => [0, 1].map((more) => c.repeat(Math.floor(max / width) + more))),
    ),
  ),
];

const reader = new ChatReader();

function bySchema(line: string | Uint8Array): Chat | null {
  try {
    const result = v.safeParse(FRAMES.CHAT, JSON.parse(typeof line === "string" ? line : utf8(line)));
    return result.success ? result.output : null;
  } catch {
    return null;
  }
}

/** Whether the line is taken; by hand it is either taken as by the schema or left to that. */
function agree(line: string | Uint8Array): { taken: boolean; byHand: boolean } {
  // What stands around the line has no part in it.
  const bytes = typeof line === "string" ? ascii(line) : line;
  const around = ascii(`}"${" ".repeat(bytes.length)}]}\n{"type":"CHAT",`);
  around.set(bytes, 2);
  const chat = reader.read(around, 2, 2 + bytes.length);
  const expected = bySchema(line);
  if (chat !== null && !Bun.deepEquals(chat, expected, true))
    throw new Error(`${JSON.stringify(line).slice(0, 300)}: by hand ${JSON.stringify(chat).slice(0, 300)}`);
  return { taken: expected !== null, byHand: chat !== null };
}

const lineOf = (messages: unknown, head = '"sender_id":2,"session":"abc","first":7') =>
  `{"type":"CHAT",${head},"messages":${JSON.stringify(messages) ?? "null"}}`;

/** In the usual form, whatever can be read by hand is. */
function agreeOn(messages: unknown): boolean {
  const { taken, byHand } = agree(lineOf(messages));
  const isLong = Array.isArray(messages) && messages.some((m) => m?.ts > TS_MAX);
  if (taken && !isLong && !byHand) throw new Error(`left to the schema: ${JSON.stringify(messages)?.slice(0, 300)}`);
  return taken;
}

test("each value of each field, alone, in front of a good one and behind one", () => {
  const count = { taken: 0, refused: 0 };
  for (const field of FIELDS) {
    for (const value of VALUES) {
      const message = { ...GOOD, [field]: value };
      for (const messages of [[message], [GOOD, message], [message, GOOD, message]])
        count[agreeOn(messages) ? "taken" : "refused"] += 1;
    }
  }
  expect(count.taken).toBeGreaterThan(150);
  expect(count.refused).toBeGreaterThan(200);
});

test("a field too many, too few, or another's; and what is no message at all", () => {
  for (const extra of ["extra", "toString", "constructor", "0"]) expect(agreeOn([{ ...GOOD, [extra]: 1 }])).toBe(false);
  expect(agreeOn([JSON.parse('{"room_id":"r","user":"u","ts":1,"payload":"p","__proto__":{}}')])).toBe(false);
  expect(agreeOn([JSON.parse('{"room_id":"r","user":"u","ts":1,"__proto__":{"payload":"p"}}')])).toBe(false);
  for (const field of FIELDS) {
    const { [field]: _left, ...rest } = GOOD;
    expect(agreeOn([rest])).toBe(false);
    expect(agreeOn([{ ...rest, other: 1 }])).toBe(false);
  }
  for (const value of [...VALUES, [GOOD]]) expect(agreeOn([GOOD, value])).toBe(false);
  for (const value of VALUES) expect(agreeOn(value)).toBe(false);
});

test("any order of the fields, white space, escapes nobody needs, fields given twice: as the schema has it", () => {
  const good = JSON.stringify(GOOD);
  const lines = [
    lineOf([Object.fromEntries(Object.entries(GOOD).reverse())]),
    lineOf([GOOD]).replaceAll(",", ", "),
    lineOf([GOOD]).replace("hello", "h\\u0065llo"),
    lineOf([GOOD]).replace("general", "gener\\u0061l"),
    lineOf([GOOD]).replace("general", "general\\u0000"),
    lineOf([GOOD]).replace('"ts":1', '"ts":1,"ts":2'),
    lineOf([GOOD]).replace('"ts":1', '"ts":01'),
    lineOf([GOOD]).replace('"ts":1', '"ts":-0'),
    lineOf([GOOD]).replace('"ts":1', '"ts":1e0'),
    lineOf([GOOD]).replace('"ts"', '"t\\u0073"'),
    lineOf([GOOD], '"sender_id":3,"sender_id":2,"session":"abc","first":7'),
    lineOf([GOOD], '"messages":[],"sender_id":2,"session":"abc","first":7'),
    lineOf([GOOD], '"sender_id":2,"session":"abc","first":7,"x":{"y":[1]}'),
    lineOf([GOOD], '"sender_id":2,"session":",\\"messages\\":[","first":7'),
    lineOf([GOOD], '"sender_id":0,"session":"abc","first":7'),
    lineOf([GOOD], '"session":"abc","first":7'),
    `{"type":"CHAT","sender_id":2,"session":"abc","messages":[${good}],"first":7}`,
    `{"type":"CHAT","sender_id":2,"session":"abc","first":7,"messages":[${good},]}`,
    `{"type":"CHAT","sender_id":2,"session":"abc","first":7,"messages":[${good}]`,
    `{"type":"CHAT","sender_id":2,"session":"abc","first":7,"messages":[${good}]}}`,
    `{"type":"CHAT","sender_id":2,"session":"abc","first":7,"messages":[${good}]} `,
    `{"type":"CHAT","sender_id":2,"session":"abc","first":7,"messages":[${good}`,
  ];
  expect(lines.filter((line) => agree(line).taken)).toHaveLength(12);
});

test("as many as may be outstanding, and no more", () => {
  const many = Array.from({ length: OUTSTANDING_MESSAGES_MAX }, () => GOOD);
  expect(agreeOn(many)).toBe(true);
  expect(agreeOn([...many, GOOD])).toBe(false);
  expect(agreeOn([])).toBe(false);
});

test("thousands of runs with something wrong somewhere", () => {
  const sampler = new Sampler(21);
  let taken = 0;
  for (let round = 0; round < 3000; round++) {
    const frame = sampler.frame("CHAT");
    const messages = structuredClone((frame as unknown as { messages: Record<string, unknown>[] }).messages);
    for (let n = round % 3; n > 0; n--) sampler.pick(messages)[sampler.pick(FIELDS)] = sampler.pick(VALUES);
    if (agreeOn(messages)) taken += 1;
  }
  expect(taken).toBeGreaterThan(1000);
  expect(taken).toBeLessThan(2500);
});

test("tens of thousands of lines with a byte changed, lost or doubled", () => {
  const sampler = new Sampler(22);
  const bytes = [0x00, 0x22, 0x2c, 0x30, 0x5b, 0x5c, 0x5d, 0x7b, 0x7d, 0x80, 0xc3, 0xff];
  const count = { taken: 0, byHand: 0 };
  for (let round = 0; round < 30_000; round++) {
    const line = ascii(
      lineOf([GOOD, { ...GOOD, user: sampler.pick(["alice", "bób"]), payload: sampler.pick(["é", "\\", "x"]) }]),
    );
    const at = sampler.below(line.length);
    const changed = [
      ...line.subarray(0, at),
      ...sampler.pick([[], [sampler.pick(bytes)], [line[at] as number, line[at] as number]]),
      ...line.subarray(at + 1),
    ];
    const { taken, byHand } = agree(Uint8Array.from(changed));
    if (taken) count.taken += 1;
    if (byHand) count.byHand += 1;
  }
  expect(count.taken).toBeGreaterThan(1000);
  expect(count.byHand).toBeGreaterThan(1000);
});

test("what is written is what JSON.stringify writes, of any messages", () => {
  const sampler = new Sampler(23);
  for (let round = 0; round < 1000; round++) {
    const { messages, ...head } = sampler.frame("CHAT") as Chat;
    expect(utf8(encodeWithDrafts(head, messages, "\n"))).toBe(`${JSON.stringify({ ...head, messages })}\n`);
  }
  const large = Array.from({ length: OUTSTANDING_MESSAGES_MAX }, (_, i) => ({
    ...GOOD,
    user: `${i % 3}`,
    payload: "\n".repeat(i + 1),
  }));
  expect(utf8(encodeWithDrafts({ first: 1 }, large))).toBe(JSON.stringify({ first: 1, messages: large }));
});
