/**
 * What the harness and its bench peers say to each other: JSON lines, commands on stdin, reports on stdout. Times that
 * cross a process border are wall-clock milliseconds with a fraction, see `wallNow`.
 */

/** A bench peer's one argument, as JSON. */
export interface PeerConfig {
  readonly id: number;
  readonly dir: string;
  readonly port: number;
  /** The port that others dial, on 127.0.0.1: its own, or a proxy's. */
  readonly advertise: number;
  readonly seeds: readonly { readonly id: number; readonly host: string; readonly port: number }[];
  readonly durability: "fsync" | "os";
  /** The file that holds its `Mark`. */
  readonly mark: string;
  /** Milliseconds between two reports. */
  readonly reportMs: number;
  /** Drives this command through `--json` instead of embedding the library; null: embeds it. */
  readonly command: readonly string[] | null;
}

export interface Flood {
  readonly do: "flood";
  /** So many, at least. */
  readonly messages: number;
  /** It goes on behind them until it is told `enough`. */
  readonly open: boolean;
  /** Bytes of one text. */
  readonly size: number;
  /** Submitted and not yet delivered here, at most. */
  readonly window: number;
  /** Messages per second of this peer; null: as fast as it goes. */
  readonly rate: number | null;
}

export type Command =
  | Flood
  | { readonly do: "enough" }
  /** What is delivered is read, or it is not and waits. */
  | { readonly do: "read"; readonly on: boolean }
  /** From now on every sync of a file takes `ms` longer. */
  | { readonly do: "slow-sync"; readonly ms: number }
  /** Reports cost: an idle peer makes few. */
  | { readonly do: "report"; readonly everyMs: number };

export type Told =
  | { readonly told: "started" /** Of the process that is the peer. */; readonly pid: number }
  | Report
  | { readonly told: "failed"; readonly message: string };

export interface Report {
  readonly told: "report";
  readonly at: number;
  readonly flooding: boolean;
  /** Own messages of this process: handed over, and delivered here. */
  readonly submitted: number;
  readonly own: number;
  /** Last delivered number; 0 before the first of this process. */
  readonly seq: number;
  /** When that was; 0 before the first. */
  readonly deliveredAt: number;
  /** The longest time without a delivery that ended since the last report, ms; 0: none ended. */
  readonly gapMs: number;
  readonly gapEnd: number;
  /** Submit → own delivery, new since the last report, for `Histogram.add`. */
  readonly latency: readonly number[];
  readonly latencyMax: number;
  readonly role: string;
  readonly term: number;
  readonly leader: number | null;
  readonly commit: number;
  readonly pending: number;
  /** Members that this peer is connected to, itself included, and those of all that vote. */
  readonly alive: number;
  readonly voters: number;
}

/**
 * What a peer claims and everybody is held to, kept in a file that is written over at most once per turn of its event
 * loop, because a killed process says nothing more.
 */
export interface Mark {
  readonly peer: number;
  /** `<id>.<session>` of its messages; "" before the first. */
  readonly session: string;
  /** Counter of its last message that was confirmed as sent, or delivered to itself. */
  readonly sent: number;
  /** Log index through which it has delivered. */
  readonly index: number;
}

/** Milliseconds since 1970 with a fraction: comparable between the processes of one machine. */
export function wallNow(): number {
  return performance.timeOrigin + performance.now();
}

const FILLER = "The quick brown fox jumps over the lazy dog, 0123456789; total order chat message of 100 bytes, ok!! ";

/** The text of a sender's `n`th message: `size` printable bytes that begin with `n`, so that the verifier knows it. */
export function textOf(n: number, size: number): string {
  const head = `${n} `.slice(0, size);
  return head + fillerOf(size - head.length);
}

/** Kept: to cut one for each message would be a part of what is measured. */
const fillers = new Map<number, string>();

function fillerOf(length: number): string {
  const known = fillers.get(length);
  if (known !== undefined) return known;
  const filler = FILLER.repeat(Math.ceil(length / FILLER.length)).slice(0, length);
  fillers.set(length, filler);
  return filler;
}
