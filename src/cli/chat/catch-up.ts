/** How far a peer is that starts and fetches what it missed from the others, until it has nearly what they have. */
import type { Clock, Timer } from "../../host/contracts.ts";
import type { Service } from "../../host/service.ts";
import { Pace } from "../process/pace.ts";

const LOOK_MS = 250;
/** Fewer entries than this are here in a moment: nothing is shown for them. */
const ENTRIES_MIN = 1000;

export class CatchUp {
  readonly #clock: Clock;
  readonly #service: Pick<Service, "catchUp">;
  readonly #show: (text: string | null) => void;
  #timer: Timer | null = null;
  #pace: Pace | null = null;

  /** `show` is given null when it is over, if it was given anything before. */
  constructor(clock: Clock, service: Pick<Service, "catchUp">, show: (text: string | null) => void) {
    this.#clock = clock;
    this.#service = service;
    this.#show = show;
  }

  /** The peer is running. */
  begin(): void {
    this.#timer = this.#clock.after(LOOK_MS, () => this.#look());
  }

  end(): void {
    this.#timer?.cancel();
    this.#timer = null;
    if (this.#pace !== null) this.#show(null);
    this.#pace = null;
  }

  #look(): void {
    const stand = this.#service.catchUp();
    if (stand !== null) {
      const { at, of } = stand;
      if (of - at < ENTRIES_MIN) return this.end();
      const now = this.#clock.now();
      this.#pace ??= new Pace("catching up", "entries", now, at);
      this.#show(this.#pace.text(at, of, now));
    }
    this.begin();
  }
}
