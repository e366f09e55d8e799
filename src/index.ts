/**
 * chatpeer as a library: a replicated, totally ordered log inside your own process.
 *
 * All peers of one cluster deliver the same messages in the same order. A message that was reported as sent is durable
 * on a majority of the voters, and is never lost.
 */
import { CREATE, checked } from "./arguments.ts";
import type { ChatPeer, CreatePeerOptions } from "./chat-peer.ts";
import { checkTimings } from "./core/config.ts";
import { EmbeddedPeer } from "./embedded-peer.ts";
import { PeerError } from "./peer-error.ts";

export type {
  Access,
  ChatPeer,
  CreatePeerOptions,
  HistoryOptions,
  Invited,
  InviteOptions,
  MessageStream,
  ReadOptions,
  Sent,
  Submission,
  SubmitOptions,
} from "./chat-peer.ts";
export type { AccessInvitation, AccessMember, AccessUser } from "./core/access-reports.ts";
export { DEFAULT_TIMINGS, type Timings } from "./core/config.ts";
export type { PeerInfo, Rights } from "./core/log-entry.ts";
export type { Confirmations, RoomStatus, WhoRow } from "./core/reports.ts";
export type { DeliveredMessage, HostEvent, LogRecord, MemberStatus, Status } from "./host/events.ts";
export { PeerError, type PeerErrorCode } from "./peer-error.ts";
export type { SignalOption, WaitOptions } from "./waits.ts";

/**
 * Starts a peer. Resolves when it listens, or, with an invitation, when it is a member. Rejects with PeerError "bad-option",
 * "start" or "aborted", or with why the cluster does not let it in ("invite-used", "stranger", …). It may take 10 s where
 * the directory's last process died on another machine or in another container.
 */
export async function createPeer(options: CreatePeerOptions): Promise<ChatPeer> {
  const settings = checked(CREATE, options, "the options of createPeer");
  const wrong = checkTimings(settings.timings);
  if (wrong !== null) throw new PeerError("bad-option", wrong);
  return EmbeddedPeer.start(settings);
}
