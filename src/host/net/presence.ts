/**
 * Tells people and programs which members are here: normally each change at once. A process that stood still for long
 * (a laptop that slept, a stopped or swapped process) first has to deal with everything that came meanwhile, such as
 * connections that the other side gave up long ago. Then only the outcome is told, once and in one sentence.
 */
import type { PeerId } from "../../core/ids.ts";
import type { Notice } from "../../core/reports.ts";
import type { Clock, Timer } from "../contracts.ts";
import type { HostEvent } from "../events.ts";

/** The outcome is told when nothing has changed for this long, … */
const CALM_MS = 500;
/** … and at the latest this long after the process went on. */
const SETTLED_MS = 5000;

export type MemberEvent = Extract<HostEvent, { event: "member" }>;

export class Presence {
  readonly #clock: Clock;
  readonly #isOther: (id: PeerId) => boolean;
  readonly #tell: (event: MemberEvent | Notice) => void;
  readonly #told = new Map<PeerId, MemberEvent>();
  /** The last event of each member since the process went on. */
  readonly #untold = new Map<PeerId, MemberEvent>();
  /** Milliseconds for which the process stood still. */
  #away = 0;
  #calm: Timer | null = null;
  #end: Timer | null = null;

  /** `isOther`: not this peer itself. */
  constructor(clock: Clock, isOther: (id: PeerId) => boolean, tell: (event: MemberEvent | Notice) => void) {
    this.#clock = clock;
    this.#isOther = isOther;
    this.#tell = tell;
  }

  /** The process is still dealing with what came while it stood still. */
  get isSettling(): boolean {
    return this.#end !== null;
  }

  /** The process goes on after `away` milliseconds, in which others took it for dead. */
  goesOn(away: number): void {
    this.#away += away;
    this.#end?.cancel();
    this.#end = this.#clock.after(SETTLED_MS, () => this.#settle());
    this.#await();
  }

  onMember(event: MemberEvent): void {
    if (!this.isSettling) return this.#tellOf(event);
    this.#untold.set(event.id, event);
    this.#await();
  }

  stop(): void {
    this.#calm?.cancel();
    this.#end?.cancel();
  }

  #await(): void {
    this.#calm?.cancel();
    this.#calm = this.#clock.after(CALM_MS, () => this.#settle());
  }

  #settle(): void {
    this.stop();
    this.#end = null;
    const untold = [...this.#untold.values()];
    this.#untold.clear();
    const away = this.#away;
    this.#away = 0;
    // Where only a clock was set, no member has changed.
    if (untold.length === 0) return;
    const before = [...this.#told.values()].filter((e) => isHere(e) && this.#isOther(e.id)).map(({ id }) => id);
    const changed = untold.filter((event) => !sameAs(event, this.#told.get(event.id)));
    for (const event of untold) this.#told.set(event.id, event);
    this.#tell({ event: "notice", code: "away", message: awayText(away, this.#whoOf(before)) });
    for (const event of changed) this.#tell(event);
  }

  #whoOf(before: readonly PeerId[]): string {
    const back = before.filter((id) => isHere(this.#told.get(id))).length;
    return before.length === 0 ? "" : `; ${back} of ${before.length} others are here again`;
  }

  #tellOf(event: MemberEvent): void {
    this.#told.set(event.id, event);
    this.#tell(event);
  }
}

/** A member that joined usually has a link; if it has none, the next event says so. */
function isHere(event: MemberEvent | undefined): boolean {
  return event?.state === "alive" || event?.state === "joined";
}

function sameAs(a: MemberEvent, b: MemberEvent | undefined): boolean {
  return isHere(a) === isHere(b) && a.role === b?.role && (a.state === "left") === (b?.state === "left");
}

function awayText(ms: number, who: string): string {
  const seconds = Math.round(ms / 1000);
  const long = seconds < 120 ? `${seconds} s` : `${Math.round(seconds / 60)} min`;
  return `this peer stood still for ${long} (asleep, stopped, or short of processor time)${who}`;
}
