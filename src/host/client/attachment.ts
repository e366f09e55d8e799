/** One client as its peer knows it, and its reading of the log: a piece at a time, each when it asks for it [S9]. */
import type { Attach } from "../../core/client-frames.ts";
import { CATCHUP_BYTES_MAX, FRAME_ENTRIES_MAX } from "../../core/config.ts";
import { type ClientId, type LogIndex, sameBallot } from "../../core/ids.ts";
import type { Tail } from "../../core/log-entry.ts";
import type { LogView } from "../../core/log-view.ts";
import { encodeFrame, encodeRawEntries } from "../../wire/encode.ts";
import type { Timer } from "../contracts.ts";
import { refusal } from "../net/refusal.ts";
import type { Asker } from "../own-person.ts";
import { byteLength } from "../store/bytes.ts";
import type { Allowance } from "./allowances.ts";
import type { ClientLink } from "./client-link.ts";
import type { Pace } from "./client-pace.ts";
import type { ClientsHost } from "./clients-host.ts";
import type { Grant } from "./grants.ts";

export interface Attachment {
  readonly id: ClientId;
  readonly link: ClientLink;
  readonly attach: Attach;
  readonly grant: Grant;
  /** Null: it may do as much as it likes. */
  readonly allowance: Allowance | null;
  readonly pace: Pace | null;
  /** Until it may read on. */
  reads: Timer | null;
  /** Its present name, "" for a visitor. */
  name: string;
  /** Round trip in milliseconds as last measured, null before. */
  roundTrip: number | null;
  /** Last index of the log that was sent to it. */
  sentThrough: LogIndex;
  /** Its name is known to be nobody else's here [P6]. */
  isFree: boolean;
  /** This peer's log reaches beyond what the client has seen, and the client was told so. */
  served: boolean;
  patience: Timer | null;
  /** The end of what the client has read, while it waits for more; else null. */
  waitsAt: Tail | null;
  readonly asker: Asker;
  /** Questions not answered yet. */
  asked: number;
}

/**
 * Sends the next of the log to a client that waits for it, if there is more than it has read: as many frames as its
 * connection carries soon, each small enough for the line [R10]. It asks anew behind the last one.
 */
export function sendMore(host: Pick<ClientsHost, "clock" | "peer" | "past">, attachment: Attachment): void {
  const peer = host.peer();
  const { waitsAt, link, allowance } = attachment;
  if (peer === null || waitsAt === null || attachment.reads !== null || peer.log.commit <= waitsAt.index) return;
  const wait = allowance?.reading.wait(1, host.clock.now()) ?? 0;
  if (wait > 0) {
    attachment.reads = host.clock.after(wait, () => {
      attachment.reads = null;
      sendMore(host, attachment);
    });
    return;
  }
  if (!sameBallot(peer.log.state.ballotAt(waitsAt.index), waitsAt.ballot))
    return link.refuse(refusal("wrong-cluster", "what you have read so far is not this cluster's history"));
  attachment.waitsAt = null;
  sendFrom(host, peer.log, attachment, waitsAt, Math.min(link.window.answer, CATCHUP_BYTES_MAX));
}

/** `left`: bytes of this answer. */
function sendFrom(
  host: Pick<ClientsHost, "clock" | "past">,
  log: LogView,
  attachment: Attachment,
  from: Tail,
  left: number,
): void {
  const { link, allowance } = attachment;
  const { commit } = log;
  const bytesMax = Math.min(link.window.frame, left);
  const header = {
    type: "CATCHUP_RESP" as const,
    ballot: null,
    prev_index: from.index,
    prev_ballot: from.ballot,
    commit,
    hint: null,
  };
  const send = (pieces: readonly Uint8Array[]) => {
    allowance?.reading.take(byteLength(pieces), host.clock.now());
    link.write(pieces, true);
  };
  const goOn = (count: number, bytes: number): boolean => {
    attachment.sentThrough = from.index + count;
    return attachment.sentThrough < commit && bytes < left;
  };
  if (from.index + 1 >= log.first) {
    const entries = log.slice(from.index + 1, commit - from.index, bytesMax).slice(0, FRAME_ENTRIES_MAX);
    const bytes = entries.reduce((sum, { start, end }) => sum + end - start, 0);
    const more = goOn(entries.length, bytes);
    send(encodeFrame({ ...header, more, prev_crc: log.crcAt(from.index), entries }));
    if (more) sendFrom(host, log, attachment, log.tailAt(attachment.sentThrough), left - bytes);
    return;
  }
  host.past.lines(attachment, from.index, commit, bytesMax, ({ prevCrc, lines, count }) => {
    const bytes = byteLength(lines);
    const more = goOn(count, bytes);
    send(encodeRawEntries({ ...header, more, prev_crc: prevCrc }, lines, count));
    if (more) sendFrom(host, log, attachment, log.tailAt(attachment.sentThrough), left - bytes);
  });
}
