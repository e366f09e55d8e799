/** Carries out the steps of a plan, and takes back all that they did. */
import type { Cast, Peer } from "./cast.ts";
import type { Disks } from "./disks.ts";
import type { Network } from "./network.ts";
import { HOSTS, type Plan, type Step } from "./plan.ts";
import type { Talker } from "./talker.ts";

/** Of a message of a burst. */
const BURST_FILLER = " ".padEnd(400, "x");
const ALL_HOSTS: readonly number[] = Array.from({ length: HOSTS }, (_, i) => i + 1);
/** Between a peer's death and its eviction: the others have noticed. */
const EVICT_MS = 500;
/** A peer that quits in a minority leaves within 2 s, says the manual; then it is killed, so that a round goes on. */
const QUIT_MS_MAX = 8000;

export class Faults {
  readonly #network: Network;
  readonly #disks: Disks;
  readonly #cast: Cast;
  readonly #timers = new Set<ReturnType<typeof setTimeout>>();
  readonly #frozen = new Set<Talker>();
  /** Peers that are stopped and started again. */
  readonly #moves: Promise<void>[] = [];

  constructor(network: Network, disks: Disks, cast: Cast) {
    this.#network = network;
    this.#disks = disks;
    this.#cast = cast;
  }

  /** Whom it cannot hit, because he is down already, it leaves alone. */
  carryOut(step: Step): void {
    const network = this.#network;
    switch (step.do) {
      case "kill":
        return this.#end(this.#running(step.peer), "SIGKILL");
      case "kill-leader":
        return this.#end(this.#cast.leader, "SIGKILL");
      case "kill-all":
        for (const peer of this.#cast.running) this.#end(peer, "SIGKILL");
        return;
      case "quit":
        return this.#end(this.#running(step.peer), "/quit");
      case "quit-leader":
        return this.#end(this.#cast.leader, "/quit");
      case "restart":
        return void this.#moves.push(this.#restart(this.#running(step.peer)));
      case "evict":
        this.#end(this.#running(step.peer), "SIGKILL");
        return this.#later(EVICT_MS, () => this.#cast.running[0]?.talker.line(`/evict ${step.peer}`));
      case "join":
        return this.#cast.start(step.peer, step.host);
      case "leave": {
        const guest = this.#running(step.peer);
        if (guest !== undefined) guest.left = true;
        return this.#end(guest, "/quit");
      }
      case "mute":
        return this.#running(step.peer)?.talker.mute();
      case "freeze":
        return this.#freeze(this.#running(step.peer), step.ms);
      case "freeze-leader":
        return this.#freeze(this.#cast.leader, step.ms);
      case "cut":
        network.cut(step.from, step.to);
        return network.cut(step.to, step.from);
      case "cut-way":
        return network.cut(step.from, step.to);
      case "split":
        return this.#split(step.side);
      case "unplug":
        return network.unplug(step.host);
      case "slow-line":
        return network.slow(step.host, step.kbit);
      case "far-line":
        return network.delay(step.host, step.ms);
      case "lossy-line":
        return network.lose(step.host, step.percent);
      case "fill":
        return this.#disks.fill(step.host);
      case "slow-disk": {
        const peer = this.#running(step.peer);
        return peer === undefined ? undefined : this.#disks.slow(peer.talker.pid, step.ms);
      }
      case "move":
        return void this.#moves.push(this.#move([step.host], step.quits ? "/quit" : "SIGKILL"));
      case "move-all":
        // A client cannot learn the new addresses of the peers: its user types them.
        for (const client of this.#cast.clients) {
          client.ended = true;
          client.talker.signal("SIGKILL");
        }
        return void this.#moves.push(this.#move(ALL_HOSTS, "SIGKILL"));
      case "burst":
        for (let i = 0; i < step.count; i++) this.#running(step.peer)?.talker.say(BURST_FILLER);
    }
  }

  /** Makes everything work again, and starts all that should be running. */
  async heal({ order }: Plan): Promise<void> {
    for (const timer of this.#timers) clearTimeout(timer);
    this.#timers.clear();
    this.#network.heal();
    await this.#disks.heal();
    for (const talker of this.#frozen) talker.signal("SIGCONT");
    this.#frozen.clear();
    for (const talker of this.#cast.talkers) talker.readOn();
    await Promise.all(this.#moves.splice(0));
    await Promise.all([...this.#cast.peers.values()].filter((peer) => peer.ended).map(gone));
    for (const id of order) if (this.#cast.peers.get(id)?.left === false) this.#cast.start(id);
  }

  #running(id: number): Peer | undefined {
    const peer = this.#cast.peers.get(id);
    return peer?.talker.runs === true ? peer : undefined;
  }

  #end(peer: Peer | undefined, how: End): void {
    if (peer === undefined) return;
    peer.ended = true;
    if (how === "/quit") peer.talker.line(how);
    else peer.talker.signal(how);
  }

  async #restart(peer: Peer | undefined): Promise<void> {
    // The step that ended it starts it again, perhaps at another address.
    if (peer === undefined || peer.ended) return;
    this.#end(peer, "SIGKILL");
    await gone(peer);
    this.#cast.start(peer.id);
  }

  #freeze(peer: Peer | undefined, ms: number): void {
    if (peer === undefined) return;
    const { talker } = peer;
    talker.signal("SIGSTOP");
    this.#frozen.add(talker);
    this.#later(ms, () => {
      talker.signal("SIGCONT");
      this.#frozen.delete(talker);
    });
  }

  #split(side: readonly number[]): void {
    for (let other = 1; other <= HOSTS; other++)
      if (!side.includes(other))
        for (const host of side) {
          this.#network.cut(host, other);
          this.#network.cut(other, host);
        }
  }

  /** In good order; or as if the address were gone at once, so that no side hears that its connections are over. */
  async #move(hosts: readonly number[], how: End): Promise<void> {
    const peers = this.#cast.running.filter((peer) => hosts.includes(peer.host));
    if (how === "SIGKILL") for (const host of hosts) this.#network.move(host);
    for (const peer of peers) this.#end(peer, how);
    await Promise.all(peers.map(gone));
    if (how === "/quit") for (const host of hosts) this.#network.move(host);
    for (const { id } of peers) this.#cast.start(id);
  }

  #later(ms: number, go: () => void): void {
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      go();
    }, ms);
    this.#timers.add(timer);
  }
}

type End = "SIGKILL" | "/quit";

/** Of those that were asked to end. */
async function gone({ talker }: Peer): Promise<void> {
  const timer = setTimeout(() => talker.signal("SIGKILL"), QUIT_MS_MAX);
  await talker.exited;
  clearTimeout(timer);
}
