/**
 * Limits the connections of strangers (of which it is not known yet who they are) on a secured port. Few may come from
 * one address, so that an attacker who opens thousands only hurts that address. Few may be open in all; then the oldest
 * makes way for the newest. A member needs some milliseconds to prove who it is, so it gets in beside any number of
 * strangers.
 */
import { STRANGERS_MAX, STRANGERS_PER_ADDRESS_MAX, STRANGERS_PER_SECOND_MAX } from "../core/config.ts";
import type { Millis } from "../core/ids.ts";

/** Number of addresses whose pace is remembered. */
const PACED_MAX = 1024;
const SECOND_MS = 1000;

export interface StrangerLimits {
  readonly perAddress: number;
  readonly perSecond: number;
  readonly inAll: number;
}

export const STRANGER_LIMITS: StrangerLimits = {
  perAddress: STRANGERS_PER_ADDRESS_MAX,
  perSecond: STRANGERS_PER_SECOND_MAX,
  inAll: STRANGERS_MAX,
};

/** A stranger that was let in. */
export interface Stranger {
  readonly site: string;
  /** Closes its connection. */
  readonly drop: () => void;
}

export class Strangers {
  readonly #now: () => Millis;
  readonly #limits: StrangerLimits;
  /** The oldest first. */
  readonly #inside = new Set<Stranger>();
  readonly #atSite = new Map<string, number>();
  /**
   * For each site, when it may again open a whole second's worth of connections (a leaky bucket); the latest site is
   * the last.
   */
  readonly #paces = new Map<string, Millis>();

  constructor(now: () => Millis, limits = STRANGER_LIMITS) {
    this.#now = now;
    this.#limits = limits;
  }

  /**
   * Lets a stranger in, for which the oldest one may have to go; or says why not. `drop` is not called within this
   * call.
   */
  enter(address: string, drop: () => void): Stranger | string {
    const site = siteOf(address);
    const { perAddress, perSecond, inAll } = this.#limits;
    const fromThere = this.#atSite.get(site) ?? 0;
    if (fromThere >= perAddress)
      return `${fromThere} connections from there have not said who they are, which is the most for one address`;
    if (!this.#keepsPace(site)) return `more than ${perSecond} connections in a second from one address`;
    const [oldest] = this.#inside;
    if (oldest !== undefined && this.#inside.size >= inAll) {
      this.leave(oldest);
      oldest.drop();
    }
    const stranger: Stranger = { site, drop };
    this.#inside.add(stranger);
    this.#atSite.set(site, fromThere + 1);
    return stranger;
  }

  /** The stranger is gone, or is known now. */
  leave(stranger: Stranger): void {
    if (!this.#inside.delete(stranger)) return;
    const left = (this.#atSite.get(stranger.site) as number) - 1;
    if (left > 0) this.#atSite.set(stranger.site, left);
    else this.#atSite.delete(stranger.site);
  }

  #keepsPace(site: string): boolean {
    const now = this.#now();
    const each = SECOND_MS / this.#limits.perSecond;
    const until = Math.max(this.#paces.get(site) ?? 0, now) + each;
    if (until > now + SECOND_MS) return false;
    this.#paces.delete(site);
    this.#paces.set(site, until);
    for (const [oldest, time] of this.#paces) {
      if (time > now && this.#paces.size <= PACED_MAX) break;
      this.#paces.delete(oldest);
    }
    return true;
  }
}

/**
 * The smallest range that one person has: an IPv4 address, or the first half of an IPv6 address, which the provider
 * assigns.
 */
export function siteOf(address: string): string {
  const mapped = /^::ffff:([0-9.]+)$/i.exec(address)?.[1];
  if (mapped !== undefined || !address.includes(":")) return mapped ?? address;
  const [head = "", tail] = address.split("::");
  const groups = (part: string | undefined) => (part ?? "").split(":").filter((group) => group !== "");
  const [first, last] = [groups(head), groups(tail)];
  const zeros = tail === undefined ? 0 : 8 - first.length - last.length;
  const all = [...first, ...Array.from({ length: Math.max(zeros, 0) }, () => "0"), ...last];
  return all.slice(0, 4).join(":").toLowerCase();
}
