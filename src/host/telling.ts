/** Tells the people at a peer, and those of its clients, about the state of the peer. */
import { type Millis, sameMember } from "../core/ids.ts";
import type { Notice, Unsent } from "../core/reports.ts";
import type { Output } from "../engines/engine.ts";
import type { EngineView, Surroundings } from "../engines/view.ts";
import { nameInUse } from "./answers/names.ts";
import { waitingFor } from "./answers/status.ts";
import { Waiter } from "./answers/waiter.ts";
import type { Who } from "./answers/who.ts";
import type { Clients } from "./client/attached-clients.ts";
import type { OwnPerson } from "./own-person.ts";
import type { Troubles } from "./store/troubles.ts";
import type { Whole } from "./whole.ts";

/** Number of others' pending messages that are remembered as shown. */
const UNSENT_KEPT = 10_000;
/**
 * Members that are not connected this long after a leader is known are not asked whether a person there has this name.
 */
const NAME_MS = 1000;

export interface TellingHost extends Pick<Whole, "clock" | "options" | "core" | "event" | "die"> {
  readonly person: OwnPerson;
  readonly who: Who;
  readonly troubles: Troubles;
  /** This peer belongs to a cluster, or somebody that it is linked with does. */
  hasCluster(): boolean;
  /** Null before the peer has its directory. */
  clients(): Pick<Clients, "tellAll" | "keeps"> | null;
}

export class Telling {
  readonly #host: TellingHost;
  readonly #waiter: Waiter;
  /** Others' pending messages that were shown [S7]. */
  readonly #unsent = new Set<string>();
  /** When this peer first had a leader. */
  #cameAt: Millis | null = null;
  /** Whether another person has the name of this peer's person. */
  #name: "unknown" | "asked" | "free" = "unknown";

  constructor(host: TellingHost) {
    this.#host = host;
    this.#waiter = new Waiter(host.clock, (message) => this.tell({ event: "notice", code: "waiting", message }));
  }

  /** Tells the people here, and those of the clients. */
  tell(told: Unsent | Notice): void {
    this.#host.event(told);
    this.#host.clients()?.tellAll(told);
  }

  /** The name of the person here, "" for nobody. Until it is known that nobody else has it, it is a claim. */
  nameHere(claims: boolean): string {
    return claims || this.#name === "free" ? (this.#host.person.announced ?? "") : "";
  }

  /** Why messages wait, as it was told last; null while they do not. */
  get waiting(): string | null {
    return this.#waiter.told;
  }

  /** People have just been told that this peer founded a cluster, and that it waits. */
  founded(peer: EngineView): void {
    this.#waiter.wasTold(waitingFor(peer, this.surroundings)?.message ?? null);
  }

  /** Called after every turn. */
  onTurn(peer: EngineView): void {
    this.#tellWaiting(peer);
    this.#lookAtName(peer);
  }

  onUnsent({ sender, session, first, drafts }: Extract<Output, { do: "unsent" }>): void {
    for (const [i, { room_id, user, payload, ts }] of drafts.entries()) {
      const msgId = `${sender}.${session}.${first + i}`;
      // It is told again after every reconnection of that sender.
      if (this.#unsent.has(msgId)) continue;
      if (this.#unsent.size >= UNSENT_KEPT) this.#unsent.clear();
      this.#unsent.add(msgId);
      this.tell({ event: "unsent", sender_id: sender, msg_id: msgId, room_id, user, payload, ts });
    }
  }

  #tellWaiting(peer: EngineView): void {
    const isAsked = peer.pending > 0 || peer.sequencer === null;
    // This was told with the founding.
    if (!isAsked && peer.founding > 0) return;
    this.#waiter.onTurn(isAsked ? (waitingFor(peer, this.surroundings)?.message ?? null) : null);
  }

  hindrances(): string {
    const peer = this.#host.core();
    const waiting = peer === null ? null : waitingFor(peer, this.surroundings);
    return [waiting?.message, ...this.#host.troubles.list.map(({ message }) => message)].join();
  }

  get surroundings(): Surroundings {
    const { invitation, seeds } = this.#host.options;
    const known = [...seeds, ...(invitation?.addresses ?? [])];
    return { seeds: known, hasCluster: invitation !== undefined || this.#host.hasCluster() };
  }

  /**
   * [P6] Once, when this peer has joined the others: checks whether another person who is here has the name of this
   * peer's person.
   */
  #lookAtName(peer: EngineView): void {
    const name = this.#host.person.announced;
    if (this.#name !== "unknown" || name === null || peer.sequencer === null) return;
    // A joining peer knows nobody before the log names that peer itself.
    if (peer.memberOf(peer.self) === null) return;
    const others = peer.present().filter((m) => m.role !== "left" && !sameMember(m, peer.self));
    this.#cameAt ??= this.#host.clock.now();
    if (this.#host.clients()?.keeps(name) === true)
      return this.#host.die(
        `the name ${JSON.stringify(name)} belongs to a token: choose another --name`,
        "name-in-use",
      );
    if (!others.every((m) => peer.isLinked(m)) && this.#host.clock.now() - this.#cameAt < NAME_MS) return;
    this.#name = "asked";
    this.#host.who.ask(({ people }) => {
      const inUse = this.#host.person.announced === name ? nameInUse(name, people, peer.self.id) : null;
      if (inUse !== null) return this.#host.die(inUse, "name-in-use");
      this.#name = "free";
    });
  }
}
