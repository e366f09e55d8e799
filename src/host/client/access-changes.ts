/**
 * Changes of access on their way into the log [A5]. The leader is asked, again and again, until this peer's committed log
 * shows the change. Asking twice for the same change does no harm.
 */
import type { Millis } from "../../core/ids.ts";
import type { AccessChange } from "../../core/log-entry.ts";
import type { Against } from "../../core/refuse-codes.ts";
import type { Input, Output } from "../../engines/engine.ts";
import type { EngineView } from "../../engines/view.ts";
import type { Clock, Timer } from "../contracts.ts";

/** The time between two requests for the same change. */
const AGAIN_MS = 500;
/** After this time the asker hears that the outcome is unknown. */
const PATIENCE_MS = 8000;
/** Changes under way at one time. */
const CHANGES_MAX = 256;

const BUSY: Against = { code: "limit", message: "too many invitations are being made or used here: try again" };
const UNKNOWN: Against = {
  code: "closing",
  message: "no majority has confirmed that in time: it may count yet. Look at /access, or try again",
};

export interface AccessChangesHost {
  readonly clock: Clock;
  peer(): EngineView | null;
  input(input: Input): void;
}

interface Waiting {
  readonly change: AccessChange;
  readonly since: Millis;
  readonly done: (against: Against | null) => void;
}

export class AccessChanges {
  readonly #host: AccessChangesHost;
  readonly #waiting = new Map<number, Waiting>();
  #nextRequest = 1;
  #timer: Timer | null = null;

  constructor(host: AccessChangesHost) {
    this.#host = host;
  }

  /** `done` is called once: with null when this peer's committed log shows the change, otherwise with the reason against it. */
  submit(change: AccessChange, done: (against: Against | null) => void): void {
    if (this.#waiting.size >= CHANGES_MAX) return done(BUSY);
    const request = this.#nextRequest++;
    this.#waiting.set(request, { change, since: this.#host.clock.now(), done });
    this.#host.input({ type: "access", request, change });
    this.#watch();
  }

  /** Takes the engine's answer to a request. */
  onAnswer({ request, ok, code, message }: Extract<Output, { do: "access" }>): void {
    // Code "closing" means that nobody leads now: the timer asks again.
    if (!ok && code !== "closing" && code !== null) this.#end(request, { code, message });
  }

  /** Called after every turn of the host. */
  onTurn(): void {
    const peer = this.#host.peer();
    if (this.#waiting.size === 0 || peer === null) return;
    for (const [request, { change }] of this.#waiting) if (isSettled(change, peer)) this.#end(request, null);
  }

  stop(): void {
    this.#timer?.cancel();
    this.#waiting.clear();
  }

  #watch(): void {
    this.#timer ??= this.#host.clock.after(AGAIN_MS, () => {
      this.#timer = null;
      const now = this.#host.clock.now();
      for (const [request, { change, since }] of this.#waiting) {
        if (now - since >= PATIENCE_MS) this.#end(request, UNKNOWN);
        else this.#host.input({ type: "access", request, change });
      }
      if (this.#waiting.size > 0) this.#watch();
    });
  }

  #end(request: number, against: Against | null): void {
    const waiting = this.#waiting.get(request);
    this.#waiting.delete(request);
    waiting?.done(against);
  }
}

/** Whether the committed log shows the change. */
function isSettled({ change, hash }: AccessChange, { access, log }: EngineView): boolean {
  const isIn = (index: number | undefined) => index !== undefined && index > 0 && index <= log.commit;
  if (change === "invite") return isIn(access.invitations.get(hash)?.index);
  if (change === "user") return isIn(access.users.get(hash)?.index);
  const revoked = access.invitations.get(hash) ?? access.users.get(hash);
  // The log state forgets those that were closed long ago.
  return revoked === undefined || isIn(revoked.revoked);
}
