/** Ids of messages: what is kept from one to the next must not show. */
import { expect, test } from "bun:test";
import { messageId } from "../../src/core/message-id.ts";

test("an id is session and counter, whatever was asked for before", () => {
  const counters = [
    1,
    9,
    10,
    999,
    1000,
    1001,
    1999,
    2000,
    10_000,
    999_999,
    1_000_000,
    2 ** 31,
    2 ** 32 + 7,
    2 ** 53 - 1,
  ];
  const sessions = ["1.a", "2.a", "1.ab"];
  for (const first of counters)
    for (const second of counters)
      for (const session of sessions)
        for (const counter of [first, second]) expect(messageId({ session, counter })).toBe(`${session}.${counter}`);
});
