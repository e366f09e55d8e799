/**
 * Elections, told in one line when they are over: who is gone, who leads now, and for how long nobody led. Pure state; times are
 * monotonic milliseconds.
 */
import type { HostEvent } from "../../host/events.ts";

type Role = Extract<HostEvent, { event: "role" }>;

export class Elections {
  #leader: number | null = null;
  #told = "";
  /** Without a leader since then. */
  #since: number | null = null;
  /** A leader that is gone, to be told together with its successor. */
  #gone: number | null = null;

  /** Something waits to be told with the next leader. */
  get open(): boolean {
    return this.#gone !== null;
  }

  /** True: it led, so that it is told later. */
  onUnreachable(id: number, now: number): boolean {
    if (id !== this.#leader) return false;
    this.#gone = id;
    this.#since ??= now;
    return true;
  }

  /** A line that says who leads, or null where that is no news. */
  onRole({ role, term, leader_id }: Role, now: number): string | null {
    if (leader_id === null) {
      if (this.#leader !== null) this.#since ??= now;
      return null;
    }
    const told = `${leader_id} ${term}`;
    if (told === this.#told && this.#since === null) return null;
    const gone = this.#gone === null || this.#gone === leader_id ? "" : `peer ${this.#gone} is gone, `;
    const who = role === "leader" ? "this peer leads" : `peer ${leader_id} leads`;
    const took = this.#since === null ? "" : `, ${duration(now - this.#since)}`;
    this.#leader = leader_id;
    this.#told = told;
    this.#since = null;
    this.#gone = null;
    return `${gone}${who} (term ${term})${took}`;
  }

  /** It takes long: what is known is told now. */
  overdue(): string | null {
    if (this.#gone === null) return null;
    const gone = this.#gone;
    this.#gone = null;
    return `peer ${gone} is gone, nobody leads`;
  }
}

/** `34 ms`, `12.3 s`, `5 min` */
function duration(ms: number): string {
  if (ms < 999.5) return `${Math.round(ms)} ms`;
  return ms < 120_000 ? `${(ms / 1000).toFixed(1)} s` : `${Math.round(ms / 60_000)} min`;
}
