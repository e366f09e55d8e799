/**
 * The protocol without network, disk and time: `bun bench/core.bench.ts`. Peers hand each other their frames as objects,
 * and a disk that is a list confirms at once, so this is what the state machines themselves cost.
 */
import { DEFAULT_TIMINGS } from "../src/core/config.ts";
import type { Frame } from "../src/core/frame.ts";
import { type LinkId, NO_BALLOT } from "../src/core/ids.ts";
import type { Draft, Role } from "../src/core/log-entry.ts";
import { LogState } from "../src/core/log-state.ts";
import { Peer } from "../src/engines/bully/peer.ts";
import type { Output } from "../src/engines/engine.ts";
import { makeSeal } from "../src/wire/entry.ts";
import { genesisOf } from "../test/core/entries.ts";
import { textOf } from "./protocol.ts";
import { suite } from "./suite.ts";

/** A link is named after the peer at its other end. */
const linkTo = (peer: Peer): LinkId => Number(peer.self.id);

/** Peers 1, 2, … connected to each other. */
class Cluster {
  now = 1000;
  readonly peers: readonly Peer[];
  committed = 0;
  readonly #frames: { readonly to: number; readonly from: number; readonly frame: Frame }[] = [];

  constructor(size: number) {
    const genesis = genesisOf(Array<Role>(size).fill("voter"));
    this.peers = Array.from({ length: size }, (_, i) => {
      const state = new LogState();
      state.apply(genesis);
      const address = { host: "127.0.0.1", port: 6001 + i };
      const self = { id: i + 1, inc: `i${i + 1}`, boot: 1 };
      return new Peer(
        {
          self,
          address,
          timings: DEFAULT_TIMINGS,
          seal: makeSeal(),
          random: () => i / 10,
          wall: () => 0,
          session: "s",
          newSession: () => "t",
        },
        {
          ...{ state, entries: [genesis], beforeCrc: 0, durable: 1, commit: 1 },
          ...{ promised: NO_BALLOT, faulty: false, outbox: [] },
        },
        this.now,
      );
    });
    for (const a of this.peers) for (const b of this.peers) if (a !== b) this.#connect(a, b);
    while (this.leader === null) this.pass(50);
    // A young cluster hands the lead to its highest peer, and one that is alone takes no message at first.
    this.pass(DEFAULT_TIMINGS.founding);
  }

  get leader(): Peer | null {
    return this.peers.find((p) => p.leadership !== null) ?? null;
  }

  #connect(a: Peer, b: Peer): void {
    a.step({ type: "link-up", link: linkTo(b), peer: { ...b.self, ...b.options.address } }, this.now);
  }

  say(peer: Peer, drafts: readonly Draft[]): void {
    peer.step({ type: "submit", drafts }, this.now);
    this.quiet();
  }

  /** Its connections close, until `reconnect`. */
  isolate(peer: Peer): void {
    for (const other of this.peers) {
      if (other === peer) continue;
      other.step({ type: "link-down", link: linkTo(peer) }, this.now);
      peer.step({ type: "link-down", link: linkTo(other) }, this.now);
    }
  }

  reconnect(peer: Peer): void {
    for (const other of this.peers) {
      if (other === peer) continue;
      this.#connect(peer, other);
      this.#connect(other, peer);
    }
  }

  pass(ms: number): void {
    for (const end = this.now + ms; this.now < end; ) {
      this.now = Math.min(end, this.now + 50);
      this.quiet();
    }
  }

  /** Until nobody has anything to do or to send. */
  quiet(): void {
    for (let busy = true; busy; ) {
      busy = false;
      for (const peer of this.peers) {
        peer.settle(this.now);
        for (const output of peer.takeOutputs()) {
          busy = true;
          this.#carryOut(peer, output);
        }
        peer.log.trim(true, peer.log.commit);
      }
      for (const { to, from, frame } of this.#frames.splice(0)) {
        busy = true;
        const peer = this.peers[to - 1] as Peer;
        if (peer.links.has(from)) peer.step({ type: "frame", link: from, frame }, this.now);
      }
    }
  }

  #carryOut(peer: Peer, output: Output): void {
    if (output.do === "append") {
      const last = output.entries.at(-1);
      if (last !== undefined) peer.step({ type: "durable", index: last.index }, this.now);
    } else if (output.do === "promise") peer.step({ type: "promised", ballot: output.ballot }, this.now);
    else if (output.do === "send") this.#frames.push({ to: output.link, from: peer.self.id, frame: output.frame });
    else if (output.do === "commit") this.committed = Math.max(this.committed, output.through);
  }
}

const BATCH = 512;
const drafts = Array.from({ length: BATCH }, (_, i) => ({
  ...{ room_id: "general", user: "peer_1", ts: 1_700_000_000_000, payload: textOf(i + 1, 100) },
}));
const [draft] = drafts as [Draft];

/** The least that any peer must do: a line for the message. */
const control = (messages: readonly Draft[]) => () => {
  for (const message of messages) if (JSON.stringify(message) === "") throw new Error("nothing");
};

const [one, trio] = [new Cluster(1), new Cluster(3)];
const submit = (cluster: Cluster, messages: readonly Draft[]) => () => {
  const before = cluster.committed;
  cluster.say(cluster.leader as Peer, messages);
  if (cluster.committed < before + messages.length) throw new Error("not committed");
};

await suite(
  "one message, from submit to commit",
  { name: "JSON.stringify of it", units: 1, run: control([draft]) },
  { name: "one core step, alone in its cluster", units: 1, run: submit(one, [draft]) },
  { name: "on all of three peers", units: 1, run: submit(trio, [draft]) },
);
await suite(
  `${BATCH} messages at once`,
  { name: "JSON.stringify of them", units: BATCH, run: control(drafts) },
  { name: "alone in its cluster", units: BATCH, run: submit(one, drafts) },
  { name: "on all of three peers", units: BATCH, run: submit(trio, drafts) },
);

const elections = new Cluster(3);
elections.say(elections.leader as Peer, [draft]);
let away: Peer | null = null;
await suite(
  "an election round, three peers, one of them gone",
  { name: "a round in which nothing is to do", units: 1, run: () => elections.quiet() },
  {
    name: "election round",
    units: 1,
    before: () => {
      if (away !== null) elections.reconnect(away);
      elections.pass(500);
      away = elections.leader;
    },
    run: () => {
      elections.isolate(away as Peer);
      while (elections.peers.every((p) => p === away || p.leadership === null)) elections.pass(10);
    },
  },
);
