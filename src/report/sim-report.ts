/**
 * A simulated run as data, handed from the simulator to the code that draws it. Times are virtual milliseconds since
 * the start of the run; lists are sorted by time.
 */

export interface SimReport {
  /** What the run is about, e.g. "crash of the sequencer in the middle of a broadcast". */
  readonly title: string;
  readonly seed: number;
  /** The lifelines, in order. */
  readonly peers: readonly number[];
  readonly endMs: number;
  readonly events: readonly ReportEvent[];
  readonly messages: readonly ReportMessage[];
  readonly verdict: ReportVerdict;
}

/** What the checkers say of the run. A step may begin with a time, as in `12345.6 peer 3 crashes`. */
export interface ReportVerdict {
  readonly result: "PASS" | "FAIL" | "UNKNOWN";
  readonly invariant: string;
  readonly message: string;
  readonly atMs: number;
  readonly steps: readonly string[];
}

/** One frame on its way. */
export interface ReportMessage {
  readonly sentMs: number;
  /** null: lost, or still on its way when the run ended. */
  readonly arrivedMs: number | null;
  readonly from: number;
  readonly to: number;
  /** The frame's type: HEARTBEAT, SEQ_CHAT, … */
  readonly frame: string;
  /** 0: unknown. */
  readonly term: number;
  /** The key fields, in words. */
  readonly note: string;
}

export type ReportEventKind =
  | "start"
  | "crash"
  | "stop"
  | "pause"
  | "resume"
  | "role"
  | "commit"
  | "deliver"
  | "sent"
  | "submit"
  | "cut"
  | "heal"
  | "fault"
  | "notice";

export interface ReportEvent {
  readonly atMs: number;
  /** 0: the whole network. */
  readonly peer: number;
  readonly kind: ReportEventKind;
  /** 0: unknown. */
  readonly term: number;
  /** Of kind role: leader, follower, candidate or observer; else empty. */
  readonly role: string;
  /** Of commit and deliver: the log index; else 0. */
  readonly index: number;
  /** Of cut and heal: what is held back or flows again is peer → to. 0: everything of that peer. Else 0. */
  readonly to: number;
  readonly note: string;
}
