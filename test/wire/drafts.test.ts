/** Messages on their way to the log [W4] [L7]: the check written by hand takes what the schema takes, and nothing else. */
import { expect, test } from "bun:test";
import * as v from "valibot";
import { MESSAGE_BYTES_MAX, NAME_BYTES_MAX, OUTSTANDING_MESSAGES_MAX } from "../../src/core/config.ts";
import { DRAFTS } from "../../src/wire/drafts.ts";
import { FRAMES } from "../../src/wire/schemas.ts";
import { Sampler } from "./samples.ts";

const GOOD = { room_id: "general", user: "alice", ts: 1, payload: "hello" };
const FIELDS = Object.keys(GOOD) as (keyof typeof GOOD)[];

const VALUES: unknown[] = [
  ...[undefined, null, true, [], {}, 0, -0, 1, -1, 1.5, 1e300, Number.MAX_SAFE_INTEGER, 2 ** 53, Number.NaN],
  ...["", "a", "\0", "\x7f", "\x80", "\x9f", "\xa0", "\n", "\u2028", "\ud800", "__proto__"],
  ...["a", "é", "€", "👋", "\ud800"].flatMap((c) =>
    [NAME_BYTES_MAX, MESSAGE_BYTES_MAX].flatMap((max) =>
      [1, 2, 3, 4].flatMap((width) => [0, 1].map((more) => c.repeat(Math.floor(max / width) + more))),
    ),
  ),
];

function agree(messages: unknown): boolean {
  const byHand = v.safeParse(DRAFTS, messages);
  const bySchema = v.safeParse(FRAMES.CHAT.entries.messages, messages);
  const [taken, expected] = [byHand, bySchema].map((r) => (r.success ? r.output : null));
  if (!Bun.deepEquals(taken, expected, true))
    throw new Error(
      `${JSON.stringify(messages)?.slice(0, 300)}: by hand ${byHand.success}, by schema ${bySchema.success}`,
    );
  return byHand.success;
}

test("each value of each field, alone and behind a good one", () => {
  const count = { taken: 0, refused: 0 };
  for (const field of FIELDS) {
    for (const value of VALUES) {
      const draft = { ...GOOD, [field]: value };
      for (const messages of [[draft], [GOOD, draft], [draft, GOOD, draft]])
        count[agree(messages) ? "taken" : "refused"] += 1;
    }
  }
  expect(count.taken).toBeGreaterThan(100);
  expect(count.refused).toBeGreaterThan(200);
});

test("a field too many, too few, or another's; and what is no message at all", () => {
  for (const extra of ["extra", "toString", "constructor", "0"]) expect(agree([{ ...GOOD, [extra]: 1 }])).toBe(false);
  expect(agree([JSON.parse('{"room_id":"r","user":"u","ts":1,"payload":"p","__proto__":{}}')])).toBe(false);
  expect(agree([JSON.parse('{"room_id":"r","user":"u","ts":1,"__proto__":{"payload":"p"}}')])).toBe(false);
  for (const field of FIELDS) {
    const { [field]: _left, ...rest } = GOOD;
    expect(agree([rest])).toBe(false);
    expect(agree([{ ...rest, other: 1 }])).toBe(false);
  }
  for (const value of [...VALUES, [GOOD]]) expect(agree([GOOD, value])).toBe(false);
  for (const value of VALUES) expect(agree(value)).toBe(false);
});

test("as many as may be outstanding, and no more", () => {
  const many = Array.from({ length: OUTSTANDING_MESSAGES_MAX }, () => GOOD);
  expect(agree(many)).toBe(true);
  expect(agree([...many, GOOD])).toBe(false);
  expect(agree([])).toBe(false);
});

test("thousands of runs with something wrong somewhere", () => {
  const sampler = new Sampler(21);
  let taken = 0;
  for (let round = 0; round < 3000; round++) {
    const frame = sampler.frame("CHAT");
    const messages = structuredClone((frame as unknown as { messages: Record<string, unknown>[] }).messages);
    for (let n = round % 3; n > 0; n--) sampler.pick(messages)[sampler.pick(FIELDS)] = sampler.pick(VALUES);
    if (agree(messages)) taken += 1;
  }
  expect(taken).toBeGreaterThan(1000);
  expect(taken).toBeLessThan(2500);
});
