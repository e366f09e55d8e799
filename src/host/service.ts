/**
 * What a person, a script or a program can do with chatpeer, whether a peer runs in this process (`Host`) or a client
 * of a peer elsewhere (`ClientHost`). Events go to the `HostListener` that each is made with.
 */
import type { ErrorCode } from "../core/codes.ts";
import type { LogIndex, PeerId } from "../core/ids.ts";
import type { Question, Told } from "../core/reports.ts";
import type { Status } from "./events.ts";
import type { Rooms } from "./rooms.ts";

export type Submitted =
  | { readonly ok: true; readonly msg_id: string }
  | {
      readonly ok: false;
      readonly code: Extract<
        ErrorCode,
        "empty" | "too-large" | "not-utf8" | "bad-room" | "full" | "disk" | "closing" | "forbidden"
      >;
      readonly message: string;
    };

/** The questions of a person. To say something is `submit`, and only peers ask `here`. */
export type OwnQuestion = Exclude<Question, { readonly what: "say" | "here" }>;

export interface Service {
  /** Throws HostError if it cannot start; else `started` or `stopped` follows. */
  start(): void;
  /** Takes one text for a room: it is pending until `sent`. */
  submit(room: string, text: string): Submitted;
  readonly pending: number;
  status(): Status;
  /**
   * How far this peer's log is committed, and how far the others' logs are. Null where none of them has said so yet,
   * and for a client.
   */
  catchUp(): { readonly at: LogIndex; readonly of: LogIndex } | null;
  /** How far into the log messages have been told. */
  readonly delivered: LogIndex;
  /** `answer` is called once, now or later; never if this stops first. */
  ask(question: OwnQuestion, answer: (told: Told) => void): void;
  /** The rooms there are, those joined, and what is unread in them. */
  readonly rooms: Rooms;
  /**
   * A person was shown this room through that message. It is no longer unread, and is confirmed to others unless
   * receipts are off.
   */
  confirmRead(room: string, seqNo: number): void;
  transfer(to: PeerId): void;
  evict(id: PeerId): void;
  /** The plain cluster is to be a secured one. A client cannot say that. */
  secure?(): void;
  /**
   * The listener has dealt with everything through `index`. Where acknowledgements are waited for, the next process
   * goes on behind it.
   */
  acknowledge(index: LogIndex): void;
  /** For a reader that cannot keep up: messages wait in the log, not in memory. */
  pauseDelivery(): void;
  resumeDelivery(): void;
  /** Leaves in good order, then `stopped`. */
  quit(): void;
  stop(): void;
}
