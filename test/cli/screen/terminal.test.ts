/** What a terminal is sent, and what it is not sent while nobody reads it. */
import { expect, test } from "bun:test";
import { PassThrough, Writable } from "node:stream";
import { ONE_FRAME, Output } from "../../../src/cli/process/output.ts";
import { paintFor } from "../../../src/cli/screen/paint.ts";
import { Terminal } from "../../../src/cli/screen/terminal.ts";
import { seeded, VirtualClock, VirtualTime } from "../../../src/sim/virtual-time.ts";
import { VirtualTerminal } from "./virtual-terminal.ts";

test("whoever prints on and on at a terminal that nobody reads fills no memory; what was left out is said in its place", async () => {
  const time = new VirtualTime();
  const screen = new VirtualTerminal(80, 24);
  let taken: (() => void) | null = null;
  const write = (chunk: Buffer, _encoding: string, done: () => void) => {
    screen.write(chunk.toString());
    taken = done;
  };
  const output = Object.assign(new Writable({ write }), { columns: 80, rows: 24 });
  const looks: boolean[] = [];
  const terminal: Terminal = new Terminal(
    {
      input: new PassThrough(),
      output,
      out: new Output(output, ONE_FRAME),
      clock: new VirtualClock(time, seeded(1)),
    },
    {
      bottom: () => ({ above: [], status: [{ text: "status" }], prompt: "> " }),
      complete: () => null,
      line: () => true,
      gone: () => {},
      drawn: () => {},
      attend: (here) => looks.push(here),
    },
    paintFor({}),
  );
  const pass = async () => {
    time.runUntil(time.now + 100);
    await new Promise((resolve) => setImmediate(resolve));
  };
  const read = async () => {
    taken?.();
    await pass();
  };
  await read();
  await read();
  terminal.print(["on its way"]);
  await pass();
  const count = 100_000;
  let asked = 0;
  for (let i = 1; i <= count; i++) if (!terminal.print([`line ${i}`])) asked++;
  for (let i = 0; i < 20; i++) await pass();
  expect(looks).toEqual([false]);
  expect(screen.history.includes("line 1")).toBe(false);
  while (screen.prompt !== "> ▏" || !screen.history.includes("line 1")) await read();
  await read();
  expect(looks).toEqual([false, true]);
  const lines = screen.history.filter((row) => row.startsWith("line "));
  expect(lines).toEqual(lines.map((_, i) => `line ${i + 1}`));
  expect(screen.history).toContain(`-- ${count - lines.length} more lines came while nobody read this terminal`);
  // Nobody who stops when asked is among them.
  expect(asked).toBeGreaterThan(count - lines.length);
  terminal.close();
});
