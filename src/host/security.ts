/**
 * Plain or secured [A1]: that belongs to the cluster, and decides over what this peer speaks. A secured one is never spoken
 * with in the clear. A plain one may become secured while it runs [A10]: as long as that is not settled, peers that know of
 * it already are dialled over TLS, and those that do not as before.
 */
import { type Address, isLoopback, place } from "../core/address.ts";
import { type Key, type LogIndex, type Millis, sameMember } from "../core/ids.ts";
import type { EngineView } from "../engines/view.ts";
import type { Network, Trust } from "./contracts.ts";
import type { Transport } from "./net/link-options.ts";
import type { Links } from "./net/links.ts";
import type { Directory } from "./store/directory.ts";
import { HostError, unusable } from "./store/unusable.ts";
import type { Whole } from "./whole.ts";

/** What is plain still carries the news to those behind for so many heartbeats. */
const LAST_HEARTBEATS = 2;
/** A port that was closed a moment ago is free again soon. */
const LISTEN_AGAIN_MS = 100;
const LISTEN_TRIES = 50;
/** The leader is asked when so many looks in a row find all that it needs, and after so many milliseconds in any case. */
const LOOK_MS = 200;
const READY_LOOKS = 3;
const WANTED_MS_MAX = 15_000;

export interface SecurityHost
  extends Pick<Whole, "clock" | "options" | "event" | "log" | "die" | "guarded" | "input" | "peer"> {
  readonly network: Network;
  readonly trust: Trust | null;
  readonly directory: Directory;
  links(): Pick<Links, "listenAnew" | "endPlain">;
  isStopping(): boolean;
}

export class Security {
  readonly #host: SecurityHost;
  #mode: "plain" | "changing" | "secured";
  #key: Key | null = null;
  /** Where keys are proven; null before it is needed. */
  #proven: Network | null = null;
  #isOpening = false;
  #dials = 0;
  #isMaking = false;
  /** When somebody here wanted the cluster secured, and the leader has not been asked yet. */
  #wanted: Millis | null = null;

  /** Throws HostError where the directory's cluster cannot be reached as the options say. */
  constructor(host: SecurityHost) {
    this.#host = host;
    this.#mode = modeOf(host.directory);
    const against = this.#mode === "plain" ? this.#againstPlain() : this.#againstSecured();
    if (against !== null) throw new HostError(against);
    if (this.#mode === "plain" && host.options.insecure === true) this.#warn();
  }

  /** Of this directory; null where it has none. */
  get key(): Key | null {
    return this.#key;
  }

  get isSecured(): boolean {
    return this.#mode === "secured";
  }

  /** What others may be told of this peer's key before they ask for a proof of it. */
  get saidKey(): { readonly key?: Key } {
    return this.#key === null || this.isSecured ? {} : { key: this.#key };
  }

  get listens(): Transport {
    return this.isSecured ? this.#secured() : this.#plain;
  }

  /** Of the next dial. */
  dials(): Transport {
    if (this.#mode === "secured") return this.#secured();
    this.#dials += 1;
    return this.#mode === "changing" && this.#proven !== null && this.#dials % 2 === 0 ? this.#secured() : this.#plain;
  }

  get #plain(): Transport {
    return { network: this.#host.network, isSecured: false };
  }

  #secured(): Transport {
    return { network: this.#proven as Network, isSecured: true };
  }

  /** Reads the key, or makes it; then `done`, at once where there is no trust. */
  open(done: () => void): void {
    const { trust } = this.#host;
    if (trust === null) return done();
    trust.key(this.#mode !== "plain", (error, key) => {
      if (this.#host.isStopping()) return;
      this.#key = key;
      // Until it is to be secured a plain cluster does without.
      if (error !== null && this.#mode === "plain") this.#host.log("warn", `this peer has no key: ${error.message}`);
      else if (error !== null) return this.#host.die(unusable(error));
      if (this.#mode === "plain") return done();
      this.#openNetwork(trust, done);
    });
  }

  /**
   * Others may bind this peer to its key from now on [A10]: it is made where there is none, and links on which it was not
   * said are made anew. Whoever hears of the first key of a plain cluster does the same.
   */
  announce(): void {
    const { trust, log, isStopping } = this.#host;
    if (this.#mode !== "plain" || trust === null || this.#key !== null || this.#isMaking) return;
    this.#isMaking = true;
    trust.key(true, (error, key) => {
      this.#isMaking = false;
      if (isStopping()) return;
      if (error !== null) return log("warn", `this peer has no key: ${error.message}`);
      this.#key = key;
      this.#host.links().endPlain(true);
    });
  }

  /** A person wants the plain cluster secured: the leader is asked when all have said their keys, or in a while anyway. */
  want(): void {
    if (this.#wanted !== null) return;
    if (this.#mode !== "plain" || this.#host.trust === null) return this.#host.input({ type: "secure" });
    this.announce();
    this.#wanted = this.#host.clock.now();
    this.#askSoon(0);
  }

  /** `ready`: so many looks, one after the other, have found nothing missing. The leader learns of the last keys a moment later. */
  #askSoon(ready: number): void {
    const { clock, input } = this.#host;
    clock.after(LOOK_MS, () => {
      const peer = this.#host.peer();
      if (peer === null || this.#wanted === null) return;
      const looks = this.#isReady(peer) ? ready + 1 : 0;
      if (looks < READY_LOOKS && clock.now() - this.#wanted < WANTED_MS_MAX) return this.#askSoon(looks);
      this.#wanted = null;
      input({ type: "secure" });
    });
  }

  /** All have said their keys, and somebody leads. */
  #isReady(peer: EngineView): boolean {
    const known = [...peer.links.values()].filter(({ key }) => key !== undefined);
    const others = peer.present().filter((m) => m.role !== "left" && !sameMember(m, peer.self));
    const areKnown = this.#key !== null && others.every((m) => known.some((linked) => sameMember(linked, m)));
    return areKnown && peer.sequencer !== null && peer.standing.quorum;
  }

  #openNetwork(trust: Trust, done: () => void): void {
    this.#isOpening = true;
    const warn = (message: string) => this.#host.log("warn", message);
    trust.network(warn, (error, network) => {
      if (this.#host.isStopping()) return;
      if (error !== null) return this.#host.die(`TLS is not to be had here: ${error.message}`);
      this.#proven = network;
      this.#host.guarded(done);
    });
  }

  /** After every turn. */
  onTurn(peer: EngineView): void {
    if (this.#mode === "secured" || this.#host.trust === null) return;
    if (!peer.secure) {
      this.#mode = "plain";
      return;
    }
    this.#mode = "changing";
    if (this.#proven === null) {
      if (!this.#isOpening) this.#openNetwork(this.#host.trust, () => {});
      return;
    }
    const settled = settledIndex(peer);
    if (settled !== null && !this.#isAwaited(peer, settled)) this.#secure(peer);
  }

  /** Who is behind hears of it from the leader alone, and as it always did. */
  #isAwaited(peer: EngineView, settled: LogIndex): boolean {
    if (peer.standing.role !== "leader") return false;
    const isBehind = (lag: number | null) => lag !== null && peer.log.last - lag < settled;
    return peer.present().some((m) => m.role !== "left" && peer.isLinked(m) && isBehind(peer.lagOf(m)));
  }

  #secure(peer: EngineView): void {
    const { clock, directory, event, options } = this.#host;
    this.#mode = "secured";
    directory.noteSecure();
    const keys = peer.present().flatMap((m) => {
      const key = m.role === "left" ? null : peer.keyOf(m);
      return key === null ? [] : [`peer ${m.id}: ${key}`];
    });
    const message = `the cluster is secured now: nobody is spoken with in the clear any more. The keys of its members: ${keys.join(", ")}`;
    event({ event: "notice", code: "secured", message });
    this.#listenAnew(LISTEN_TRIES);
    clock.after(LAST_HEARTBEATS * options.timings.heartbeat, () => {
      if (!this.#host.isStopping()) this.#host.links().endPlain();
    });
  }

  #listenAnew(tries: number): void {
    this.#host.links().listenAnew((listening) => {
      if (listening.ok || this.#host.isStopping()) return;
      if (tries === 1) return this.#host.die(listening.message);
      this.#host.clock.after(LISTEN_AGAIN_MS, () => this.#host.isStopping() || this.#listenAnew(tries - 1));
    });
  }

  // ── what a person may not want ─────────────────────────────────────────────────────────────────────────────────

  /** Where others reach this peer from other machines; null: nowhere. */
  get #outside(): Address | null {
    const { host, port, alsoListensAt = [] } = this.#host.options;
    return [{ host, port }, ...alsoListensAt].find((address) => !isLoopback(address.host)) ?? null;
  }

  #warn(): void {
    const outside = this.#outside;
    if (outside === null) return;
    const message = `this cluster is plain: whoever reaches ${place(outside)} can read everything, write in anybody's name, and stop the chat. /secure makes it a secured one`;
    this.#host.event({ event: "notice", code: "insecure", message });
  }

  #againstPlain(): string | null {
    const { directory, options, trust } = this.#host;
    if (trust === null) return null;
    const outside = this.#outside;
    const isWanted = options.secured === true || (outside !== null && options.insecure !== true);
    const { clusterId } = directory;
    if (options.invitation !== undefined)
      return `the data directory belongs to ${clusterId === null ? "a plain cluster" : `cluster ${clusterId}, which is plain`}, and the invitation is to a secured one: choose another --data-dir`;
    if (!isWanted) return null;
    const risk = outside === null ? "" : `, and at ${place(outside)} anybody could read and write in it`;
    if (directory.restored.state.index > 0)
      return `the data directory belongs to a plain cluster${risk}: start it on --host 127.0.0.1 and say /secure when all its peers are here, or say --insecure where everybody who reaches it may do that`;
    if (options.seeds.length > 0)
      return `a peer joins a secured cluster by an invitation${risk === "" ? "" : `, and a plain one is read and written by anybody who reaches ${place(outside as Address)}`}: ask a member for one (/invite member) and start with \`chatpeer join\`; or say --insecure for a plain cluster`;
    return `a cluster that is founded here would be plain${risk}: say --secure, or --insecure where everybody who reaches it may do that`;
  }

  #againstSecured(): string | null {
    const { directory, options, trust } = this.#host;
    const { clusterId, restored } = directory;
    if (trust === null)
      return "the data directory belongs to a secured cluster, and this program cannot prove keys: start it with the command";
    const { invitation } = options;
    if (invitation !== undefined && clusterId !== null && invitation.cluster_id !== clusterId)
      return `the data directory belongs to cluster ${clusterId}, and the invitation is to cluster ${invitation.cluster_id}: choose another --data-dir`;
    if (invitation?.role === "client")
      return "this invitation is for a client, not for a member: `chatpeer connect` takes it";
    if (restored.state.index > 0 || directory.identity.founder || invitation !== undefined) return null;
    return "the data directory was made to join a secured cluster, and has not been admitted yet: start it with its invitation again, or ask for a new one";
  }
}

/** By what the directory says; where its log knows of a change that its identity does not, by that. */
function modeOf({ identity, restored: { state, commit } }: Directory): "plain" | "changing" | "secured" {
  const { newest } = state;
  if (identity.secure === true) return "secured";
  if (newest?.configuration.secure !== true) return "plain";
  return newest.settled !== 0 && newest.settled <= commit ? "secured" : "changing";
}

/** Of the entry that settles the configuration which secures the cluster, or a later one; null: none is committed here. */
function settledIndex({ log }: EngineView): LogIndex | null {
  const isDone = (c: { settled: LogIndex }) => c.settled !== 0 && c.settled <= log.commit;
  const found = log.state.configurations.find((c) => c.configuration.secure === true && isDone(c));
  return found?.settled ?? null;
}
