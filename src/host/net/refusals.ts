/** Tells the operator which connections are refused, and why: once a minute for one address, because there may be hundreds. */
import type { Millis } from "../../core/ids.ts";

const TOLD_MS = 60_000;
/** Addresses whose refusals are counted. */
const COUNTED_MAX = 1000;

export class Refusals {
  readonly #now: () => Millis;
  readonly #warn: (message: string) => void;
  /** Connections refused from each address since that was last reported. */
  readonly #refused = new Map<string, { toldAt: Millis; since: number }>();

  constructor(now: () => Millis, warn: (message: string) => void) {
    this.#now = now;
    this.#warn = warn;
  }

  tell(address: string, why: string): void {
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
