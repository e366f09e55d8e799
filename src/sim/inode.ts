/** The bytes of one simulated file: as written, as durable, and the changes between the two. */

/** One change to a file's bytes; `bytes` null: a truncation to `at`. */
interface Change {
  readonly at: number;
  readonly bytes: Uint8Array | null;
}

export class Inode {
  readonly #written = new Bytes();
  readonly #durable = new Bytes();
  #changes: Change[] = [];

  get size(): number {
    return this.#written.size;
  }

  /** The last change not synced yet. */
  get newest(): Change | undefined {
    return this.#changes[this.#changes.length - 1];
  }

  bytes(): Uint8Array {
    return this.read(0, this.size);
  }

  durableBytes(): Uint8Array {
    return this.#durable.slice(0, this.#durable.size);
  }

  /** The durable bytes are the same for as long as this is. */
  get durableVersion(): number {
    return this.#durable.version;
  }

  read(offset: number, length: number): Uint8Array {
    return this.#written.slice(offset, Math.min(this.size, offset + length));
  }

  change(change: Change): void {
    this.#written.apply(change);
    this.#changes.push(change);
  }

  /** A sync that covers everything through `covered` has ended. Bytes that it failed to write are forgotten [D3]. */
  settle(covered: Change | undefined, failed: boolean): void {
    const end = covered === undefined ? 0 : this.#changes.indexOf(covered) + 1;
    const settled = this.#changes.splice(0, end);
    if (!failed) for (const change of settled) this.#durable.apply(change);
  }

  replace(bytes: Uint8Array): void {
    for (const side of [this.#written, this.#durable]) {
      side.apply({ at: 0, bytes: null });
      side.apply({ at: 0, bytes });
    }
    this.#changes = [];
  }

  /** Some of the changes survive; the last of these perhaps in part, or as the right number of wrong bytes. */
  crash(random: () => number): void {
    const kept = Math.floor(random() * (this.#changes.length + 1));
    const torn = this.#changes[kept];
    for (const change of this.#changes.slice(0, kept)) this.#durable.apply(change);
    if (torn !== undefined && torn.bytes !== null) {
      const part = torn.bytes.slice(0, Math.floor(random() * (torn.bytes.length + 1)));
      const how = random();
      if (how < 0.2) part.fill(0);
      else if (how < 0.3 && part.length > 0) part[Math.floor(random() * part.length)] = Math.floor(random() * 256);
      this.#durable.apply({ at: torn.at, bytes: part });
    }
    this.#changes = [];
    this.#written.apply({ at: 0, bytes: null });
    this.#written.apply({ at: 0, bytes: this.#durable.slice(0, this.#durable.size) });
  }
}

/** Bytes that grow. A hole is filled with zeros; it arises when a failed sync is followed by a successful one. */
class Bytes {
  #bytes = new Uint8Array(0);
  size = 0;
  /** Changes so far. */
  version = 0;

  apply({ at, bytes }: Change): void {
    this.version += 1;
    if (bytes === null) {
      if (at < this.size) this.#bytes.fill(0, at, this.size);
      this.size = Math.min(this.size, at);
      return;
    }
    const end = at + bytes.length;
    if (end > this.#bytes.length) {
      const larger = new Uint8Array(Math.max(end, 2 * this.#bytes.length, 256));
      larger.set(this.#bytes);
      this.#bytes = larger;
    }
    this.#bytes.set(bytes, at);
    this.size = Math.max(this.size, end);
  }

  slice(start: number, end: number): Uint8Array {
    return this.#bytes.slice(start, Math.max(start, end));
  }
}

/** A plain loop: files are compared again and again, and a callback for each byte takes many times as long. */
export function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}
