/** A process with the chat's terminal and nothing behind it: says what is typed, and dies in the ways that it is told. */
import { systemClock } from "../../../src/adapters/clock.ts";
import { standardStream } from "../../../src/adapters/standard-stream.ts";
import { endOnCrash } from "../../../src/cli/process/crash.ts";
import { ONE_FRAME, Output } from "../../../src/cli/process/output.ts";
import { paintFor } from "../../../src/cli/screen/paint.ts";
import { Terminal } from "../../../src/cli/screen/terminal.ts";

const deaths: Record<string, () => void> = {
  throw: () =>
    void setImmediate(() => {
      throw new Error("a bug");
    }),
  reject: () => void Promise.reject(new Error("a bug")),
  exit: () => process.exit(3),
};

const stdout = standardStream(1);
endOnCrash(standardStream(2));
const terminal: Terminal = new Terminal(
  { input: process.stdin, output: stdout, out: new Output(stdout, ONE_FRAME), clock: systemClock },
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
