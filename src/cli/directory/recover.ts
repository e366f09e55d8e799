/** `chatpeer recover DIR`: a majority of the voters is lost for good, and one survivor goes on [M9]. */
import { systemClock } from "../../adapters/clock.ts";
import { standardStream } from "../../adapters/standard-stream.ts";
import { TERMS_LEFT_WARNED } from "../../core/config.ts";
import type { Clock, Disk } from "../../host/contracts.ts";
import { DAMAGED_DIRECTORY } from "../../host/store/damaged.ts";
import { inspectSurvivor, type Recovery, recoverByForce, type Survivor } from "../../host/store/forced.ts";
import { Outwait } from "../../host/store/holding.ts";
import { LOG_DIRECTORY } from "../../host/store/segments.ts";
import { HostError, lockDirectory, lockFailure } from "../../host/store/unusable.ts";
import { TAKE_LOCK } from "../chat/chat-options.ts";
import type { Output } from "../process/output.ts";
import { NO_PROGRESS, type Progress, progressOn } from "../process/progress-line.ts";
import { visible } from "../screen/visible.ts";
import type { Command } from "../usage/command.ts";
import { UsageError } from "../usage/flag-values.ts";
import { openData } from "./read-directory.ts";
import { Reading } from "./reading.ts";

export const RECOVER: Command = {
  name: "recover",
  words: "DIR",
  completes: "directory",
  purpose: "go on alone with this directory's log after a majority of the voters is lost for good",
  flags: [
    { name: "force", value: null, what: "Do it. Without this flag, only say what would be done and what may be lost" },
    TAKE_LOCK,
  ],
  examples: [
    { command: "chatpeer recover data/peer1", what: "Ask each survivor what it holds; nothing is changed" },
    {
      command: "chatpeer recover data/peer1 --force",
      what: "On the one with the highest last term, then the longest log",
    },
  ],
  exits: { 0: "done, or could be", 1: "it cannot be done: stderr says why" },
  run: async ({ words, settings, out, err }) =>
    recover(
      words,
      { force: settings.on("force"), takesLock: settings.on(TAKE_LOCK.name) },
      systemClock,
      out,
      err,
      await progressOn(standardStream(2)),
    ),
};

/** Runs of entries that are named. */
const RUNS_SHOWN = 8;

/** Of the log: what the survivor holds is found out, and then its history is written. */
const FORCED_READS = 2;

interface Wanted {
  readonly force: boolean;
  /** The process that has the directory counts as dead, where this one cannot see whether it lives. */
  readonly takesLock: boolean;
}

/** Exit code 0 if it is done, or could be. */
export async function recover(
  words: readonly string[],
  { force, takesLock }: Wanted,
  clock: Clock,
  out: Output,
  err: Output,
  progress: Progress = NO_PROGRESS,
): Promise<number> {
  const [directory, ...more] = words;
  if (directory === undefined || more.length > 0)
    throw new UsageError("recover needs one data directory: chatpeer recover DIR");
  const disk = openData(directory);
  try {
    await outwait(disk, clock, takesLock, err);
    const read = new Reading(progress).of(disk, LOG_DIRECTORY, force ? FORCED_READS : 1);
    const lines = force
      ? recovered(recoverByForce(read, clock), disk, directory)
      : plan(inspectSurvivor(read, clock), directory);
    progress.end();
    for (const line of lines) out.line(visible(line));
    return 0;
  } catch (error) {
    progress.end();
    if (!(error instanceof HostError)) throw error;
    err.line(visible(`chatpeer: ${directory}: ${error.message}`));
    return 1;
  }
}

/** Waits until the directory is free; a holder that cannot be seen is outwaited. Throws HostError. */
async function outwait(disk: Disk, clock: Clock, takesLock: boolean, err: Output): Promise<void> {
  const holder = lockDirectory(disk);
  if (holder !== null)
    await new Promise<void>((taken, refused) => {
      new Outwait(disk, clock, holder, takesLock, {
        waiting: (message) => err.line(visible(`chatpeer: ${message}`)),
        taken,
        refused: (error) => refused(new HostError(lockFailure(error))),
      });
    });
  disk.unlock();
}

const NEEDLESS = "it is the only voter of its cluster and its log is whole: there is nothing to recover, just start it";

/** What would be done, and what that means. */
function plan(survivor: Survivor, directory: string): string[] {
  const { id, clusterId, members, voters, tail, commit, damage, needless, begun, termsLeft } = survivor;
  if (needless) return [`${directory}: peer ${id} of cluster ${clusterId}: ${NEEDLESS}`];
  const others = members.filter((m) => m.id !== id && m.role !== "left");
  const unsure = tail.index - commit;
  return [
    `${directory}: peer ${id} of cluster ${clusterId}`,
    `  voters    ${voters.map((v) => (v === id ? `${v} (this directory)` : v)).join(", ")}`,
    ...others.map((m) => `  member    ${m.id}, ${m.role}, ${m.host}:${m.port}`),
    `  log       ${tail.index} entries, the last one of term ${tail.ballot.term}; ${commit} are known here to be committed`,
    ...(damage === null ? [] : [`  damaged   ${damage}`]),
    ...(termsLeft >= TERMS_LEFT_WARNED
      ? []
      : [`  terms     ${termsLeft} are left in its cluster; the new one has enough`]),
    ...farewell(survivor),
    "",
    `With --force, peer ${id} becomes the only voter of a new cluster with this log as its history:`,
    `  kept      entries 1 to ${tail.index} under their numbers${unsure > 0 ? `, the last ${unsure} too, which may never have been confirmed` : ""}`,
    ...losses(survivor).map((loss) => `  lost      ${loss}`),
    ...aside(survivor, `${directory}/${LOG_DIRECTORY}`),
    "  lost      what the other voters confirmed and this directory never received; how much that is, nobody can tell",
    "  others    join anew with empty data directories; a peer that still has its old one is refused",
    "",
    termsLeft < TERMS_LEFT_WARNED
      ? "Only do it when all of its peers are stopped and nothing is pending, or a majority of the voters is lost for good."
      : "Only do it if a majority of the voters is lost for good: if they are only away, start them again, and nothing is lost.",
    `Of several survivors take the one whose last entry has the highest term, and among those the longest log (here: term ${tail.ballot.term}, ${tail.index} entries).`,
    `${begun ? "It was begun before and not finished. To finish it:" : "Nothing has been changed. To do it:"} chatpeer recover ${directory} --force`,
  ];
}

/** A peer that left its cluster in good order has nothing of what was said afterwards. */
function farewell({ id, self, voters }: Survivor): string[] {
  if (self.role !== "left") return [];
  const stayed = voters.filter((v) => v !== id).join(", ");
  return [
    `  left      peer ${id} had left its cluster in good order, and ${stayed} went on: what was said since is not here. If they live, start it as usual and it joins again; if not, rather take the directory of one that stayed`,
  ];
}

/** What had been confirmed on this disk and is lost. */
function losses({ tail, confirmed, damage }: Survivor): string[] {
  const count = confirmed - tail.index;
  if (count > 0)
    return [
      `at least ${count} ${count === 1 ? "entry" : "entries"} that had been confirmed here (${tail.index + 1} to ${confirmed}); the next messages take these numbers`,
    ];
  return damage === null
    ? []
    : [`entries behind ${tail.index} that had been confirmed here; how many, its notes do not say`];
}

/** What is whole behind the history, and where it can be read. */
function aside({ rest }: Survivor, folder: string): string[] {
  if (rest.length === 0) return [];
  const runs = rest.map(({ from, through }) => `${from} to ${through}`);
  const more = runs.length > RUNS_SHOWN ? `, and ${runs.length - RUNS_SHOWN} more runs` : "";
  return [
    `  aside     entries ${runs.slice(0, RUNS_SHOWN).join(", ")}${more}: whole, but what is before them is lost. \`chatpeer log ${folder}\` prints them`,
  ];
}

function recovered(recovery: Recovery | null, disk: Disk, directory: string): string[] {
  if (recovery === null) return [`${directory}: ${NEEDLESS}`];
  const { before, clusterId, kept, notes } = recovery;
  const { id, self, tail, damage } = before;
  const hasAside = damage !== null && disk.list(DAMAGED_DIRECTORY).length > 0;
  const port = self.port === 6000 + id ? "" : ` --port ${self.port}`;
  return [
    `${directory}: peer ${id} is the only voter of the new cluster ${clusterId}; its history is that of cluster ${before.clusterId} through entry ${tail.index}`,
    ...farewell(before),
    ...losses(before).map((loss) => `  lost      ${loss}`),
    ...aside(before, `${directory}/${DAMAGED_DIRECTORY}`),
    ...(hasAside ? [`  kept      the damaged files, in ${directory}/${DAMAGED_DIRECTORY}/`] : []),
    `  kept      what was replaced, in ${directory}/${kept}`,
    ...notes.map((note) => `  note      ${note}`),
    `  start it  chatpeer --id ${id}${port} --data-dir ${directory}`,
    `  others    with empty data directories: chatpeer --id N --seed ${id}:${self.host}:${self.port}`,
  ];
}
