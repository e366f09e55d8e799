/** What the people at a peer, and those of its clients, are told of how it fares. */
import { type Millis, sameMember } from "../core/ids.ts";
import type { Notice, Unsent } from "../core/reports.ts";
import type { Output } from "../engines/engine.ts";
import type { EngineView, Surroundings } from "../engines/view.ts";
import { nameInUse } from "./answers/names.ts";
import { waitingFor } from "./answers/status.ts";
import { Waiter } from "./answers/waiter.ts";
import type { Who } from "./answers/who.ts";
import type { Clients } from "./client/attached-clients.ts";
import type { OwnPerson } from "./people.ts";
import type { Troubles } from "./store/troubles.ts";
import type { Whole } from "./whole.ts";

/** Others' pending messages that are remembered as told. */
const UNSENT_KEPT = 10_000;
/** Members that are not connected so long after a leader is known are not asked whether somebody there has this name. */
const NAME_MS = 1000;

export interface TellingHost extends Pick<Whole, "clock" | "options" | "core" | "event" | "die"> {
  readonly person: OwnPerson;
  readonly who: Who;
  readonly troubles: Troubles;
  clusterId(): string | null;
  /** Null before the peer has its directory. */
  clients(): Pick<Clients, "tellAll"> | null;
}

export class Telling {
  readonly #host: TellingHost;
  readonly #waiter: Waiter;
  /** Others' pending messages that were shown [S7]. */
  readonly #unsent = new Set<string>();
  /** When this peer first had a leader. */
  #cameAt: Millis | null = null;
  /** Whether somebody else has its person's name: of two who ask at once neither has it yet. */
  #name: "unknown" | "asked" | "free" = "unknown";

  constructor(host: TellingHost) {
    this.#host = host;
    this.#waiter = new Waiter(host.clock, (message) => this.tell({ event: "notice", code: "waiting", message }));
  }

  /** To the people here and to those of the clients. */
  tell(told: Unsent | Notice): void {
    this.#host.event(told);
    this.#host.clients()?.tellAll(told);
  }

  /** The name of the person here as others may know it: "" before it is known to be nobody else's. */
  get ownName(): string {
    return this.#name === "free" ? (this.#host.person.announced ?? "") : "";
  }

  /** Why messages wait, as it was told last; null while they do not. */
  get waiting(): string | null {
    return this.#waiter.told;
  }

  /** What it founded, and that it waits, has just been told. */
  founded(peer: EngineView): void {
    this.#waiter.wasTold(waitingFor(peer, this.surroundings)?.message ?? null);
  }

  /** After every turn. */
  onTurn(peer: EngineView): void {
    this.#tellWaiting(peer);
    this.#lookAtName(peer);
  }

  onUnsent({ sender, session, first, drafts }: Extract<Output, { do: "unsent" }>): void {
    for (const [i, { room_id, user, payload, ts }] of drafts.entries()) {
      const msgId = `${sender}.${session}.${first + i}`;
      // Told again after every reconnection there.
      if (this.#unsent.has(msgId)) continue;
      if (this.#unsent.size >= UNSENT_KEPT) this.#unsent.clear();
      this.#unsent.add(msgId);
      this.tell({ event: "unsent", sender_id: sender, msg_id: msgId, room_id, user, payload, ts });
    }
  }

  #tellWaiting(peer: EngineView): void {
    const isAsked = peer.pending > 0 || peer.sequencer === null;
    // That was told with the founding.
    if (!isAsked && peer.founding > 0) return;
    this.#waiter.onTurn(isAsked ? (waitingFor(peer, this.surroundings)?.message ?? null) : null);
  }

  hindrances(): string {
    const peer = this.#host.core();
    const waiting = peer === null ? null : waitingFor(peer, this.surroundings);
    return [waiting?.message, ...this.#host.troubles.list.map(({ message }) => message)].join();
  }

  get surroundings(): Surroundings {
    return { seeds: this.#host.options.seeds, hasCluster: this.#host.clusterId() !== null };
  }

  /** [P6] Once, when this peer has come to the others: the name of its person may be somebody else's who is here. */
  #lookAtName(peer: EngineView): void {
    const name = this.#host.person.announced;
    if (this.#name !== "unknown" || name === null || peer.sequencer === null) return;
    // One that joins knows nobody before the log names itself.
    if (peer.memberOf(peer.self) === null) return;
    const others = peer.present().filter((m) => m.role !== "left" && !sameMember(m, peer.self));
    this.#cameAt ??= this.#host.clock.now();
    if (!others.every((m) => peer.isLinked(m)) && this.#host.clock.now() - this.#cameAt < NAME_MS) return;
    this.#name = "asked";
    this.#host.who.ask(({ people }) => {
      const inUse = this.#host.person.announced === name ? nameInUse(name, people, peer.self.id) : null;
      if (inUse !== null) return this.#host.die(inUse, "name-in-use");
      this.#name = "free";
    });
  }
}
