/** Log entries of chat messages as the product makes them, for the small benchmarks. */
import type { Entry } from "../src/core/log-entry.ts";
import { LogMaker } from "../test/host/store/log-maker.ts";
import { textOf } from "./protocol.ts";

const SEGMENTS = { segment_entries: 65_536, segment_bytes: 16 * 1024 * 1024 };
const TEXT_BYTES = 100;

/** A genesis, and `messages` chats of a hundred bytes behind it. */
export function chatLog(messages: number): { readonly genesis: Entry; readonly chats: readonly Entry[] } {
  const maker = new LogMaker(SEGMENTS);
  const genesis = maker.genesis();
  return { genesis, chats: Array.from({ length: messages }, (_, i) => maker.chat(textOf(i + 1, TEXT_BYTES))) };
}

/** Their lines, one behind the other. */
export function bytesOf(entries: readonly Entry[]): Uint8Array {
  return Buffer.concat(entries.map(({ chunk, start, end }) => chunk.subarray(start, end)));
}
