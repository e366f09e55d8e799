/**
 * The actors of a search: every state in which one peer and its disk were ever found, numbered, with the state that
 * each event leads to. What an actor does depends on its own state and the event alone, so it is tried once and
 * remembered: a cluster has many states because its actors' few states combine, and combining costs little.
 */
import { DEFAULT_TIMINGS, type Timings } from "../core/config.ts";
import type { Frame } from "../core/frame.ts";
import { type Ballot, compareBallots, formatBallot, type MemberKey, NO_BALLOT, type PeerId } from "../core/ids.ts";
import type { Entry, Genesis, Role } from "../core/log-entry.ts";
import type { LogState } from "../core/log-state.ts";
import type { Peer } from "../engines/bully/peer.ts";
import type { Input, Output } from "../engines/engine.ts";
import { Catalogue, copyOf, deepFreeze, EPOCH, textOf } from "./explore-graph.ts";
import { Broken } from "./explore-history.ts";
import type { Actor } from "./explore-shapes.ts";

/** The production core with its private fields open, and perhaps with a rule broken on purpose. */
export interface OpenCore {
  readonly Peer: typeof Peer;
  readonly LogState: typeof LogState;
}

const UNIT_MS = DEFAULT_TIMINGS.defer;
/**
 * Every wait takes one unit, so that "until the next deadline" is one step, and the search chooses which deadline comes
 * first. A leader never finds out by itself that it is alone, because a stale leader does most harm.
 */
const TIMINGS: Timings = Object.freeze({
  ...DEFAULT_TIMINGS,
  heartbeat: UNIT_MS,
  leaderTimeout: UNIT_MS,
  defer: UNIT_MS,
  retryMin: UNIT_MS,
  retryMax: UNIT_MS,
  quit: UNIT_MS,
  // Two units, because a leader has asked nobody before its first heartbeat.
  eviction: 2 * UNIT_MS,
  quorumCheck: EPOCH / 4,
  stall: EPOCH / 4,
});

/** A frame under way, which is also the event of its arrival. A link has the id of the peer at its other end. */
export interface Packet {
  readonly type: "packet";
  readonly from: number;
  readonly to: number;
  readonly frame: Frame;
}

export type ActorEvent =
  | Packet
  | { readonly type: "input"; readonly input: Input }
  /** Its clock moves on to its next deadline. */
  | { readonly type: "time" }
  | { readonly type: "promise-synced" }
  | { readonly type: "log-synced" }
  /** Its machine loses power, and it starts again on what its disk had confirmed. */
  | { readonly type: "restart" };

export interface ActorStep {
  readonly next: number;
  readonly sent: readonly number[];
  /** It wants its process to end. */
  readonly ends: boolean;
  readonly broken: Broken | null;
}

export class Actors {
  readonly #core: OpenCore;
  readonly #genesis: Entry;
  readonly #states = new Catalogue<Actor>();
  readonly #events = new Catalogue<ActorEvent>();
  readonly #lines = new Catalogue<null>();
  readonly #steps = new Map<number, ActorStep>();

  constructor(core: OpenCore, roles: readonly Role[]) {
    this.#core = core;
    this.#genesis = this.#genesisOf(roles);
  }

  get size(): number {
    return this.#states.size;
  }

  /**
   * The highest values that any actor reached: the promised term, the entries written, the changes of the configuration
   * in one log.
   */
  get highest(): { readonly term: number; readonly index: number; readonly changes: number } {
    const highest = { term: 0, index: 0, changes: 0 };
    for (const { peer, log } of this.#states.all) {
      highest.term = Math.max(highest.term, peer.promised.term);
      highest.index = Math.max(highest.index, log.length);
      highest.changes = Math.max(highest.changes, log.filter((e) => e.kind === "config").length);
    }
    return highest;
  }

  /** The peer with this id when it first starts. */
  first(id: PeerId): number {
    const self = Object.freeze({ id, inc: `i${id}` });
    return this.#number({ self, promised: NO_BALLOT, boots: 0 }, this.#start(self, [this.#genesis], NO_BALLOT, 0));
  }

  at(number: number): Actor {
    return this.#states.at(number);
  }

  event(event: ActorEvent): number {
    return this.#events.number(JSON.stringify(event), () => deepFreeze(event));
  }

  packetAt(number: number): Packet {
    return this.#events.at(number) as Packet;
  }

  step(from: number, event: number): ActorStep {
    const key = from * 2 ** 24 + event;
    let step = this.#steps.get(key);
    if (step === undefined) {
      const before = this.#states.at(from);
      const happens = this.#events.at(event);
      step = happens.type === "restart" ? this.#restart(before) : this.#take(before, happens);
      this.#steps.set(key, step);
    }
    return step;
  }

  #take(before: Actor, event: Exclude<ActorEvent, { type: "restart" }>): ActorStep {
    const peer = copyOf(before.peer);
    const now = event.type === "time" ? Math.max(peer.now, peer.wakeAt()) : peer.now;
    let broken: Broken | null = null;
    try {
      peer.step(inputOf(event, peer), now);
      peer.settle(now);
    } catch (error) {
      if (!(error instanceof Error)) throw error;
      broken = new Broken("assertion", `peer ${before.self.id}: ${error.message}`);
    }
    const outputs = peer.takeOutputs();
    const promised = event.type === "promise-synced" ? peer.promised : before.promised;
    const packets = outputs.flatMap((output) => packetOf(output, peer) ?? []);
    broken ??= backOn(before, peer) ?? packets.map((p) => unboundBy(p, promised)).find((b) => b !== null) ?? null;
    const next = this.#number({ ...before, promised }, peer);
    const sent = packets.map((packet) => this.event(packet));
    return { next, sent, ends: outputs.some((o) => o.do === "stop"), broken };
  }

  #restart({ self, peer, promised, boots, log }: Actor): ActorStep {
    const again = this.#start(self, log.slice(0, peer.log.durable), promised, boots + 1);
    return { next: this.#number({ self, promised, boots: boots + 1 }, again), sent: [], ends: false, broken: null };
  }

  #start(self: MemberKey, entries: readonly Entry[], promised: Ballot, boots: number): Peer {
    const state = new this.#core.LogState();
    for (const entry of entries) state.apply(entry);
    const options = Object.freeze({
      self: Object.freeze({ ...self, boot: boots + 1 }),
      address: Object.freeze(addressOf(self.id)),
      timings: TIMINGS,
      seal: this.#seal,
      random: () => 0,
      wall: () => 0,
      session: `s${boots}`,
      newSession: () => "another",
    });
    // The noted commit index is only a hint; without it the peer has to find out more again [D7].
    const disk = { state, entries, beforeCrc: 0, durable: entries.length, commit: 1, promised };
    const peer = new this.#core.Peer(options, { ...disk, faulty: false, outbox: [] }, EPOCH);
    peer.settle(EPOCH);
    peer.takeOutputs();
    return peer;
  }

  #number({ self, promised, boots }: Pick<Actor, "self" | "promised" | "boots">, peer: Peer): number {
    const text = `${boots} ${formatBallot(promised)} ${textOf(peer, peer.now)}`;
    const { log } = peer;
    return this.#states.number(text, () => {
      const entries = Array.from({ length: log.last }, (_, i) => log.entryAt(i + 1) as Entry);
      return { self, peer, promised, boots, log: entries };
    });
  }

  /** Logs whose entries at some index have the same crc are the same up to there: it numbers the line and all before it. */
  readonly #seal = (entry: Entry, prevCrc: number): void => {
    const { chunk: _chunk, ...content } = entry;
    entry.crc = 1 + this.#lines.number(`${prevCrc} ${JSON.stringify(content)}`, () => null);
    deepFreeze(entry);
  };

  #genesisOf(roles: readonly Role[]): Entry {
    const members = roles.map((role, i) => ({ id: i + 1, inc: `i${i + 1}`, ...addressOf(i + 1), role }));
    const data: Genesis = { cluster_id: "c", segment_entries: 100, segment_bytes: 10_000, members, prev_voters: [] };
    const unused = { room_id: "", seq_no: 0, sender_id: 0, session: "", counter: 0, user: "", ts: 0, text: "" };
    const line = { crc: 0, chunk: new Uint8Array(0), start: 0, end: 0 };
    const maker = { term: 0, leader_id: 1, inc: "i1", boot: 1 };
    const entry: Entry = { index: 1, ...maker, kind: "genesis", ...unused, data, ...line };
    this.#seal(entry, 0);
    return entry;
  }
}

export function addressOf(id: number): { readonly host: string; readonly port: number } {
  return { host: "h", port: id };
}

function inputOf(event: Exclude<ActorEvent, { type: "restart" }>, peer: Peer): Input {
  switch (event.type) {
    case "packet":
      return { type: "frame", link: event.from, frame: event.frame };
    case "input":
      return event.input;
    case "time":
      return { type: "tick" };
    case "promise-synced":
      return { type: "promised", ballot: peer.promised };
    case "log-synced":
      return { type: "durable", index: peer.log.last };
  }
}

function packetOf(output: Output, peer: Peer): Packet | null {
  const sent = { type: "packet", from: peer.self.id } as const;
  if (output.do === "send") return { ...sent, to: output.link, frame: output.frame };
  if (output.do !== "serve") return null;
  const { after, ballot, link, through } = output;
  const { log } = peer;
  const prev = { prev_index: after.index, prev_ballot: after.ballot, prev_crc: log.crcAt(after.index) };
  const entries = Array.from({ length: through - after.index }, (_, i) => log.entryAt(after.index + 1 + i) as Entry);
  const frame: Frame = { type: "CATCHUP_RESP", ballot, ...prev, commit: log.commit, entries, hint: null, more: false };
  return { ...sent, to: link, frame };
}

/** [I7] */
function backOn({ self, peer: { promised } }: Actor, after: Peer): Broken | null {
  if (compareBallots(after.promised, promised) >= 0) return null;
  const what = `peer ${self.id} had promised ${formatBallot(promised)}, and now ${formatBallot(after.promised)}`;
  return new Broken("promise", what);
}

/** [D2] A peer that has told another that it is bound to a ballot must still be bound to it after losing power. */
function unboundBy({ from, frame }: Packet, promised: Ballot): Broken | null {
  const binds = frame.type === "PREPARE" || frame.type === "PROMISE" || frame.type === "SEQ_ACK";
  if (!binds || compareBallots(frame.ballot, promised) <= 0) return null;
  const what = `peer ${from} says ${frame.type} ${formatBallot(frame.ballot)}; on its disk is ${formatBallot(promised)}`;
  return new Broken("promise", what);
}
