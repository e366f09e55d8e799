/** What a simulated machine's directory holds, read from outside: as text, sharing no code with who wrote it. */
import type { Machine } from "./machine.ts";

export function logPaths(machine: Machine): string[] {
  return machine.disk.paths().filter((path) => /^log\/[0-9]{20}\.jsonl$/.test(path));
}

/** Through the last one that a process there has committed, or noted. */
export function committedLines(machine: Machine, after = 0): Map<number, string> {
  const noted = durableJson(machine, "progress.json") as { commit: number; durable: number } | null;
  const last = noted === null ? 0 : Math.min(noted.commit, noted.durable);
  const commit = machine.running?.host.status().commit_index ?? last;
  return commit <= after ? new Map() : logLines(machine, after, commit);
}

/** index → line of a machine's log behind `after`, without what is spoiled. */
export function logLines(machine: Machine, after: number, through = Number.POSITIVE_INFINITY): Map<number, string> {
  const decoder = new TextDecoder();
  const lines = new Map<number, string>();
  const paths = logPaths(machine);
  for (const [s, path] of paths.entries()) {
    const next = paths[s + 1];
    const first = firstIndex(path);
    if (first > through || (next !== undefined && firstIndex(next) <= after + 1) || machine.isSpoiled(path)) continue;
    const complete = decoder.decode(machine.disk.contents(path)).split("\n").slice(0, -1);
    for (const [i, line] of complete.entries())
      if (first + i > after && first + i <= through) lines.set(first + i, line);
  }
  return lines;
}

/** What a small state file says for certain. */
export function durableJson(machine: Machine, path: string): unknown {
  const text = new TextDecoder().decode(machine.disk.durableContents(path));
  try {
    return text === "" ? null : JSON.parse(text.slice(0, text.lastIndexOf(" ")));
  } catch {
    return null; // torn: it says nothing for certain
  }
}

/** Index of the first entry of a segment, by its name. */
export function firstIndex(path: string): number {
  return Number(path.slice(4, 24));
}
