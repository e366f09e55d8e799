/**
 * A counter for each of many keys. Neighbours in the log mostly belong to the same key: the counter used last is held
 * outside the map, and goes into it when another key is asked for.
 */
export class Counts {
  readonly #counts = new Map<string, number>();
  #key: string | null = null;
  #count = 0;

  /** 0 for a key that has not begun. */
  get(key: string): number {
    return key === this.#key ? this.#count : (this.#counts.get(key) ?? 0);
  }

  /** With 0 the key is as if it had never begun. */
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
