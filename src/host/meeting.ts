/**
 * Meets other peers: what this peer says of itself, which it lets in, which it dials, and what follows from a refusal.
 */
import type { Frame } from "../core/frame.ts";
import { type LinkId, type LogIndex, type PeerId, sameMember, sameProcess } from "../core/ids.ts";
import type { PeerInfo } from "../core/log-entry.ts";
import type { Hello, Refuse, Twin } from "../core/message.ts";
import { twinsText } from "../core/twin-text.ts";
import { OWN_VERSIONS, sayVersions } from "../core/versions.ts";
import type { EngineView } from "../engines/view.ts";
import type { Who } from "./answers/who.ts";
import type { Clients } from "./client/attached-clients.ts";
import type { Namesakes } from "./namesakes.ts";
import { endsPeer, judgeHello, type Origin } from "./net/admission.ts";
import { refusal } from "./net/channel.ts";
import type { Links } from "./net/links.ts";
import type { Presence } from "./net/presence.ts";
import type { Directory } from "./store/directory.ts";
import { type Pair, whereOf } from "./twins.ts";
import type { Whole } from "./whole.ts";

const REFUSALS_KEPT = 1000;

export interface MeetingHost extends Whole {
  readonly directory: Directory;
  readonly who: Who;
  readonly presence: Presence;
  readonly namesakes: Pick<Namesakes, "lookSoon">;
  links(): Pick<Links, "setTargets" | "refuse" | "tellTwins">;
  clients(): Pick<Clients, "refuseSaid">;
}

export class Meeting {
  readonly #host: MeetingHost;
  /** The targets as the engine named them last. */
  #targets: readonly PeerInfo[] | null = null;
  /** Refusals that were reported: a peer that dials again is refused again. */
  readonly #refusals = new Set<string>();
  #committedElsewhere: LogIndex = 0;
  /** Links whose other side belongs to a cluster. */
  readonly #founded = new Set<LinkId>();

  constructor(host: MeetingHost) {
    this.#host = host;
  }

  /** The highest commit index that a leader has named. */
  get committedElsewhere(): LogIndex {
    return this.#committedElsewhere;
  }

  /** This peer belongs to a cluster, or somebody that it is linked with does. */
  get hasCluster(): boolean {
    return this.#founded.size > 0 || this.#host.directory.clusterId !== null;
  }

  hello(): Hello {
    const { clock, directory, options } = this.#host;
    const address = this.#host.core()?.address ?? { host: options.host, port: options.port };
    return {
      type: "HELLO",
      ...sayVersions(OWN_VERSIONS),
      cluster_id: directory.clusterId,
      ...directory.self,
      ...address,
      wall: clock.wall(),
    };
  }

  judge(hello: Hello, from: Origin): Refuse | null {
    const peer = this.#host.core();
    if (peer === null) return refusal("closing", "this peer is starting or stopping: try again");
    const { self, twins } = peer;
    if (twins.length > 0) return refusal("closing", twinsText(self.id, twins));
    const judgement = judgeHello(hello, from, peer, this.#host.directory.clusterId);
    if (judgement?.notice !== undefined)
      this.#host.event({ event: "notice", code: "emptied-founder", message: judgement.notice });
    return judgement?.refuse ?? null;
  }

  onUp(link: LinkId, hello: Hello): void {
    const { id, inc, boot, host, port, cluster_id } = hello;
    if (cluster_id !== null) this.#founded.add(link);
    this.#host.input({ type: "link-up", link, peer: { id, inc, boot, host, port } });
    this.#host.namesakes.lookSoon();
  }

  onDown(link: LinkId): void {
    const gone = this.#host.core()?.links.get(link);
    this.#founded.delete(link);
    this.#host.input({ type: "link-down", link });
    if (gone !== undefined) this.#host.who.onLinkDown(link, gone.id);
  }

  onFrame(link: LinkId, frame: Frame): void {
    const { directory } = this.#host;
    if (frame.type === "JOIN_ACK" && directory.clusterId === null) {
      // From here on this directory belongs to one cluster. A seed of another cluster is told so.
      let isBound = false;
      this.#host.guarded(() => {
        isBound = directory.bindCluster(frame.cluster_id);
      });
      if (!isBound) return;
    } else if (frame.type === "JOIN_ACK" && frame.cluster_id !== directory.clusterId) return;
    if (frame.type === "ASK") return this.#host.who.onAsk(link, frame);
    if (frame.type === "TELL") return this.#host.who.onTold(link, frame);
    if (frame.type === "HEARTBEAT" || frame.type === "SEQ_CHAT")
      this.#committedElsewhere = Math.max(this.#committedElsewhere, frame.commit);
    this.#host.input({ type: "frame", link, frame });
  }

  onTwins(pair: Pair): void {
    const own = this.#host.directory.self;
    const other = pair.find((one) => !sameProcess(one, own)) as Hello;
    if (sameMember(other, own)) return this.#host.input({ type: "twin", twin: other });
    this.#tellTwins(other.id, pair.map(whereOf));
  }

  /** Stops talking to other peers: its twin may say something else in the same name. */
  standAside(peer: EngineView, at: readonly Twin[]): void {
    this.#tellTwins(peer.self.id, at);
    this.#host.links().setTargets([]);
    this.#host.links().tellTwins(peer.self, at);
    for (const link of peer.links.keys())
      this.#host.links().refuse(link, refusal("closing", twinsText(peer.self.id, at)));
  }

  #tellTwins(id: PeerId, at: readonly Twin[]): void {
    const message = twinsText(id, at);
    this.#host.log("error", message);
    this.#host.event({ event: "twins", id, at, message });
  }

  onRefused(address: string, refused: Refuse, dialled: boolean, by: Hello | null): void {
    if (refused.twin !== undefined) {
      if (by !== null && this.#host.core()?.knows(by) === true) this.#host.input({ type: "twin", twin: refused.twin });
      return;
    }
    const message = `refused by ${address}: ${refused.message}`;
    if (this.#refusals.has(message)) return;
    if (this.#refusals.size >= REFUSALS_KEPT) this.#refusals.clear();
    this.#refusals.add(message);
    const peer = this.#host.peer();
    if (peer === null) return;
    if (endsPeer(refused, dialled, peer)) {
      const { pending } = peer;
      // A founding peer took none of them, and the restart that the message advises leaves its outbox behind.
      if (peer.founding > 0) this.#host.clients().refuseSaid(message);
      const typed = `. ${pending === 1 ? "1 message" : `${pending} messages`} typed here will not be sent`;
      return this.#host.die(pending > 0 ? message + typed : message);
    }
    // These refusals come from peers that waited in vain while this process stood still.
    if (this.#host.presence.isSettling) return this.#host.log("debug", message);
    this.#host.event({ event: "error", code: refused.code, message });
  }

  /** Twice the time after which followers suspect a leader at the other side, so that they go first. */
  silenceMax(link: LinkId): number {
    return this.#host.core()?.linkSilence(link) ?? 2 * this.#host.options.timings.leaderTimeout;
  }

  /**
   * Decides which peers to dial, at which addresses. What a person says now comes first and is never left out, because
   * the log's address of a member may be out of date. A seed that is no member is told if it belongs to another
   * cluster.
   */
  updateTargets(peer: EngineView): void {
    if (peer.twins.length > 0) return;
    const targets = peer.targets();
    if (targets === this.#targets) return;
    this.#targets = targets;
    const known = [...this.#host.options.seeds, ...targets];
    this.#host.links().setTargets(known.filter(({ id }) => id !== peer.self.id));
  }
}
