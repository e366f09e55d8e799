/**
 * Limits the connections that are let in [W3]: from one address, and in all. A connection that is not let in is told
 * why.
 */
import { CONNECTIONS_MAX, CONNECTIONS_PER_ADDRESS_MAX } from "../../core/config.ts";
import type { Millis } from "../../core/ids.ts";

/** The operator is told of refusals of one address once in this time: there may be hundreds. */
const TOLD_MS = 60_000;
/** Addresses whose refusals are counted. */
const COUNTED_MAX = 1000;

export class Doors {
  readonly #now: () => Millis;
  readonly #warn: (message: string) => void;
  readonly #inside = new Map<string, number>();
  #total = 0;
  /** Connections refused from each address since that was last reported. */
  readonly #refused = new Map<string, { toldAt: Millis; since: number }>();

  constructor(now: () => Millis, warn: (message: string) => void) {
    this.#now = now;
    this.#warn = warn;
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
    this.#tell(address, why);
    return why;
  }

  leave(address: string): void {
    const left = (this.#inside.get(address) ?? 1) - 1;
    if (left > 0) this.#inside.set(address, left);
    else this.#inside.delete(address);
    this.#total -= 1;
  }

  #tell(address: string, why: string): void {
    const now = this.#now();
    const refused = this.#refused.get(address) ?? { toldAt: Number.NEGATIVE_INFINITY, since: 0 };
    refused.since += 1;
    if (this.#refused.size >= COUNTED_MAX) this.#refused.clear();
    this.#refused.set(address, refused);
    if (now - refused.toldAt < TOLD_MS) return;
    const more = refused.since > 1 ? ` (${refused.since} in the last while)` : "";
    this.#warn(`refused a connection from ${address}${more}: ${why}`);
    refused.toldAt = now;
    refused.since = 0;
  }
}
