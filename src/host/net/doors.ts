/**
 * Limits the connections that are let in [W3]: from one address, and in all. A connection that is not let in is told
 * why.
 */
import { CONNECTIONS_MAX, CONNECTIONS_PER_ADDRESS_MAX } from "../../core/config.ts";
import type { Millis } from "../../core/ids.ts";
import { Refusals } from "./refusals.ts";

export class Doors {
  readonly #refusals: Refusals;
  readonly #inside = new Map<string, number>();
  #total = 0;

  constructor(now: () => Millis, warn: (message: string) => void) {
    this.#refusals = new Refusals(now, warn);
  }

  /** Lets a connection in and returns null, or says why not. `anywhere`: those of one address are not counted together. */
  enter(address: string, anywhere = false): string | null {
    const fromThere = this.#inside.get(address) ?? 0;
    const isFull = this.#total >= CONNECTIONS_MAX;
    if (!isFull && (anywhere || fromThere < CONNECTIONS_PER_ADDRESS_MAX)) {
      this.#inside.set(address, fromThere + 1);
      this.#total += 1;
      return null;
    }
    const why = isFull
      ? `${CONNECTIONS_MAX} connections are open, which is the most there may be`
      : `${fromThere} connections from ${address} are open, which is the most for one address`;
    this.#refusals.tell(address, why);
    return why;
  }

  leave(address: string): void {
    const left = (this.#inside.get(address) ?? 1) - 1;
    if (left > 0) this.#inside.set(address, left);
    else this.#inside.delete(address);
    this.#total -= 1;
  }
}
