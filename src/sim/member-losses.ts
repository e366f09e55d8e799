/**
 * The members that have lost what they had confirmed. Safety is promised while unrepaired losses hit fewer than half of
 * the voters, and liveness while a majority of every set of voters that may count is whole. Losses are kept by
 * incarnation, as votes are.
 */
import { durableJson, logLines } from "./files.ts";
import type { Machine } from "./machine.ts";
import { type SeenConfigurations, votersIn } from "./seen-configurations.ts";

/** Text that only lines which name voters contain. */
const VOTERS = '"role":"voter"';

export class Losses {
  readonly #machines: readonly Machine[];
  readonly #configurations: SeenConfigurations;
  /** Members as `id.incarnation`. */
  readonly #lost = new Set<string>();

  constructor(machines: readonly Machine[], configurations: SeenConfigurations) {
    this.#machines = machines;
    this.#configurations = configurations;
  }

  /** From now on a machine's files are damaged, put back or gone. */
  note(machine: Machine): void {
    this.#lost.add(memberOf(machine));
  }

  /** Whether one more machine may lose something. */
  allow(machine: Machine): boolean {
    this.#forgive();
    // Damage that no peer has read yet may hit a voter of a later configuration.
    if (this.#machines.some((m) => m !== machine && m.spoiledPaths.length > 0)) return false;
    const member = memberOf(machine);
    return this.#sets().every((voters) => {
      const others = voters.filter((v) => v !== member && this.#lost.has(v)).length;
      return !voters.includes(member) || (others + 1) * 2 < voters.length;
    });
  }

  /** Whether these machines, as they are, hold a majority of all voters that may count. */
  isMajority(machines: readonly Machine[]): boolean {
    this.#forgive();
    const whole = new Set(machines.map(memberOf).filter((m) => !this.#lost.has(m)));
    const sets = this.#sets();
    // Before anything is known to be committed, nobody is a majority of anything.
    return sets.length > 0 && sets.every((voters) => voters.filter((v) => whole.has(v)).length * 2 > voters.length);
  }

  isWhole(machine: Machine): boolean {
    this.#forgive();
    return !this.#lost.has(memberOf(machine));
  }

  /** It has lost something, so nobody can say what its disk holds. */
  hasLost(member: string): boolean {
    return this.#lost.has(member);
  }

  /** The voters of the settled configuration, and of later ones that are in some log. */
  #sets(): (readonly string[])[] {
    const { settled, voterSets } = this.#configurations;
    const proposed = this.#machines.flatMap((machine) =>
      [...logLines(machine, settled, VOTERS).values()]
        .map((line) => votersIn(line))
        .filter((voters) => voters !== null),
    );
    return [...voterSets, ...proposed];
  }

  /** A repaired peer counts again: it runs, follows a leader, and its files have no damage, known or unknown. */
  #forgive(): void {
    for (const machine of this.#machines) {
      const status = machine.running?.host.status();
      if (status === undefined || status.leader_id === null || status.role === "observer") continue;
      if (machine.disk.paths().includes("repair.json") || machine.spoiledPaths.length > 0) continue;
      if (machine.time.now >= machine.suspectUntil) this.#lost.delete(memberOf(machine));
    }
  }
}

/** `id.incarnation` of a machine's directory; `id.none` if it is empty. */
export function memberOf(machine: Machine): string {
  const identity = identityOf(machine);
  return identity === null ? `${machine.id}.none` : `${identity.id}.${identity.inc}`;
}

/** The same with the boot number, for the process that runs there or ran there last. */
export function processOf(machine: Machine): string {
  return `${memberOf(machine)}.${identityOf(machine)?.boot}`;
}

function identityOf(machine: Machine): { id: number; inc: string; boot: number } | null {
  return durableJson(machine, "identity.json") as { id: number; inc: string; boot: number } | null;
}
