/**
 * Frames as bytes [W1]. Entry lines are not copied: neighbours in memory go out as one piece. Nothing is written that
 * the other side would refuse [W7]: each line is checked with the schema that reads it.
 */
import * as v from "valibot";
import { assert } from "../core/assert.ts";
import type { Attach, Redeem } from "../core/client-frames.ts";
import { FRAME_BYTES_MAX, GREETING_BYTES_MAX } from "../core/config.ts";
import type { Frame } from "../core/frame.ts";
import type { Entry } from "../core/log-entry.ts";
import type { CatchupResp, Hello } from "../core/message.ts";
import { commonVersion, OWN_VERSIONS, type SaidVersions, versionsOf } from "../core/versions.ts";
import { CHAT_HEAD, encodeWithDrafts } from "./drafts.ts";
import { FRAMES, type FrameType } from "./schemas.ts";
import { encodeUtf8 } from "./text.ts";

const GREETINGS: ReadonlySet<FrameType> = new Set<FrameType>(["HELLO", "ATTACH", "REDEEM", "REFUSE"]);

/** The first frame on a connection, from a side that speaks the versions named in it. */
export function encodeGreeting(greeting: Hello | Attach | Redeem): Uint8Array[] {
  return [encodeLine(greeting.type, greeting, versionsOf(greeting))];
}

export function encodeFrame(frame: Frame): Uint8Array[] {
  if (frame.type === "CHAT") {
    const { messages, ...head } = frame;
    assert(v.is(CHAT_HEAD, { ...head, messages: [] }), "a CHAT that is sent has a right head");
    return [bounded("CHAT", encodeWithDrafts(head, messages, "\n"))];
  }
  if (frame.type !== "SEQ_CHAT" && frame.type !== "CATCHUP_RESP") return [encodeLine(frame.type, frame)];
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

function encodeHeader(header: { readonly type: FrameType }, count: number, bytes: number): Uint8Array {
  return encodeLine(header.type, { ...header, count, bytes });
}

function encodeLine(type: FrameType, content: object, versions = OWN_VERSIONS): Uint8Array {
  const result = v.safeParse(FRAMES[type], content, { abortEarly: true });
  if (!result.success) {
    const [issue] = result.issues;
    assert(false, `a ${type} that nobody would take: ${v.getDotPath(issue) ?? "its shape"}: ${issue.message}`);
  }
  if ("version" in content) {
    const said = versionsOf(content as SaidVersions);
    const isSpoken = said.min <= said.max && commonVersion(versions, said) !== null;
    assert(isSpoken, `a ${type} names versions of the protocol that are spoken here`);
  }
  return bounded(type, encodeUtf8(`${JSON.stringify(content)}\n`));
}

/** Checks the length of a line, without its newline. */
function bounded(type: FrameType, line: Uint8Array): Uint8Array {
  const bytesMax = GREETINGS.has(type) ? GREETING_BYTES_MAX : FRAME_BYTES_MAX;
  assert(line.length - 1 <= bytesMax, `a ${type} is a line of at most ${bytesMax} bytes, not ${line.length - 1}`);
  return line;
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
