/**
 * Knows the peers that this one wants to be linked with and their addresses, and decides when each address is dialled.
 * Several addresses of one peer may be known: from the peer itself, from a person (a seed), from the log. None is
 * believed more than another, because any of them may be out of date: all are dialled, again and again, until one leads
 * to that peer [M8].
 */
import { place, sameAddress } from "../../core/address.ts";
import { DIAL_PAUSE_MAX_MS, DIAL_PAUSE_MIN_MS, DIAL_STAGGER_MS, DIALS_PER_SECOND_MAX } from "../../core/config.ts";
import type { PeerId, ProcessKey } from "../../core/ids.ts";
import type { PeerInfo } from "../../core/log-entry.ts";
import type { Hello } from "../../core/message.ts";
import type { Clock, Timer } from "../contracts.ts";
import type { LogLevel } from "../events.ts";

/** One address of one peer that is wanted. */
export interface Target extends PeerInfo {
  pause: number;
  timer: Timer | null;
  /** When its present connection was dialled; null: it has none. */
  dialledAt: number | null;
  /** A failure has been reported; the next success is reported too. */
  told: boolean;
  /** The process that answered there last, by `processName`; "": none. */
  answered: string;
}

export interface DiallerOptions {
  readonly clock: Clock;
  connect(target: Target): void;
  isLinked(id: PeerId): boolean;
  isProcessLinked(process: string): boolean;
  log(level: LogLevel, message: string): void;
}

export class Dialler {
  readonly #options: DiallerOptions;
  readonly #clock: Clock;
  #wanted: readonly PeerInfo[] = [];
  /** The address at which each peer last said it listens: known before any configuration has it. */
  readonly #heard = new Map<PeerId, PeerInfo>();
  readonly #targets = new Map<string, Target>();
  #closed = false;

  constructor(options: DiallerOptions) {
    this.#options = options;
    this.#clock = options.clock;
  }

  /** Takes the peers to keep linked. A peer may be in the list several times, with different addresses. */
  want(peers: readonly PeerInfo[]): void {
    this.#wanted = peers;
    this.#retarget();
  }

  /** A peer that was let in has said where it listens. */
  heard({ id, host, port }: Hello): void {
    const before = this.#heard.get(id);
    if (before !== undefined && sameAddress(before, { host, port })) return;
    this.#heard.set(id, { id, host, port });
    this.#retarget();
  }

  #retarget(): void {
    const ids = new Set(this.#wanted.map((peer) => peer.id));
    const heard = [...this.#heard.values()].filter((peer) => ids.has(peer.id));
    const wanted = new Map([...heard, ...this.#wanted].map((peer) => [nameOf(peer), peer]));
    for (const [name, target] of this.#targets) {
      if (wanted.has(name)) continue;
      target.timer?.cancel();
      this.#targets.delete(name);
    }
    for (const [name, { id, host, port }] of wanted) {
      if (this.#targets.has(name)) continue;
      const target = newTarget({ id, host, port });
      this.#targets.set(name, target);
      this.#dial(target);
    }
  }

  /** Looks again at targets that nothing else would dial. */
  onBeat(): void {
    for (const target of this.#targets.values()) if (target.timer === null) this.#dial(target);
  }

  #dial(target: Target): void {
    target.timer?.cancel();
    target.timer = null;
    if (this.#closed || target.dialledAt !== null || this.#options.isLinked(target.id)) return;
    let there = 0;
    let lastAt = Number.NEGATIVE_INFINITY;
    for (const other of this.#targets.values()) {
      const isThere = sameAddress(other, target);
      // While that process lives nobody else listens there, and a second connection with it is of no use.
      if (isThere && other.answered !== "" && this.#options.isProcessLinked(other.answered)) return;
      if (isThere) there += 1;
      if (isThere || other.id === target.id) lastAt = Math.max(lastAt, other.dialledAt ?? lastAt);
    }
    const now = this.#clock.now();
    const free = lastAt + DIAL_STAGGER_MS;
    if (now < free) {
      // Where hundreds of peers are said to be at one address, they are not all dialled at once.
      const turn = there > 2 ? this.#clock.random() * there * DIAL_STAGGER_MS : 0;
      target.timer = this.#clock.after(free - now + turn, () => this.#dial(target));
      return;
    }
    target.dialledAt = now;
    this.#options.connect(target);
  }

  /** A peer that is let in answered there, perhaps another one than expected. */
  answered(target: Target, hello: Hello): void {
    const { log } = this.#options;
    const process = processName(hello);
    if (hello.id !== target.id) {
      if (target.answered !== process)
        log("info", `peer ${hello.id} answers at ${place(target)}, where peer ${target.id} was expected`);
      target.pause = DIAL_PAUSE_MAX_MS;
    } else {
      if (target.told) log("info", `reached peer ${target.id} at ${place(target)}`);
      target.told = false;
      target.pause = DIAL_PAUSE_MIN_MS;
    }
    target.answered = process;
  }

  /** The peer that listens there wants no link, or is this very process, so asking again soon is of no use. */
  unwelcome(target: Target): void {
    target.pause = DIAL_PAUSE_MAX_MS;
  }

  /** The connection that was dialled for it is gone. `code` is the system's, "" for an orderly end. */
  onClosed(target: Target, code: string): void {
    target.dialledAt = null;
    // The time-out was pause enough: a peer that comes back just now should not wait as long again.
    if (code === "ETIMEDOUT") target.pause = DIAL_PAUSE_MIN_MS;
    if (this.#targets.get(nameOf(target)) === target) this.#dialLater(target, code);
  }

  /** The link with a process is over: the peers that are wanted there are dialled again. */
  onLinkDown(hello: Hello): void {
    const process = processName(hello);
    for (const target of this.#targets.values()) {
      const concerned = target.id === hello.id || target.answered === process;
      if (target.answered === process) target.answered = "";
      if (concerned && target.dialledAt === null && target.timer === null) this.#dialLater(target, "");
    }
  }

  #dialLater(target: Target, code: string): void {
    if (this.#closed) return;
    if (code !== "" && !target.told && !this.#options.isLinked(target.id)) {
      target.told = true;
      const message = `cannot reach peer ${target.id} at ${place(target)} (${code}): trying again until it answers`;
      this.#options.log("info", message);
    }
    const pause = target.pause * (0.5 + this.#clock.random());
    const turnMs = (1000 * this.#targets.size) / DIALS_PER_SECOND_MAX;
    target.pause = Math.min(2 * target.pause, Math.max(DIAL_PAUSE_MAX_MS, turnMs));
    target.timer?.cancel();
    target.timer = this.#clock.after(pause, () => this.#dial(target));
  }

  close(): void {
    this.#closed = true;
    for (const target of this.#targets.values()) target.timer?.cancel();
  }
}

export function newTarget({ id, host, port }: PeerInfo): Target {
  return { id, host, port, pause: DIAL_PAUSE_MIN_MS, timer: null, dialledAt: null, told: false, answered: "" };
}

/** One run of one peer's directory. */
export function processName({ id, inc, boot }: ProcessKey): string {
  return `${id}.${inc}.${boot}`;
}

function nameOf({ id, host, port }: PeerInfo): string {
  return `${id}@${place({ host, port })}`;
}
