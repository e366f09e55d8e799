import { expect, test } from "bun:test";
import type { HostEvent } from "../../src/host/events.ts";
import { tellsReading } from "../../src/host/tells-reading.ts";

test("a start that takes long says how far it is every three seconds, and nothing when it is through", () => {
  const said: HostEvent[] = [];
  let now = 0;
  const tell = tellsReading({ now: () => now }, (event) => said.push(event));
  for (let segments = 1; segments <= 9; segments++) {
    now += 1000;
    tell(segments, 9);
  }
  expect(said.map((e) => e.event === "notice" && [e.code, /[0-9]+ of [0-9]+/.exec(e.message)?.[0]])).toEqual([
    ["reading", "3 of 9"],
    ["reading", "6 of 9"],
  ]);
});
