/** Records of the operator's log: up to a level, and none kept for whoever does not read them. */
import { expect, test } from "bun:test";
import { OperatorLog } from "../../../src/cli/chat/operator-log.ts";
import type { LogRecord } from "../../../src/host/events.ts";

const record = (level: LogRecord["level"], message: string): LogRecord => ({
  ...{ level, message, time: 0, peer: 1, role: "leader", term: 3, index: 9 },
});

function open(level: LogRecord["level"] | "off") {
  const output = { behind: false };
  const shown: string[] = [];
  const log = new OperatorLog(level, output, (r) => shown.push(`${r.level}: ${r.message}`));
  return { log, output, shown };
}

test("records up to the level", () => {
  for (const [level, count] of [
    ["off", 0],
    ["error", 1],
    ["warn", 2],
    ["info", 3],
    ["debug", 4],
  ] as const) {
    const { log, shown } = open(level);
    for (const each of ["error", "warn", "info", "debug"] as const) log.take(record(each, "said"));
    expect(shown.length).toBe(count);
  }
});

test("[S9] a reader that is behind has records dropped, and is told how many once it reads on", () => {
  const { log, output, shown } = open("info");
  log.take(record("info", "one"));
  output.behind = true;
  for (let i = 0; i < 1000; i++) log.take(record(i % 2 === 0 ? "info" : "debug", "two"));
  expect(shown).toEqual(["info: one"]);
  output.behind = false;
  log.take(record("info", "three"));
  log.take(record("info", "four"));
  expect(shown).toEqual([
    "info: one",
    "warn: 500 records are missing here: nobody read this log for a while",
    "info: three",
    "info: four",
  ]);
});
