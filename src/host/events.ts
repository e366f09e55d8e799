/**
 * What a running peer tells those who use it. Field names are those of the documented `--json` interface, so that the
 * command line prints these objects as they are.
 */
import type { PeerId } from "../core/ids.ts";
import type { Twin } from "../core/message.ts";
import type { TrustCode } from "../core/refuse-codes.ts";
import type {
  DeliveredMessage,
  Notice,
  ReadNote,
  RoomStatus,
  SentMessage,
  Status,
  SystemNote,
  Unsent,
} from "../core/reports.ts";

export type { DeliveredMessage, MemberStatus, Status } from "../core/reports.ts";

export type HostEvent =
  | {
      readonly event: "started";
      readonly id: PeerId;
      readonly host: string;
      readonly port: number;
      /** null: it has not met the cluster that it joins yet. */
      readonly cluster_id: string | null;
      /** For a founder that is alone: milliseconds until it takes a message [M1]. */
      readonly founding_ms?: number;
    }
  | {
      readonly event: "role";
      readonly role: Status["role"];
      readonly term: number;
      readonly leader_id: PeerId | null;
    }
  | DeliveredMessage
  | {
      readonly event: "pending";
      readonly msg_id: string;
      readonly room_id: string;
      readonly payload: string;
      /** The id that it had until now, if another text got that id, or it can never be sent under it [S3] [S10]. */
      readonly was?: string;
    }
  | Unsent
  | SentMessage
  | SystemNote
  | ReadNote
  | {
      readonly event: "member";
      readonly id: PeerId;
      readonly state: "joined" | "alive" | "unreachable" | "left";
      readonly role: "voter" | "observer" | "left";
    }
  /** Two processes run on copies of one member's directory, this peer's or another's. Neither counts [E16]. */
  | { readonly event: "twins"; readonly id: PeerId; readonly at: readonly Twin[]; readonly message: string }
  /** A person here joined or left a room. */
  | ({ readonly event: "room" } & RoomStatus)
  | Notice;

/** One line of the operator's log. `debug` shows links, each step of elections, and catch-up. */
export interface LogRecord {
  readonly level: LogLevel;
  readonly time: number;
  readonly peer: PeerId;
  readonly role: string;
  readonly term: number;
  /** The log index or seq_no that the line is about, if there is one. */
  readonly index?: number;
  readonly message: string;
}
export type LogLevel = "error" | "warn" | "info" | "debug";

/** Code of the error that is a peer's last. */
export type Ending = "fatal" | "name-in-use" | TrustCode;

/** Why a peer stopped. `code` is the process exit code the command line uses. */
export interface Stopped {
  readonly code: 0 | 1;
  readonly reason: string;
}
