/**
 * chatpeer as a library: a replicated, totally ordered log inside your own process.
 *
 * Every peer that is created with the same cluster delivers the same messages in the same order; what was reported as
 * sent is durable on a majority of the voters and is never lost.
 */
import type { ChatPeer, CreatePeerOptions } from "./chat-peer.ts";
import { checkTimings, DEFAULT_TIMINGS, PEER_ID_MAX } from "./core/config.ts";
import { EmbeddedPeer } from "./embedded-peer.ts";
import { PeerError } from "./peer-error.ts";

export type {
  ChatPeer,
  CreatePeerOptions,
  HistoryOptions,
  MessageStream,
  ReadOptions,
  Sent,
  Submission,
} from "./chat-peer.ts";
export type { Timings } from "./core/config.ts";
export type { PeerInfo } from "./core/message.ts";
export type { Confirmations, RoomStatus, WhoRow } from "./core/reports.ts";
export type { DeliveredMessage, HostEvent, LogRecord, MemberStatus, Status } from "./host/events.ts";
export { PeerError, type PeerErrorCode } from "./peer-error.ts";

/** Starts a peer. Resolves when it listens; rejects with PeerError "bad-option" or "start". */
export async function createPeer(options: CreatePeerOptions): Promise<ChatPeer> {
  const timings = { ...DEFAULT_TIMINGS, ...options.timings };
  const wrong = refuseOptions(options) ?? checkTimings(timings);
  if (wrong !== null) throw new PeerError("bad-option", wrong);
  const peer = new EmbeddedPeer(options, timings);
  await peer.started;
  return peer;
}

function refuseOptions({ id, port, dataDir, name }: CreatePeerOptions): string | null {
  if (!Number.isInteger(id) || id < 1 || id > PEER_ID_MAX)
    return `id must be a whole number from 1 to ${PEER_ID_MAX}, not ${id}`;
  if (port !== undefined && (!Number.isInteger(port) || port < 0 || port > 65_535))
    return `port must be a whole number from 0 to 65535, not ${port}`;
  if (dataDir === "") return "dataDir must name a directory";
  if (name === "") return "name must not be empty";
  return null;
}
