/**
 * How far each of many has counted. Neighbours in the log mostly count on where the one before them did: that one count
 * is held apart, and comes into the map when another one's turn comes.
 */
export class Counts {
  readonly #counts = new Map<string, number>();
  #key: string | null = null;
  #count = 0;

  /** 0 for what has not begun. */
  get(key: string): number {
    return key === this.#key ? this.#count : (this.#counts.get(key) ?? 0);
  }

  /** 0: as if it had never begun. */
  set(key: string, count: number): void {
    if (key !== this.#key) {
      this.#putBack();
      this.#key = key;
    }
    this.#count = count;
  }

  clear(): void {
    this.#counts.clear();
    this.#key = null;
  }

  [Symbol.iterator](): Iterator<[string, number]> {
    this.#putBack();
    return this.#counts[Symbol.iterator]();
  }

  #putBack(): void {
    if (this.#key === null) return;
    if (this.#count === 0) this.#counts.delete(this.#key);
    else this.#counts.set(this.#key, this.#count);
    this.#key = null;
  }
}
