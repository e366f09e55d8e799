/**
 * The peers on the hosts, each with its directory, and the thin clients. Starts them, and knows which of them should be
 * running.
 */
import { closeSync, openSync } from "node:fs";
import { join } from "node:path";
import type { Disks } from "./disks.ts";
import type { Ledger, Stream } from "./ledger.ts";
import type { Network } from "./network.ts";
import { HOSTS } from "./plan.ts";
import { Talker } from "./talker.ts";

const BINARY = new URL("../../dist/chatpeer", import.meta.url).pathname;
const CLIENTS = 3;

export interface Peer {
  readonly id: number;
  readonly host: number;
  readonly talker: Talker;
  /** It has left, or should be running. */
  left: boolean;
  /** The fight has ended it, so its end is expected. */
  ended: boolean;
}

interface Client {
  readonly host: number;
  readonly talker: Talker;
  ended: boolean;
}

export class Cast {
  readonly peers = new Map<number, Peer>();
  readonly clients: Client[] = [];
  readonly #root: string;
  readonly #network: Network;
  readonly #disks: Disks;
  readonly #ledger: Ledger;
  #started = 0;

  constructor(root: string, network: Network, disks: Disks, ledger: Ledger) {
    this.#root = root;
    this.#network = network;
    this.#disks = disks;
    this.#ledger = ledger;
  }

  /** All that run. */
  get talkers(): Talker[] {
    return [...this.running.map((peer) => peer.talker), ...this.clients.map((c) => c.talker).filter((t) => t.runs)];
  }

  get running(): Peer[] {
    return [...this.peers.values()].filter((peer) => peer.talker.runs);
  }

  /** As the peers themselves say it. */
  get leader(): Peer | undefined {
    return this.running.find((peer) => peer.talker.role === "leader");
  }

  /** A peer that has never been, or one that is down, in its own directory. */
  start(id: number, host: number = id): void {
    const known = this.peers.get(id);
    if (known?.talker.runs) return;
    const at = known?.host ?? host;
    const others = [...this.peers.values()].filter((peer) => peer.id !== id && !peer.left);
    const words = [
      ...["--id", `${id}`, "--host", this.#network.address(at), "--port", `${portOf(id)}`, "--insecure"],
      ...["--name", `user-${id}`],
      ...["--data-dir", this.#disks.directory(at, id), "--json", "--log-level", "debug"],
      ...others.flatMap((peer) => ["--seed", `${peer.id}:${this.addressOf(peer)}`]),
    ];
    const talker = this.#talker(`peer-${id}`, at, words, known?.talker.stream ?? null);
    this.peers.set(id, { id, host: at, talker, left: false, ended: false });
  }

  /** Clients that do not run are started, each at some peer that knows a leader: where there is none, it is waited for. */
  async startClients(): Promise<void> {
    await Promise.race(this.running.map((peer) => peer.talker.ready));
    const peers = this.running.filter((peer) => peer.talker.isReady);
    for (let i = 0; i < CLIENTS; i++) {
      const peer = peers[(this.#started + i) % peers.length];
      if (peer === undefined || this.clients[i]?.talker.runs) continue;
      const host = this.clients[i]?.host ?? 1 + ((2 * i) % HOSTS);
      const words = ["connect", this.addressOf(peer), "--name", `client-${i + 1}`, "--json"];
      this.clients[i] = { host, talker: this.#talker(`client-${i + 1}`, host, words, null), ended: false };
    }
  }

  /** One message by `send`, from some host, to that peer. */
  send(from: number, peer: Peer, text: string): void {
    const words = ["send", this.addressOf(peer), text, "--timeout", "4s"];
    const child = Bun.spawn(this.#network.on(from, BINARY, ...words), { stdio: ["ignore", "ignore", "ignore"] });
    this.#ledger.oneShots.set(text, Number.NaN);
    void child.exited.then((code) => this.#ledger.oneShots.set(text, code));
  }

  addressOf(peer: Peer): string {
    return `${this.#network.address(peer.host)}:${portOf(peer.id)}`;
  }

  directoryOf(peer: Peer): string {
    return this.#disks.directory(peer.host, peer.id);
  }

  logOf(name: string): string {
    return join(this.#root, `${name}.log`);
  }

  async close(): Promise<void> {
    const talkers = this.talkers;
    for (const talker of talkers) talker.signal("SIGKILL");
    await Promise.all(talkers.map((talker) => talker.exited));
  }

  #talker(name: string, host: number, words: readonly string[], after: Stream | null): Talker {
    const log = openSync(this.logOf(name), "a");
    const stream = this.#ledger.open(`${name}#${++this.#started}`, after);
    const talker = new Talker(name, this.#network.on(host, BINARY, ...words), this.#ledger, stream, log);
    closeSync(log);
    return talker;
  }
}

function portOf(id: number): number {
  return 6000 + id;
}
