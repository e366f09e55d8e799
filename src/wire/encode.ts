/** Frames as bytes [W1]. Entry lines are referred to, not copied: neighbours in memory go out as one piece. */
import type { CatchupResp, Entry, Frame } from "../core/message.ts";
import { encodeWithDrafts } from "./drafts.ts";
import { encodeUtf8 } from "./text.ts";

export function encodeFrame(frame: Frame): Uint8Array[] {
  if (frame.type === "CHAT") {
    const { messages, ...head } = frame;
    return [encodeWithDrafts(head, messages, "\n")];
  }
  if (frame.type !== "SEQ_CHAT" && frame.type !== "CATCHUP_RESP") return [encodeUtf8(`${JSON.stringify(frame)}\n`)];
  const lines = entryLines(frame.entries);
  const { entries, ...header } = frame;
  return [encodeHeader(header, entries.length, total(lines)), ...lines];
}

/** A CATCHUP_RESP whose lines come from disk as they are. */
export function encodeRawEntries(
  header: Omit<CatchupResp, "entries">,
  lines: readonly Uint8Array[],
  count: number,
): Uint8Array[] {
  return [encodeHeader(header, count, total(lines)), ...lines];
}

function encodeHeader(header: object, count: number, bytes: number): Uint8Array {
  return encodeUtf8(`${JSON.stringify({ ...header, count, bytes })}\n`);
}

/** The lines of entries, in as few pieces as their memory allows. */
export function entryLines(entries: readonly Entry[]): Uint8Array[] {
  const pieces: Uint8Array[] = [];
  for (let i = 0; i < entries.length; ) {
    const first = entries[i] as Entry;
    let end = first.end;
    for (i += 1; i < entries.length; i++) {
      const next = entries[i] as Entry;
      if (next.chunk !== first.chunk || next.start !== end) break;
      end = next.end;
    }
    pieces.push(first.chunk.subarray(first.start, end));
  }
  return pieces;
}

function total(pieces: readonly Uint8Array[]): number {
  return pieces.reduce((sum, piece) => sum + piece.length, 0);
}
