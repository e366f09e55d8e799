/** One client as its peer knows it, and its reading of the log: a piece at a time, each when it asks for it [S9]. */
import type { Attach } from "../../core/client-frames.ts";
import { CATCHUP_BYTES_MAX, FRAME_ENTRIES_MAX } from "../../core/config.ts";
import { type ClientId, type LogIndex, sameBallot } from "../../core/ids.ts";
import type { Tail } from "../../core/log-entry.ts";
import { encodeFrame, encodeRawEntries } from "../../wire/encode.ts";
import type { Timer } from "../contracts.ts";
import { refusal } from "../net/channel.ts";
import type { Asker } from "../people.ts";
import { byteLength } from "../store/bytes.ts";
import type { Allowance } from "./allowances.ts";
import type { ClientLink } from "./client-link.ts";
import type { ClientsHost } from "./clients-host.ts";
import type { Grant } from "./grants.ts";
import type { Pace } from "./pace.ts";

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

/** Sends the next piece to a client that waits for one, if there is more of the log than it has read. */
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
  const { log } = peer;
  if (!sameBallot(log.state.ballotAt(waitsAt.index), waitsAt.ballot))
    return link.refuse(refusal("wrong-cluster", "what you have read so far is not this cluster's history"));
  attachment.waitsAt = null;
  const send = (pieces: readonly Uint8Array[]) => {
    allowance?.reading.take(byteLength(pieces), host.clock.now());
    link.write(pieces, true);
  };
  const header = {
    type: "CATCHUP_RESP" as const,
    ballot: null,
    prev_index: waitsAt.index,
    prev_ballot: waitsAt.ballot,
    commit: log.commit,
    hint: null,
    more: false,
  };
  if (waitsAt.index + 1 >= log.first) {
    const entries = log
      .slice(waitsAt.index + 1, log.commit - waitsAt.index, CATCHUP_BYTES_MAX)
      .slice(0, FRAME_ENTRIES_MAX);
    attachment.sentThrough = waitsAt.index + entries.length;
    return send(encodeFrame({ ...header, prev_crc: log.crcAt(waitsAt.index), entries }));
  }
  host.past.lines(attachment, waitsAt.index, log.commit, ({ prevCrc, lines, count }) => {
    attachment.sentThrough = waitsAt.index + count;
    send(encodeRawEntries({ ...header, prev_crc: prevCrc }, lines, count));
  });
}
