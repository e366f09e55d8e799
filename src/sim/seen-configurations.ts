/** The configurations in committed lines of the log, as the world has seen them: which members vote. */

interface Configuration {
  readonly index: number;
  /** As `id.incarnation`. */
  readonly voters: readonly string[];
  readonly members: readonly string[];
}

export class SeenConfigurations {
  readonly #all: Configuration[] = [];
  #settled = 1;

  /** Index of the newest configuration that was seen settled, and so counts alone. */
  get settled(): number {
    return this.#settled;
  }

  /** Voters by the configuration that was seen settled, and by those seen committed since. */
  get voterSets(): (readonly string[])[] {
    return this.#all.filter((c) => c.index >= this.#settled).map((c) => c.voters);
  }

  /** Whether another incarnation of the same id is a member, as far as any committed line has told [M6]. */
  isReplacing(member: string): boolean {
    const members = this.#all.at(-1)?.members ?? [];
    return !members.includes(member) && members.some((other) => other.split(".")[0] === member.split(".")[0]);
  }

  /** A committed line of the log, for the configurations in it. */
  committedLine(line: string): void {
    if (line.includes('"kind":"settled"')) {
      const { payload } = JSON.parse(line) as { payload: { config_index: number } };
      this.#settled = Math.max(this.#settled, payload.config_index);
    }
    const all = membersIn(line);
    if (all === null) return;
    const { index } = JSON.parse(line) as { index: number };
    if (this.#all.some((c) => c.index === index)) return;
    const staying = all.filter((m) => m.role !== "left");
    this.#all.push({ index, voters: votersOf(all), members: staying.map(nameOf) });
    this.#all.sort((a, b) => a.index - b.index);
  }

  /** The voters by the newest configuration at or before an index; null where none was seen. */
  votersAt(index: number): readonly string[] | null {
    return this.#all.findLast((c) => c.index <= index)?.voters ?? null;
  }
}

/** The voters that a line of a log makes, or null. */
export function votersIn(line: string): string[] | null {
  const members = membersIn(line);
  return members === null ? null : votersOf(members);
}

interface Member {
  readonly id: number;
  readonly inc: string;
  readonly role: string;
}

function membersIn(line: string): Member[] | null {
  if (!line.includes('"kind":"config"') && !line.includes('"kind":"genesis"')) return null;
  return (JSON.parse(line) as { payload: { members: Member[] } }).payload.members;
}

function votersOf(members: readonly Member[]): string[] {
  return members.filter((m) => m.role === "voter").map(nameOf);
}

function nameOf({ id, inc }: Member): string {
  return `${id}.${inc}`;
}
