/** What a simulated machine's directory holds, read from outside: as text, sharing no code with who wrote it. */
import type { Machine } from "./machine.ts";

export function logPaths(machine: Machine): string[] {
  return machine.disk.paths().filter((path) => /^log\/[0-9]{20}\.jsonl$/.test(path));
}

/** Through the last one that a process there has committed, or noted. */
export function committedLines(machine: Machine): Map<number, string> {
  const noted = durableJson(machine, "progress.json") as { commit: number; durable: number } | null;
  const last = noted === null ? 0 : Math.min(noted.commit, noted.durable);
  return logLines(machine, machine.running?.host.status().commit_index ?? last);
}

/** index → line of a machine's log, without what is spoiled. */
export function logLines(machine: Machine, through: number): Map<number, string> {
  const decoder = new TextDecoder();
  const lines = new Map<number, string>();
  for (const path of logPaths(machine)) {
    if (machine.isSpoiled(path)) continue;
    const first = firstIndex(path);
    const complete = decoder.decode(machine.disk.contents(path)).split("\n").slice(0, -1);
    for (const [i, line] of complete.entries()) if (first + i <= through) lines.set(first + i, line);
  }
  return lines;
}

/** Committed lines behind an index. */
export function linesAfter(machine: Machine, index: number, through: number): string[] {
  if (through <= index) return [];
  return [...committedLines(machine)].filter(([at]) => at > index && at <= through).map(([, line]) => line);
}

/** What a small state file says for certain. */
export function durableJson(machine: Machine, path: string): unknown {
  const text = new TextDecoder().decode(machine.disk.durableContents(path));
  return text === "" ? null : JSON.parse(text.slice(0, text.lastIndexOf(" ")));
}

/** Index of the first entry of a segment, by its name. */
export function firstIndex(path: string): number {
  return Number(path.slice(4, 24));
}
