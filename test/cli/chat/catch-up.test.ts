/** What is shown of a peer that fetches what it missed. */
import { expect, test } from "bun:test";
import { CatchUp } from "../../../src/cli/chat/catch-up.ts";
import { seeded, VirtualClock, VirtualTime } from "../../../src/sim/virtual-time.ts";

function started() {
  const time = new VirtualTime();
  const clock = new VirtualClock(time, seeded(1));
  const shown: (string | null)[] = [];
  const service = { stand: null as { at: number; of: number } | null, catchUp: () => service.stand };
  const catchUp = new CatchUp(clock, service, (text) => shown.push(text));
  catchUp.begin();
  const pass = (ms: number) => time.runUntil(time.now + ms);
  return { shown, service, catchUp, pass };
}

test("nothing before a leader is heard, then how far it is, then that it is over, and nothing more", () => {
  const { shown, service, pass } = started();
  pass(5000);
  expect(shown).toEqual([]);
  service.stand = { at: 1000, of: 50_000 };
  pass(250);
  expect(shown).toEqual(["catching up: 1,000 of 50,000 entries"]);
  service.stand = { at: 11_000, of: 51_000 };
  pass(250);
  expect(shown.at(-1)).toBe("catching up: 11,000 of 51,000 entries, 40,000 a second, 1 s left");
  service.stand = { at: 51_000, of: 51_100 };
  pass(250);
  service.stand = { at: 51_000, of: 99_000 };
  pass(5000);
  expect(shown.slice(2)).toEqual([null]);
});

test("nothing where little is missed, and nothing of a peer that has stopped", () => {
  const few = started();
  few.service.stand = { at: 100, of: 900 };
  few.pass(5000);
  expect(few.shown).toEqual([]);
  const stopped = started();
  stopped.service.stand = { at: 0, of: 5000 };
  stopped.pass(250);
  stopped.catchUp.end();
  stopped.pass(5000);
  expect(stopped.shown).toEqual(["catching up: 0 of 5,000 entries", null]);
});
