/** A start that must read much of the log, because the log is damaged or its checkpoints are gone, says how far it is. */
import type { Clock } from "./contracts.ts";
import type { HostEvent } from "./events.ts";

/** Milliseconds between two notices, and before the first one. */
const TOLD_EVERY_MS = 3000;

/** Takes how many segments have been read, and how many there are to read. Nothing else of the process runs meanwhile. */
export function tellsReading(
  clock: Pick<Clock, "now">,
  event: (event: HostEvent) => void,
): (segments: number, of: number) => void {
  let toldAt = clock.now();
  return (segments, of) => {
    if (clock.now() - toldAt < TOLD_EVERY_MS || segments === of) return;
    toldAt = clock.now();
    const message = `the log is read anew, because it is damaged or its checkpoints are missing: ${segments} of ${of} segments so far`;
    event({ event: "notice", code: "reading", message });
  };
}
