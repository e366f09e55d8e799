/** Runs made by hand, for the tests of their pictures. */
import type { ReportEvent, ReportMessage, SimReport } from "../../src/report/sim-report.ts";

export function event(
  atMs: number,
  peer: number,
  kind: ReportEvent["kind"],
  more: Partial<ReportEvent> = {},
): ReportEvent {
  return { atMs, peer, kind, term: 0, role: "", index: 0, to: 0, note: "", ...more };
}

export function message(sentMs: number, arrivedMs: number | null, frame: string, note = ""): ReportMessage {
  return { sentMs, arrivedMs, from: 1, to: 2, frame, term: 1, note };
}

export function report(more: Partial<SimReport> = {}): SimReport {
  return {
    ...{ title: "a run", seed: 42, peers: [1, 2, 3], endMs: 100, events: [], messages: [] },
    verdict: { result: "PASS", invariant: "I1", message: "fine", atMs: 100, steps: ["12.5 peer 1 crashes"] },
    ...more,
  };
}
