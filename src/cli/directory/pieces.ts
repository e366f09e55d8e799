/** Folders of segments that are no whole log, `DIR/damaged` above all: what `log` and `verify` find in them. */
import { statSync } from "node:fs";
import { join, resolve } from "node:path";
import { openDisk } from "../../adapters/disk.ts";
import { codeOf, fileError } from "../../adapters/system-errors.ts";
import type { LogIndex } from "../../core/ids.ts";
import type { Entry } from "../../core/log-entry.ts";
import type { Disk } from "../../host/contracts.ts";
import { holdsSegments, salvage } from "../../host/store/salvage.ts";
import type { Output } from "../process/output.ts";
import { counted } from "../screen/answer-rows.ts";
import { visible } from "../screen/visible.ts";

/** Throws PortError where this user may not look. */
export function isThere(path: string): boolean {
  try {
    statSync(path);
    return true;
  } catch (error) {
    if (codeOf(error) === "ENOENT" || codeOf(error) === "ENOTDIR") return false;
    throw fileError("look at", path, error);
  }
}

/** The folder, if it holds segments itself and is no data directory. Throws PortError. */
export function piecesIn(directory: string): Disk | null {
  if (!isThere(directory) || isThere(join(directory, "log"))) return null;
  const disk = openDisk(directory);
  return holdsSegments(disk, "") ? disk : null;
}

/** The entries that can be read; `wrong` is called for each thing that is missing or cannot. */
export function* entriesOf(disk: Disk, directory: string, wrong: (what: string) => void): Generator<Entry> {
  for (const found of salvage(disk, "", `${resolve(directory)}/`)) {
    if ("entry" in found) yield found.entry;
    else if ("wrong" in found) wrong(found.wrong);
    else wrong(`entries ${found.missing.from} to ${found.missing.through} are not here`);
  }
}

/** Says which runs of entries are whole. Returns the exit code: 1 where anything is missing or damaged. */
export function verifyPieces(disk: Disk, directory: string, out: Output, err: Output): number {
  const runs: { from: LogIndex; through: LogIndex }[] = [];
  let code = 0;
  const wrong = (what: string) => {
    code = 1;
    err.line(visible(`chatpeer: ${what}`));
  };
  for (const { index } of entriesOf(disk, directory, wrong)) {
    const run = runs.at(-1);
    if (run !== undefined && run.through === index - 1) run.through = index;
    else runs.push({ from: index, through: index });
  }
  for (const { from, through } of runs)
    out.line(
      visible(`${directory}: ${counted(through - from + 1, "entry", "entries")}, ${from} to ${through}, in one chain`),
    );
  return code;
}
