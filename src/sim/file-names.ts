/**
 * The names of files on a virtual disk: as processes see them, as a power cut would leave them, and the changes between
 * the two.
 */
import type { Inode } from "./inode.ts";

/** One change to the names of a directory, in the order made: path → file, or null where the name is gone. */
interface NameChange {
  readonly order: number;
  readonly directory: string;
  readonly effects: readonly (readonly [path: string, file: Inode | null])[];
}

export class FileNames {
  #seen = new Map<string, Inode>();
  readonly #durable = new Map<string, Inode>();
  #changes: NameChange[] = [];
  /** Number of changes so far. */
  #order = 0;

  /** The file that processes see under this name. */
  get(path: string): Inode | undefined {
    return this.#seen.get(path);
  }

  /** The file that a power cut would leave under this name. */
  durable(path: string): Inode | undefined {
    return this.#durable.get(path);
  }

  paths(): Iterable<string> {
    return this.#seen.keys();
  }

  /** Each file once, whatever its names. */
  files(): Set<Inode> {
    return new Set(this.#seen.values());
  }

  durableFiles(): Set<Inode> {
    return new Set(this.#durable.values());
  }

  /** Number of the last change. */
  get order(): number {
    return this.#order;
  }

  /** Changes names at once; durable when the directory of the last one is synced. */
  change(effects: NameChange["effects"]): void {
    for (const [path, file] of effects) {
      if (file === null) this.#seen.delete(path);
      else this.#seen.set(path, file);
    }
    const last = effects[effects.length - 1] as NameChange["effects"][number];
    this.#changes.push({ order: ++this.#order, directory: directoryOf(last[0]), effects });
  }

  /** Gives a name that is durable at once. */
  put(path: string, file: Inode): void {
    this.#seen.set(path, file);
    this.#durable.set(path, file);
  }

  /** Removes a name for good at once. */
  drop(path: string): void {
    this.#seen.delete(path);
    this.#durable.delete(path);
  }

  /** A sync of a directory covered its changes through `through`; a failed one makes none of them durable. */
  synced(directory: string, through: number, failed: boolean): void {
    const covered = this.#changes.filter((c) => c.directory === directory && c.order <= through);
    this.#changes = this.#changes.filter((c) => !covered.includes(c));
    if (!failed) for (const change of covered) this.#settle(change);
  }

  /**
   * A power cut. Journaling file systems keep the order of changes to names, POSIX does not ask for it: mostly a prefix
   * survives, sometimes an arbitrary part.
   */
  crash(random: () => number): void {
    const ordered = random() < 0.5;
    const kept = Math.floor(random() * (this.#changes.length + 1));
    this.#changes.forEach((change, i) => {
      if (ordered ? i < kept : random() < 0.5) this.#settle(change);
    });
    this.#seen = new Map(this.#durable);
    this.#changes = [];
  }

  #settle({ effects }: NameChange): void {
    for (const [path, file] of effects) {
      if (file === null) this.#durable.delete(path);
      else this.#durable.set(path, file);
    }
  }
}

/** The directory in which a path is; "" for the disk's own. */
export function directoryOf(path: string): string {
  return path.slice(0, Math.max(0, path.lastIndexOf("/")));
}
