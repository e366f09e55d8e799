/**
 * What a running peer tells those who use it. Field names are those of the documented `--json` interface, so that the
 * command line prints these objects as they are.
 */
import type { LogIndex, PeerId } from "../core/ids.ts";

export type HostEvent =
  | { readonly event: "started"; readonly id: PeerId; readonly host: string; readonly port: number }
  | {
      readonly event: "role";
      readonly role: "leader" | "follower" | "candidate" | "observer";
      readonly term: number;
      readonly leader_id: PeerId | null;
    }
  | DeliveredMessage
  | { readonly event: "pending"; readonly msg_id: string; readonly room_id: string; readonly payload: string }
  /** Another peer's message that waits for a majority: shown, not numbered; it comes again as a `message` [S7]. */
  | {
      readonly event: "unsent";
      readonly sender_id: PeerId;
      readonly msg_id: string;
      readonly room_id: string;
      readonly user: string;
      readonly payload: string;
      readonly ts: number;
    }
  | {
      readonly event: "sent";
      readonly msg_id: string;
      readonly index: LogIndex;
      readonly room_id: string;
      readonly seq_no: number;
    }
  | {
      readonly event: "member";
      readonly id: PeerId;
      readonly state: "joined" | "alive" | "unreachable" | "left";
      readonly role: "voter" | "observer" | "left";
    }
  | { readonly event: "notice" | "error"; readonly code: string; readonly message: string };

export interface DeliveredMessage {
  readonly event: "message";
  readonly index: LogIndex;
  readonly term: number;
  readonly room_id: string;
  readonly seq_no: number;
  readonly sender_id: PeerId;
  readonly msg_id: string;
  readonly user: string;
  readonly payload: string;
  readonly ts: number;
}

export interface Status {
  readonly event: "status";
  readonly id: PeerId;
  readonly role: "leader" | "follower" | "candidate" | "observer";
  readonly term: number;
  readonly leader_id: PeerId | null;
  /** A majority of the voters is connected, as far as this peer knows. */
  readonly quorum: boolean;
  readonly members: readonly MemberStatus[];
  readonly first_index: LogIndex;
  readonly last_index: LogIndex;
  readonly commit_index: LogIndex;
  /** Own messages not yet sent. */
  readonly pending: number;
}

export interface MemberStatus {
  readonly id: PeerId;
  readonly host: string;
  readonly port: number;
  readonly role: "voter" | "observer" | "left";
  readonly state: "alive" | "unreachable" | "left";
  /** Entries behind the leader's log; null where this peer does not know. */
  readonly lag: number | null;
}

/** One line of the operator's log. `debug` shows heartbeats, discovery and catch-up. */
export interface LogRecord {
  readonly level: LogLevel;
  readonly time: number;
  readonly peer: PeerId;
  readonly role: string;
  readonly term: number;
  /** The log index or seq_no the line speaks of, where it speaks of one. */
  readonly index?: number;
  readonly message: string;
}
export type LogLevel = "error" | "warn" | "info" | "debug";

/** Why a peer stopped. `code` is the process exit code the command line uses. */
export interface Stopped {
  readonly code: 0 | 1;
  readonly reason: string;
}
