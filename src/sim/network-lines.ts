/**
 * What lies between machines: delays drawn from the seed, cuts, slow, lossy and narrow lines. A narrow line belongs to one
 * machine, and all its connections share it.
 */
import type { VirtualTime } from "./virtual-time.ts";

const NOT_SLOW = { least: 0, most: 0 };
/** A kernel sends a lost piece again after about this time. */
const RESENT_MS = 1000;
/** What travels on a narrow line at a time, in bytes. */
const PACKET_BYTES = 1400;

export class Lines {
  readonly #time: VirtualTime;
  readonly #random: () => number;
  /** Directed: bytes from the first machine to the second are held back. */
  readonly #cuts = new Set<string>();
  /** Directed: additional milliseconds from one machine to another. */
  readonly #slow = new Map<string, { readonly least: number; readonly most: number }>();
  /** Directed: percent of the pieces that are lost on the way, and come again later. */
  readonly #lossy = new Map<string, number>();
  /** Machines behind a narrow line: its bytes per millisecond, and when what was put on it has passed, either way. */
  readonly #narrow = new Map<number, { readonly rate: number; outUntil: number; inUntil: number }>();

  constructor(time: VirtualTime, random: () => number) {
    this.#time = time;
    this.#random = random;
  }

  /** Milliseconds that the next piece takes from one machine to another. */
  delay(from: number, to: number): number {
    const way = `${from}>${to}`;
    const { least, most } = this.#slow.get(way) ?? NOT_SLOW;
    const delay = 0.2 + this.#random() * 2 + least + (most - least) * this.#random();
    const lost = this.#lossy.get(way);
    return lost !== undefined && this.#random() * 100 < lost ? delay + RESENT_MS : delay;
  }

  /** Pieces take from `least` to `most` milliseconds more. */
  slow(from: number, to: number, most: number, least = 0): void {
    if (most > 0) this.#slow.set(`${from}>${to}`, { least: Math.min(least, most), most });
    else this.#slow.delete(`${from}>${to}`);
  }

  /** `percent` of the pieces are lost once. What is behind a lost piece waits for it, as TCP keeps the order. */
  lose(from: number, to: number, percent: number): void {
    if (percent > 0) this.#lossy.set(`${from}>${to}`, percent);
    else this.#lossy.delete(`${from}>${to}`);
  }

  /** All that a machine sends and receives passes a line of `kbits` kbit/s each way; 0: as wide as needed. */
  narrow(machine: number, kbits: number): void {
    if (kbits > 0) this.#narrow.set(machine, { rate: kbits / 8, outUntil: 0, inUntil: 0 });
    else this.#narrow.delete(machine);
  }

  /** The bytes as they travel: in packets where a line is narrow, else as one. */
  packets(from: number, to: number, bytes: Uint8Array): Uint8Array[] {
    if (!this.#narrow.has(from) && !this.#narrow.has(to)) return [bytes];
    const count = Math.ceil(bytes.length / PACKET_BYTES);
    return Array.from({ length: count }, (_, i) => bytes.subarray(i * PACKET_BYTES, (i + 1) * PACKET_BYTES));
  }

  /** When `bytes` bytes that leave now have passed the narrow lines between two machines. */
  passed(from: number, to: number, bytes: number): number {
    let at = this.#time.now;
    const out = this.#narrow.get(from);
    if (out !== undefined) at = out.outUntil = Math.max(at, out.outUntil) + bytes / out.rate;
    const into = this.#narrow.get(to);
    if (into !== undefined) at = into.inUntil = Math.max(at, into.inUntil) + bytes / into.rate;
    return at;
  }

  cut(from: number, to: number): void {
    this.#cuts.add(`${from}>${to}`);
  }

  isCut(from: number, to: number): boolean {
    return this.#cuts.has(`${from}>${to}`);
  }

  mend(from: number, to: number): void {
    this.#cuts.delete(`${from}>${to}`);
  }

  mendAll(): void {
    this.#cuts.clear();
    this.#slow.clear();
    this.#lossy.clear();
    this.#narrow.clear();
  }

  get areWhole(): boolean {
    return [this.#cuts, this.#slow, this.#lossy, this.#narrow].every((faults) => faults.size === 0);
  }

  /** The bytes, sometimes split in two: a stream does not keep the pieces in which it was written. */
  pieces(bytes: Uint8Array): Uint8Array[] {
    if (bytes.length < 2 || this.#random() < 0.7) return [bytes];
    const middle = 1 + Math.floor(this.#random() * (bytes.length - 1));
    return [bytes.subarray(0, middle), bytes.subarray(middle)];
  }
}
