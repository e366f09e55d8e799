/** Last words for an error that nobody caught: an operating system's refusal in words, a fault of this program with its trace. */
import { PortError } from "../../host/contracts.ts";
import { visible } from "../screen/visible.ts";

/** Ends this process on such an error. */
export function endOnCrash(stderr: { writeNow(text: string): void }): void {
  for (const fault of ["uncaughtException", "unhandledRejection"])
    process.on(fault, (error: unknown) => {
      // Runs after the listener that puts the terminal in order at the exit.
      process.on("exit", () => stderr.writeNow(`${crashLines(error).join("\n")}\n`));
      process.exit(1);
    });
}

/** Lines for stderr. */
export function crashLines(error: unknown): string[] {
  if (error instanceof PortError) return [`chatpeer: ${visible(error.message)}`];
  if (isSystemError(error))
    return [`chatpeer: the operating system refused something that is needed: ${visible(error.message)}`];
  const trace = error instanceof Error ? (error.stack ?? error.message) : String(error);
  return [
    "chatpeer: a fault of this program ended it. What was shown as sent is safe. Please report it with these lines:",
    ...trace.split("\n").map(visible),
  ];
}

function isSystemError(error: unknown): error is Error {
  return error instanceof Error && typeof (error as { syscall?: unknown }).syscall === "string";
}
