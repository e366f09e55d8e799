/**
 * Answers `/who`: every peer is asked at that moment which people are at it, so that round trips and lags are current.
 * For a peer that does not answer, the list says when it was last heard.
 */
import type { Ask, Tell } from "../../core/client-frames.ts";
import { WHO_ROWS_MAX } from "../../core/config.ts";
import type { LinkId, PeerId } from "../../core/ids.ts";
import type { Here, HerePerson, WhoList, WhoRow } from "../../core/reports.ts";
import type { EngineView } from "../../engines/view.ts";
import type { Clock, Timer } from "../contracts.ts";
import type { Links } from "../net/links.ts";

/** A peer that has not answered by then is shown without an answer. */
const ANSWER_MS = 500;

export interface WhoHost {
  readonly clock: Clock;
  peer(): EngineView | null;
  links(): Links | null;
  /** The person at this peer, and its clients, as that peer is told. */
  peopleHere(asker: PeerId): HerePerson[];
}

interface Round {
  readonly request: number;
  readonly askedAt: number;
  readonly missing: Set<LinkId>;
  readonly answers: Map<PeerId, { readonly here: Here; readonly roundTrip: number }>;
  readonly done: ((list: WhoList) => void)[];
  readonly timer: Timer;
}

export class Who {
  readonly #host: WhoHost;
  /** For each peer whose link is gone, when it was last heard. */
  readonly #lastHeard = new Map<PeerId, number>();
  #round: Round | null = null;
  /** They asked while a round was under way. */
  #waiting: ((list: WhoList) => void)[] = [];
  #requests = 0;

  constructor(host: WhoHost) {
    this.#host = host;
  }

  /** Askers that come while a round is under way share the next one: what they ask about may have begun behind it. */
  ask(done: (list: WhoList) => void): void {
    this.#waiting.push(done);
    if (this.#round === null) this.#begin();
  }

  #begin(): void {
    const peer = this.#host.peer();
    const done = this.#waiting.splice(0);
    if (peer === null || done.length === 0) return;
    const { clock } = this.#host;
    this.#requests += 1;
    this.#round = {
      request: this.#requests,
      askedAt: clock.now(),
      missing: new Set(peer.links.keys()),
      answers: new Map(),
      done,
      timer: clock.after(peer.links.size === 0 ? 0 : ANSWER_MS, () => this.#finish()),
    };
    const ask: Ask = { type: "ASK", request: this.#requests, question: { what: "here" } };
    for (const link of peer.links.keys()) this.#host.links()?.send(link, ask);
  }

  /** Another peer asks. */
  onAsk(link: LinkId, { request, question }: Ask): void {
    const peer = this.#host.peer();
    const asker = peer?.links.get(link);
    if (peer === null || asker === undefined || question.what !== "here") return;
    this.#host.links()?.send(link, { type: "TELL", request, told: this.#here(peer, asker.id) });
  }

  onTold(link: LinkId, { request, told }: Tell): void {
    const round = this.#round;
    const from = this.#host.peer()?.links.get(link);
    if (round === null || request !== round.request || told.event !== "here" || from === undefined) return;
    // An answer from a peer that was not asked, or that has answered already, is ignored [W6].
    if (!round.missing.has(link)) return;
    round.answers.set(from.id, { here: told, roundTrip: this.#host.clock.now() - round.askedAt });
    this.#forget(link);
  }

  onLinkDown(link: LinkId, id: PeerId): void {
    this.#lastHeard.set(id, this.#host.clock.now());
    this.#forget(link);
  }

  #forget(link: LinkId): void {
    if (this.#round?.missing.delete(link) === true && this.#round.missing.size === 0) this.#finish();
  }

  #here(peer: EngineView, asker: PeerId): Here {
    const people = this.#host.peopleHere(asker);
    return { event: "here", id: peer.self.id, commit_index: peer.log.commit, people };
  }

  #finish(): void {
    const round = this.#round;
    const peer = this.#host.peer();
    this.#round = null;
    round?.timer.cancel();
    if (round === null || peer === null) return;
    const own = { here: this.#here(peer, peer.self.id), roundTrip: 0 };
    const answers = new Map([...round.answers, [peer.self.id, own] as const]);
    const commit = Math.max(...[...answers.values()].map(({ here }) => here.commit_index));
    const people: WhoRow[] = [];
    for (const { id, role } of peer.configuration?.members ?? []) {
      const answer = answers.get(id);
      if (answer !== undefined) people.push(...rowsOf(answer.here, answer.roundTrip, commit));
      else if (role !== "left") people.push(this.#silent(peer, id));
    }
    const { present } = peer.log.state.people;
    const told = new Set(people.map((row) => row.user));
    for (const user of present) if (!told.has(user)) people.push({ ...NOTHING_KNOWN, user });
    const list: WhoList = { event: "who", people: people.slice(0, WHO_ROWS_MAX) };
    for (const done of round.done) done(list);
    this.#begin();
  }

  #silent(peer: EngineView, id: PeerId): WhoRow {
    const link = [...peer.links.values()].find((l) => l.id === id);
    const links = this.#host.links();
    const at = link === undefined ? this.#lastHeard.get(id) : links?.heardAt(link.link);
    const heard_ms = at === undefined ? null : Math.max(0, Math.round(this.#host.clock.now() - at));
    const round_trip_ms = link === undefined ? null : (links?.roundTrip(link.link) ?? null);
    return { ...NOTHING_KNOWN, peer_id: id, heard_ms, round_trip_ms };
  }
}

const NOTHING_KNOWN = { user: "", peer_id: null, client: false, heard_ms: null, round_trip_ms: null, lag: null };

/** The rows of one peer: the peer itself, named after the person at it, and its clients. */
function rowsOf({ id, commit_index, people }: Here, roundTrip: number, commit: number): WhoRow[] {
  const round_trip_ms = Math.round(roundTrip * 10) / 10;
  const own = people.find((p) => !p.client);
  const lag = Math.max(0, commit - commit_index);
  const row = { user: own?.user ?? "", peer_id: id, client: false, heard_ms: 0, round_trip_ms, lag };
  const clients = people
    .filter((p) => p.client)
    .map((p) => ({ ...p, peer_id: id, lag: Math.min(lag + p.lag, Number.MAX_SAFE_INTEGER) }));
  return [row, ...clients];
}
