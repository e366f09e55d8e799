/**
 * The cluster of a search: its peers and the frames between them, what may happen next, and what then follows at once.
 */
import type { Frame } from "../core/frame.ts";
import { formatBallot, type PeerId } from "../core/ids.ts";
import type { Role } from "../core/log-entry.ts";
import { Actors, addressOf, type OpenCore } from "./explore-actors.ts";
import { Catalogue } from "./explore-graph.ts";
import { type History, historyText, judge, NO_HISTORY, witness } from "./explore-history.ts";
import type { Actor } from "./explore-shapes.ts";

const COUNTED = ["late", "slow", "time", "restart", "cut", "connect", "leave", "say"] as const;
type Counted = (typeof COUNTED)[number];

/**
 * How often each event happens at most in the whole cluster; an event that is not named does not happen. This also
 * bounds elections, logs and changes of the configuration, with one exception: two leaders that do not reach each other
 * can refuse each other's ballots for ever through a third peer [E13]. A state in which somebody promised a term above
 * `term` is judged and not continued.
 */
export type Bounds = Readonly<Partial<Record<Counted | "term", number>>>;

export interface Model {
  /** The roles of the peers 1, 2, … in the genesis. */
  readonly roles: readonly Role[];
  /** How the story begins when all are connected: these events, each with all that follows from it. */
  readonly begin: readonly (readonly ["time" | "say", PeerId] | readonly ["cut", PeerId, PeerId])[];
}

/** As a bound: any number of times. */
export const ANY = Number.POSITIVE_INFINITY;

export interface World {
  readonly actors: readonly number[];
  readonly counts: Readonly<Record<Counted, number>>;
  /** Places of the peers whose disks confirm at any time; the other disks confirm at once. */
  readonly slow: readonly number[];
  readonly history: number;
  /** Frames under way, in the order sent. */
  readonly packets: readonly number[];
  /** Frames that may arrive at any time. */
  readonly late: readonly number[];
}

export interface Move {
  readonly words: () => string;
  readonly counts: Counted | null;
  /** The actors that step, with the event of each. */
  readonly steps: readonly Step[];
  /** The frame that arrives in this move. */
  readonly arrives?: number;
  readonly delays?: number;
  readonly slows?: number;
}

/** An actor's place is its id less one. */
type Step = readonly [place: number, event: number];

/** Polls, which are answered at once: they bind nobody [E2]. */
const POLLS: ReadonlySet<Frame["type"]> = new Set(["ELECTION", "ELECTION_OK", "ELECTION_GRANT", "ELECTION_DENY"]);
/** Frames that never arrive: members that find no leader send them in vain. */
const JOINS: ReadonlySet<Frame["type"]> = new Set(["JOIN", "JOIN_ACK"]);

export class Cluster {
  readonly actors: Actors;
  readonly #roles: Model["roles"];
  readonly #begin: Model["begin"];
  readonly #bounds: Bounds;
  readonly #histories = new Catalogue<History>();
  readonly #events;
  /** By id and boot number. */
  readonly #linkUps = new Map<number, number>();

  constructor(core: OpenCore, { roles, begin }: Model, bounds: Bounds) {
    this.#roles = roles;
    this.#begin = begin;
    this.#bounds = bounds;
    this.actors = new Actors(core, roles);
    const { actors } = this;
    const drafts = [{ room_id: "r", user: "u", ts: 0, payload: "m" }];
    this.#events = {
      time: actors.event({ type: "time" }),
      restart: actors.event({ type: "restart" }),
      promise: actors.event({ type: "promise-synced" }),
      log: actors.event({ type: "log-synced" }),
      leave: actors.event({ type: "input", input: { type: "quit" } }),
      say: actors.event({ type: "input", input: { type: "submit", drafts } }),
      down: roles.map((_, i) => actors.event({ type: "input", input: { type: "link-down", link: i + 1 } })),
    };
  }

  begin(): string {
    const places = this.#roles.map((_, place) => place);
    let world: World = {
      actors: places.map((place) => this.actors.first(place + 1)),
      counts: { late: 0, slow: 0, time: 0, restart: 0, cut: 0, connect: 0, leave: 0, say: 0 },
      slow: [],
      history: this.#numberOf(NO_HISTORY),
      packets: [],
      late: [],
    };
    const act = (...steps: Step[]) => {
      world = this.after(world, { words: () => "", counts: null, steps });
    };
    for (const a of places) for (const b of places.slice(a + 1)) act(...this.#bothEnds(world, "up", a, b));
    for (const [what, id, other] of this.#begin) {
      if (what === "cut") act(...this.#bothEnds(world, "down", id - 1, other - 1));
      else act([id - 1, this.#events[what]]);
      for (let next = this.#arrivals(world)[0]; next !== undefined; next = this.#arrivals(world)[0])
        world = this.after(world, next);
    }
    return this.textOf(world);
  }

  // ── what may happen ────────────────────────────────────────────────────────────────────────────────────────────

  moves(world: World): Move[] {
    const actors = world.actors.map((n) => this.actors.at(n));
    if (actors.some(({ peer }) => peer.promised.term > (this.#bounds.term ?? ANY))) return [];
    const moves = this.#arrivals(world);
    const may = (what: Counted) => world.counts[what] < (this.#bounds[what] ?? 0);
    const [next] = world.packets;
    if (next !== undefined && may("late"))
      moves.push({ words: () => `late: ${this.#tell(next)}`, counts: "late", steps: [], delays: next });
    for (const [place, actor] of actors.entries()) moves.push(...this.#movesOf(world, place, actor, may));
    for (const [a, { peer }] of actors.entries()) {
      for (let b = a + 1; b < actors.length; b++) {
        const [counts, way] = peer.links.has(b + 1) ? (["cut", "down"] as const) : (["connect", "up"] as const);
        const words = () => `${a + 1} and ${b + 1} ${counts === "cut" ? "lose their connection" : "connect"}`;
        if (may(counts)) moves.push({ words, counts, steps: this.#bothEnds(world, way, a, b) });
      }
    }
    return moves;
  }

  #arrivals({ packets, late }: World): Move[] {
    return [...packets.slice(0, 1), ...late].map((packet) => ({
      words: () => this.#tell(packet),
      counts: null,
      steps: [[this.actors.packetAt(packet).to - 1, packet]],
      arrives: packet,
    }));
  }

  #movesOf(world: World, place: number, { peer }: Actor, may: (what: Counted) => boolean): Move[] {
    const { promise, log, time, restart, leave, say } = this.#events;
    const id = place + 1;
    const moves: Move[] = [];
    const add = (words: string, counts: Counted | null, ...steps: Step[]) =>
      moves.push({ words: () => `${id} ${words}`, counts, steps });
    if (!peer.promiseDurable) add("has its promise on disk", null, [place, promise]);
    if (peer.log.durable < peer.log.last) add("has its log on disk", null, [place, log]);
    if (may("slow") && !world.slow.includes(place))
      moves.push({ words: () => `${id} has a slow disk from now on`, counts: "slow", steps: [], slows: place });
    if (may("time")) add("sees time pass", "time", [place, time]);
    if (may("restart")) add("loses power and starts again", "restart", [place, restart], ...this.#hangUp(world, place));
    if (may("leave") && !peer.quitting) add("wants to leave", "leave", [place, leave]);
    if (may("say") && peer.leadership !== null) add("says something", "say", [place, say]);
    return moves;
  }

  #bothEnds({ actors }: Pick<World, "actors">, way: "up" | "down", a: number, b: number): Step[] {
    const towards = (place: number) =>
      way === "down" ? (this.#events.down[place] as number) : this.#linkUp(this.actors.at(actors[place] as number));
    return [
      [a, towards(b)],
      [b, towards(a)],
    ];
  }

  /** The event of a link with this process. */
  #linkUp({ peer: { self } }: Actor): number {
    const id: number = self.id;
    const key = id * 2 ** 20 + self.boot;
    let event = this.#linkUps.get(key);
    if (event === undefined) {
      const input = { type: "link-up", link: id, peer: { ...self, ...addressOf(id) } } as const;
      event = this.actors.event({ type: "input", input });
      this.#linkUps.set(key, event);
    }
    return event;
  }

  /** The far ends of all its connections close. */
  #hangUp({ actors }: Pick<World, "actors">, place: number): Step[] {
    const links = [...this.actors.at(actors[place] as number).peer.links.keys()];
    return links.map((id) => [id - 1, this.#events.down[place] as number]);
  }

  // ── what follows ───────────────────────────────────────────────────────────────────────────────────────────────

  /** Throws Broken where an invariant is violated. */
  after(world: World, { steps, counts, arrives, delays, slows }: Move): World {
    const actors = [...world.actors];
    const slow = slows === undefined ? world.slow : [...world.slow, slows].sort();
    const packets = new Set(world.packets);
    const late = new Set(world.late);
    const gone = arrives ?? delays;
    if (gone !== undefined && !late.delete(gone)) packets.delete(gone);
    if (delays !== undefined) late.add(delays);
    let history = this.#histories.at(world.history);
    const sent: number[] = [];
    const queue = [...steps];
    for (let step = queue.shift(); step !== undefined; step = queue.shift()) {
      const [place, event] = step;
      const before = actors[place] as number;
      const { next, ends, broken, ...outcome } = this.actors.step(before, event);
      if (broken !== null) throw broken;
      const after = this.actors.at(next);
      actors[place] = next;
      history = witness(history, this.actors.at(before), after);
      judge(
        history,
        actors.map((n) => this.actors.at(n)),
      );
      sent.push(...outcome.sent);
      if (ends) queue.push([place, this.#events.restart], ...this.#hangUp({ actors }, place));
      else if (!slow.includes(place) && !after.peer.promiseDurable) queue.unshift([place, this.#events.promise]);
      else if (!slow.includes(place) && after.peer.log.durable < after.peer.log.last)
        queue.unshift([place, this.#events.log]);
      // A connection has two ends: both open or close before what they then say is on its way.
      if (queue.length > 0) continue;
      for (const packet of sent.splice(0)) {
        const { to, frame } = this.actors.packetAt(packet);
        if (JOINS.has(frame.type) || !this.#isOpen(actors, packet)) continue;
        if (POLLS.has(frame.type)) queue.push([to - 1, packet]);
        else (this.#bounds.late === ANY ? late : packets).add(packet);
      }
    }
    return {
      actors,
      counts: counts === null ? world.counts : { ...world.counts, [counts]: world.counts[counts] + 1 },
      slow,
      history: history === this.#histories.at(world.history) ? world.history : this.#numberOf(history),
      packets: [...packets].filter((p) => this.#isOpen(actors, p)),
      late: [...late].filter((p) => this.#isOpen(actors, p)).sort((a, b) => a - b),
    };
  }

  /** The connection that a frame is on. */
  #isOpen(actors: readonly number[], packet: number): boolean {
    const { from, to } = this.actors.packetAt(packet);
    return this.actors.at(actors[to - 1] as number).peer.links.has(from);
  }

  #numberOf(history: History): number {
    return this.#histories.number(historyText(history), () => history);
  }

  // ── worlds as text ─────────────────────────────────────────────────────────────────────────────────────────────

  textOf({ actors, counts, slow, history, packets, late }: World): string {
    const counted = COUNTED.map((what) => counts[what]);
    return pack([...actors, ...counted, history, slow.length, ...slow, packets.length, ...packets, ...late]);
  }

  worldOf(text: string): World {
    const numbers = unpack(text);
    const take = (count: number) => numbers.splice(0, count);
    const actors = take(this.#roles.length);
    const counts = Object.fromEntries(take(COUNTED.length).map((n, i) => [COUNTED[i], n])) as Record<Counted, number>;
    const [history = 0, slows = 0] = take(2);
    const slow = take(slows);
    const [packets = 0] = take(1);
    return { actors, counts, slow, history, packets: take(packets), late: numbers };
  }

  // ── in words ───────────────────────────────────────────────────────────────────────────────────────────────────

  /** A path of moves, each with what came of it; nothing is said of what came of the last. */
  retell(start: string, path: readonly number[]): string[] {
    let world = this.worldOf(start);
    return path.map((at, i) => {
      const move = this.moves(world)[at] as Move;
      if (i === path.length - 1) return move.words();
      const next = this.after(world, move);
      const changes = next.actors.flatMap((n, place) => this.#change(world.actors[place] as number, n));
      world = next;
      return [move.words(), ...changes].join(" → ");
    });
  }

  #change(before: number, after: number): string[] {
    const { peer: was } = this.actors.at(before);
    const { peer: is, self } = this.actors.at(after);
    const changes: string[] = [];
    if (is.leadership !== null && was.leadership === null)
      changes.push(`${self.id} leads with ${formatBallot(is.leadership.ballot)}`);
    if (is.log.commit > was.log.commit) changes.push(`${self.id} commits through ${is.log.commit}`);
    return changes;
  }

  #tell(packet: number): string {
    const { from, to, frame } = this.actors.packetAt(packet);
    const words = [`${frame.type} from ${from} to ${to}`];
    if ("ballot" in frame && frame.ballot !== null) words.push(`ballot ${formatBallot(frame.ballot)}`);
    if ("tail" in frame) words.push(`tail ${frame.tail.index} of ${formatBallot(frame.tail.ballot)}`);
    if ("match" in frame) words.push(`match ${frame.match}`);
    if ("commit" in frame) words.push(`commit ${frame.commit}`);
    if ("entries" in frame) words.push(...frame.entries.map((e) => `entry ${e.index} (${e.kind})`));
    return words.join(", ");
  }
}

/** Numbers below 2^30 as text: one character below 2^15, else two. */
function pack(numbers: readonly number[]): string {
  const codes: number[] = [];
  for (const n of numbers) {
    if (n < 0x8000) codes.push(n);
    else codes.push(0x8000 | (n >>> 15), n & 0x7fff);
  }
  return String.fromCharCode(...codes);
}

function unpack(text: string): number[] {
  const numbers: number[] = [];
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    numbers.push(code < 0x8000 ? code : (code & 0x7fff) * 0x8000 + text.charCodeAt(++i));
  }
  return numbers;
}
