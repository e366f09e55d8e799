/**
 * Limits the connections to a secured port that nobody has recognised yet: few from one address, and few in all. When there
 * are too many in all, the address with the most of them loses its oldest one. So an attacker with a hundred addresses takes
 * places from itself. A member needs one place, and for some milliseconds only.
 */
import {
  HANDSHAKE_MS_MAX,
  STRANGERS_MAX,
  STRANGERS_PER_ADDRESS_MAX,
  STRANGERS_PER_SECOND_MAX,
} from "../core/config.ts";
import type { Millis } from "../core/ids.ts";

/** Sites whose rate is remembered. */
const PACED_MAX = 1024;
const SECOND_MS = 1000;

export interface StrangerLimits {
  readonly perAddress: number;
  readonly perSecond: number;
  readonly inAll: number;
  /** Milliseconds from the TCP connection to the end of the handshake. */
  readonly handshake: number;
}

export const STRANGER_LIMITS: StrangerLimits = {
  perAddress: STRANGERS_PER_ADDRESS_MAX,
  perSecond: STRANGERS_PER_SECOND_MAX,
  inAll: STRANGERS_MAX,
  handshake: HANDSHAKE_MS_MAX,
};

/** A connection that was let in and is not recognised yet. */
export interface Stranger {
  readonly site: string;
  /** Closes it. */
  readonly drop: () => void;
}

export class Strangers {
  readonly #now: () => Millis;
  readonly #limits: StrangerLimits;
  /** The oldest first. */
  readonly #inside = new Set<Stranger>();
  readonly #atSite = new Map<string, number>();
  /**
   * A leaky bucket for each site: the time at which it is empty again. Each connection adds its share of a second, and a
   * bucket holds one second. The site that came last is last.
   */
  readonly #paces = new Map<string, Millis>();

  constructor(now: () => Millis, limits = STRANGER_LIMITS) {
    this.#now = now;
    this.#limits = limits;
  }

  /** Lets a connection in, and may drop another one for it. Returns a reason in words if it is not let in. */
  enter(address: string, drop: () => void): Stranger | string {
    const site = siteOf(address);
    const { perAddress, perSecond, inAll } = this.#limits;
    const fromThere = this.#atSite.get(site) ?? 0;
    if (fromThere >= perAddress)
      return `${fromThere} connections from there have not said who they are, which is the most for one address`;
    if (!this.#keepsPace(site)) return `more than ${perSecond} connections in a second from one address`;
    if (this.#inside.size >= inAll) this.#makeRoom();
    const stranger: Stranger = { site, drop };
    this.#inside.add(stranger);
    this.#atSite.set(site, fromThere + 1);
    return stranger;
  }

  /** It is closed, or recognised. */
  leave(stranger: Stranger): void {
    if (!this.#inside.delete(stranger)) return;
    const left = (this.#atSite.get(stranger.site) as number) - 1;
    if (left > 0) this.#atSite.set(stranger.site, left);
    else this.#atSite.delete(stranger.site);
  }

  #makeRoom(): void {
    const most = Math.max(...this.#atSite.values());
    for (const stranger of this.#inside) {
      if (this.#atSite.get(stranger.site) !== most) continue;
      this.leave(stranger);
      return stranger.drop();
    }
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

/** What one attacker has at least: one address of IPv4; of IPv6 a network of 64 bits, whose second half anybody can choose. */
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
