/**
 * The production core with its private fields open, for the search in `src/sim/explore`: a copy of src/core and
 * src/engines in which every `#name` reads `_name`, loaded from a temporary folder. On the way a rule can be broken on purpose: a search
 * that finds nothing proves something only if it finds what is there (DeMillo, Lipton & Sayward 1978: mutants).
 */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { Glob } from "bun";
import type { ModelName } from "../src/sim/explore.ts";
import type { OpenCore } from "../src/sim/explore-actors.ts";
import type { Bounds } from "../src/sim/explore-cluster.ts";

/** A rule broken: in this file, from src, these texts read otherwise. */
interface Break {
  readonly rule: string;
  readonly file: string;
  readonly edits: readonly (readonly [text: string, instead: string])[];
  /** Where the search finds that soon. */
  readonly model: ModelName;
  readonly bounds: Bounds;
}

/** By the number of the trap on the protocol's page, or by the rule where it is none of those. */
export const BREAKS = {
  1: {
    rule: "[E8] a candidate's quorum is judged by the configuration in the log it adopted, not by the one before",
    file: "engines/bully/preparation.ts",
    edits: [
      ["    this.#refused = new Set();\n", "    this.#refused = new Set();\n    this.#sets = node.voterSets;\n"],
      ["if (!hasQuorum(node.voterSets, (v) => this.#promises", "if (!hasQuorum(this.#sets, (v) => this.#promises"],
    ],
    model: "parted",
    bounds: { leave: 1, cut: 1, time: 1 },
  },
  3: {
    rule: "[M3] until a configuration is settled, every quorum is also needed of the voters before it",
    file: "core/quorum.ts",
    edits: [["logged.settled !== 0 ? [voters] : [voters, logged.configuration.prev_voters]", "[voters]"]],
    model: "membership",
    bounds: { leave: 1, late: 1, cut: 1 },
  },
  10: {
    rule: "[R3] only what is proven equal to the leader's log is acknowledged",
    file: "engines/bully/followership.ts",
    edits: [["const match = Math.min(node.log.durable, this.#acceptor.matched);", "const match = node.log.durable;"]],
    model: "election",
    bounds: { late: 1, restart: 1, connect: 1, say: 1 },
  },
  13: {
    rule: "[E7] a donor that was lost counts in no quorum",
    file: "engines/bully/preparation.ts",
    edits: [
      [
        "this.#promises.delete(memberName(who));\n",
        "this.#promises.set(memberName(who), { member: this.#node.self, tail: this.#node.log.tail });\n",
      ],
    ],
    model: "election",
    bounds: { late: 1, restart: 1, cut: 1, say: 1 },
  },
  E5: {
    rule: "[E5] a ballot ends with its process: a candidate that started again makes a fresh one",
    file: "engines/bully/preparation.ts",
    edits: [
      [
        "    this.#roles.raisePromise(ballot);\n",
        "    if (node.promised.leader_id !== node.self.id) return this.#roles.raisePromise(ballot);\n    this.#ballot = node.promised;\n    this.onPromiseDurable();\n",
      ],
    ],
    model: "election",
    bounds: { restart: 1, connect: 1, time: 2 },
  },
  E6: {
    rule: "[E6] a promise is on disk before it is sent",
    file: "engines/bully/preparation.ts",
    edits: [
      [
        "    this.#roles.raisePromise(frame.ballot);\n",
        '    this.#roles.raisePromise(frame.ballot);\n    node.send(from.link, { type: "PROMISE", ballot: frame.ballot, tail: node.log.tail });\n',
      ],
    ],
    model: "election",
    bounds: { restart: 1 },
  },
  R6: {
    rule: "[R6] nothing is delivered that is not proven equal to the leader's log",
    file: "engines/bully/followership.ts",
    edits: [
      ["else if (this.#histories.differ(from, frame.prev_index, frame.prev_crc)) return;\n    else this", "this"],
      ["acceptor.commitThrough(Math.min(commit, acceptor.matched));", "acceptor.commitThrough(commit);"],
    ],
    model: "election",
    bounds: { restart: 1, connect: 1, say: 1 },
  },
} as const satisfies Record<string, Break>;

export type Trap = keyof typeof BREAKS;

/** Loads a fresh copy of the core; with `trap`, one whose rule against that trap is broken. */
export async function openCore(trap: Trap | null = null): Promise<OpenCore> {
  const source = new URL("../src/", import.meta.url).pathname;
  const folder = mkdtempSync(join(tmpdir(), "chatpeer-core-"));
  try {
    for (const file of new Glob("{core,engines}/**/*.ts").scanSync(source)) {
      const text = readFileSync(source + file, "utf8");
      const broken = trap !== null && BREAKS[trap].file === file ? breakRule(text, BREAKS[trap]) : text;
      mkdirSync(dirname(join(folder, file)), { recursive: true });
      writeFileSync(join(folder, file), broken.replace(/#(?=[a-z])/gi, "_"));
    }
    const { Peer } = (await import(
      join(folder, "engines/bully/peer.ts")
    )) as typeof import("../src/engines/bully/peer.ts");
    const { LogState } = (await import(join(folder, "core/log-state.ts"))) as typeof import("../src/core/log-state.ts");
    return { Peer, LogState };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function breakRule(source: string, { rule, file, edits }: Break): string {
  return edits.reduce((broken, [text, instead]) => {
    if (broken.split(text).length === 2) return broken.replace(text, () => instead);
    throw new Error(`cannot break ${rule}: ${file} does not say this once: ${text}`);
  }, source);
}
