/**
 * Two people who are here with one name [P6]. Whoever begins asks who has the name; but peers that could not reach each
 * other then, or two that took one name by `/nick` at the same moment, are found only afterwards. Both sides look, so both
 * people are told.
 */
import type { Notice } from "../core/reports.ts";
import { namesake } from "./answers/names.ts";
import type { Who } from "./answers/who.ts";
import type { Clients } from "./client/attached-clients.ts";
import type { Timer } from "./contracts.ts";
import type { OwnPerson } from "./own-person.ts";
import type { Whole } from "./whole.ts";

/**
 * Leader timeouts until the look. A client that has just gone to another peer is then no longer counted at the one that
 * it left: a silent connection is dead after two.
 */
const LOOK_TIMEOUTS = 3;

export interface NamesakesHost extends Pick<Whole, "clock" | "options" | "event"> {
  readonly person: Pick<OwnPerson, "announced">;
  readonly who: Pick<Who, "ask">;
  /** Null before the peer has its directory. */
  clients(): Pick<Clients, "names" | "tellName"> | null;
}

export class Namesakes {
  readonly #host: NamesakesHost;
  /** Names here that were told to be somebody else's, too, and still are. */
  #told = new Set<string>();
  #timer: Timer | null = null;

  constructor(host: NamesakesHost) {
    this.#host = host;
  }

  /** A link between peers has come up, or somebody here has another name. */
  lookSoon(): void {
    const { clock, options } = this.#host;
    this.#timer?.cancel();
    this.#timer = clock.after(LOOK_TIMEOUTS * options.timings.leaderTimeout, () => this.#look());
  }

  stop(): void {
    this.#timer?.cancel();
  }

  #look(): void {
    const { person, who, options } = this.#host;
    if (person.announced === null && this.#namesOfClients().length === 0) return;
    who.ask(({ people }) => {
      const told = new Set<string>();
      const look = (name: string, tell: (notice: Notice) => void) => {
        const message = namesake(name, people, options.id);
        if (message === null) return;
        told.add(name);
        if (!this.#told.has(name)) tell({ event: "notice", code: "name-twice", message });
      };
      if (person.announced !== null) look(person.announced, this.#host.event);
      for (const name of this.#namesOfClients()) look(name, (notice) => this.#host.clients()?.tellName(name, notice));
      this.#told = told;
    });
  }

  #namesOfClients(): readonly string[] {
    return this.#host.clients()?.names() ?? [];
  }
}
