/** A process with the chat's terminal and nothing behind it: says what is typed, and dies in the ways that it is told. */
import { systemClock } from "../../src/adapters/clock.ts";
import { Output } from "../../src/cli/output.ts";
import { paintFor } from "../../src/cli/paint.ts";
import { Terminal } from "../../src/cli/terminal.ts";

const deaths: Record<string, () => void> = {
  throw: () =>
    void setImmediate(() => {
      throw new Error("a bug");
    }),
  reject: () => void Promise.reject(new Error("a bug")),
  exit: () => process.exit(3),
};

const terminal: Terminal = new Terminal(
  { input: process.stdin, output: process.stdout, out: new Output(process.stdout), clock: systemClock },
  {
    bottom: () => ({ above: [], status: [{ text: "driver" }], prompt: "> " }),
    complete: () => null,
    line: (text) => {
      terminal.print([`said ${JSON.stringify(text)}`]);
      deaths[text]?.();
      return text !== "refused";
    },
    gone: () => process.exit(0),
    drawn: () => {},
    attend: () => {},
  },
  paintFor({}),
);
