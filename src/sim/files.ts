/** Reads the directory of a simulated machine from outside: as text, without the code that has written it. */
import { chainCrc, crc32c } from "../wire/crc32c.ts";
import type { Inode } from "./inode.ts";
import type { Machine } from "./machine.ts";
import type { Promised } from "./seen-ballots.ts";

const DECODER = new TextDecoder();
const ENCODER = new TextEncoder();
const SLOT_BYTES = 4096;

export function logPaths(machine: Machine): string[] {
  return machine.disk.paths().filter((path) => /^log\/[0-9]{20}\.jsonl$/.test(path));
}

/** Lines through the last entry that a process there has committed, or noted as committed. */
export function committedLines(machine: Machine, after = 0): Map<number, string> {
  const commit = machine.running?.host.commit ?? notedCommit(machine);
  return commit <= after ? new Map() : logLines(machine, after, "", commit);
}

function notedCommit(machine: Machine): number {
  const noted = durableJson(machine, "progress.json") as { commit: number; durable: number } | null;
  return noted === null ? 0 : Math.min(noted.commit, noted.durable);
}

/** index → line of a machine's log behind `after`, without damaged files; only of segments that contain `part`. */
export function logLines(
  machine: Machine,
  after: number,
  part = "",
  through = Number.POSITIVE_INFINITY,
): Map<number, string> {
  const lines = new Map<number, string>();
  const paths = logPaths(machine);
  for (const [s, path] of paths.entries()) {
    const next = paths[s + 1];
    const first = firstIndex(path);
    if (first > through || (next !== undefined && firstIndex(next) <= after + 1) || machine.isSpoiled(path)) continue;
    const text = DECODER.decode(machine.disk.contents(path));
    if (!text.includes(part)) continue;
    const complete = text.split("\n").slice(0, -1);
    for (const [i, line] of complete.entries())
      if (first + i > after && first + i <= through) lines.set(first + i, line);
  }
  return lines;
}

/**
 * A segment in which the last message (not on the first line) has another text, and all crcs from there on fit [L3].
 */
export function rewritten(segment: Uint8Array, payload: string): Uint8Array {
  const lines = DECODER.decode(segment).split("\n").slice(0, -1);
  const at = lines.findLastIndex((line, i) => i > 0 && line.includes('"kind":"chat"'));
  for (let i = at; i > 0 && i < lines.length; i++) {
    const { crc: _, ...entry } = JSON.parse(lines[i] as string) as { crc: number };
    const said = JSON.stringify(i === at ? { ...entry, payload } : entry);
    const begun = `${said.slice(0, -1)},`;
    const { crc } = JSON.parse(lines[i - 1] as string) as { crc: number };
    const bytes = ENCODER.encode(begun);
    lines[i] = `${begun}"crc":${chainCrc(crc, bytes, 0, bytes.length)}}`;
  }
  return ENCODER.encode(lines.map((line) => `${line}\n`).join(""));
}

/** The durable content of a small state file. */
export function durableJson(machine: Machine, path: string): unknown {
  const text = DECODER.decode(machine.disk.durableContents(path));
  try {
    return text === "" ? null : JSON.parse(text.slice(0, text.lastIndexOf(" ")));
  } catch {
    return null; // torn: it says nothing for certain
  }
}

/** The promises as last read from slots, which are looked at far more often than they change. */
const PROMISES = new WeakMap<Inode, { readonly version: number; readonly promised: Promised | null }>();

/** The promise that is on the disk for certain: the newer one of its two slots, of those that are whole. */
export function durablePromise(machine: Machine): Promised | null {
  const slots = machine.disk.durableFile("promise.slots");
  if (slots === undefined) return null;
  const version = slots.durableVersion;
  const known = PROMISES.get(slots);
  if (known?.version === version) return known.promised;
  const promised = promiseIn(slots.durableBytes());
  PROMISES.set(slots, { version, promised });
  return promised;
}

function promiseIn(bytes: Uint8Array): Promised | null {
  let newest: { readonly count: number; readonly content: Promised } | null = null;
  for (let at = 0; at < bytes.length; at += SLOT_BYTES) {
    const line = DECODER.decode(bytes.subarray(at, at + SLOT_BYTES)).split("\n")[0] as string;
    const end = line.lastIndexOf(" ");
    // An interrupted write may still be JSON, together with the end of the old content.
    if (end < 0 || Number(line.slice(end + 1)) !== crc32c(ENCODER.encode(line.slice(0, end)))) continue;
    const slot = JSON.parse(line.slice(0, end)) as { count: number; content: Promised };
    if (newest === null || slot.count > newest.count) newest = slot;
  }
  return newest?.content ?? null;
}

/** Index of the first entry of a segment, by its name. */
export function firstIndex(path: string): number {
  return Number(path.slice(4, 24));
}
