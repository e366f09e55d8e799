/**
 * Who is let in where keys are proven [A3] [A4]: members by their keys, strangers with an invitation and to nothing but
 * their JOIN, and nobody any more who was evicted.
 */
import { REDEEM_REFUSALS } from "../core/access-log.ts";
import { place } from "../core/address.ts";
import { type Key, type LinkId, type LogIndex, sameMember } from "../core/ids.ts";
import type { Hello, Join, Refuse } from "../core/message.ts";
import type { EngineView } from "../engines/view.ts";
import { pinOf } from "../wire/invitation.ts";
import type { Trust } from "./contracts.ts";
import { judgeHello, type Origin } from "./net/admission.ts";
import type { Links } from "./net/links.ts";
import { refusal, refusalFor } from "./net/refusal.ts";
import type { Security } from "./security.ts";
import type { Directory } from "./store/directory.ts";
import type { Whole } from "./whole.ts";

export interface GateHost extends Pick<Whole, "clock" | "options" | "core" | "die"> {
  readonly trust: Trust | null;
  readonly directory: Directory;
  readonly security: Security;
  links(): Pick<Links, "refuse" | "reconsider">;
}

export class Gate {
  readonly #host: GateHost;
  readonly #pins: ReadonlySet<string>;
  /** Hash of the invitation with which each came that is no member yet. */
  readonly #guests = new Map<LinkId, string>();
  /** Of whom the configuration that was committed last, and where it stands. */
  #committed: { readonly index: LogIndex; readonly keys: ReadonlySet<Key> } = { index: 0, keys: new Set() };
  #keys: ReadonlySet<Key> | null = null;

  constructor(host: GateHost) {
    this.#host = host;
    this.#pins = new Set(host.options.invitation?.addresses.map(({ pin }) => pin));
  }

  /** Members, whom members have named, and for who is no member yet those whom its invitation names. */
  trusts(identity: Key): boolean {
    const peer = this.#host.core();
    if (peer?.keys().has(identity) === true) return true;
    return peer !== null && peer.memberOf(peer.self) === null && this.#pins.has(pinOf(identity));
  }

  proves(hello: Hello, identity: Key | null): boolean {
    if (identity === null) return false;
    const { directory, security } = this.#host;
    const known = sameMember(hello, directory.self) ? security.key : (this.#host.core()?.keyOf(hello) ?? null);
    return known === null || known === identity;
  }

  judge(hello: Hello, from: Origin, peer: EngineView): ReturnType<typeof judgeHello> | "stranger" {
    const { directory, options } = this.#host;
    const { clusterId } = directory;
    const invitedTo = options.invitation?.cluster_id;
    if (from.dialled && clusterId === null && hello.cluster_id !== null && hello.cluster_id !== invitedTo) {
      const message = `peer ${hello.id} at ${place(hello)} is in cluster ${hello.cluster_id} now, and the invitation is to cluster ${invitedTo}: ask for a new one`;
      this.#host.die(message);
      return { refuse: refusal("wrong-cluster", message) };
    }
    const isKnown = from.identity !== null && peer.keyOf(hello) === from.identity;
    if (isKnown || from.dialled || hello.id === peer.self.id) return judgeHello(hello, from, peer, clusterId);
    const member = peer.memberOf(hello);
    if (member?.role === "left" && member.key === undefined) return { refuse: evicted(hello.id) };
    if (hello.cluster_id !== null && hello.cluster_id !== clusterId)
      return {
        refuse: refusal("wrong-cluster", "this peer belongs to another cluster: check the address and --data-dir"),
      };
    if (peer.memberOf(peer.self) === null)
      return { refuse: refusal("closing", "this peer is no member itself yet: try again") };
    return "stranger";
  }

  /** Why nobody is admitted with that, or null. */
  admit(hello: Hello, join: Join): Refuse | null {
    const { trust, clock } = this.#host;
    const peer = this.#host.core();
    if (peer === null || trust === null) return refusal("closing", "this peer is starting or stopping: try again");
    if (!sameMember(hello, join)) return refusal("malformed", "a JOIN of somebody else");
    if (join.invite === undefined)
      return refusal(
        "stranger",
        "this cluster is secured, and does not know this peer: ask a member for an invitation (/invite member), and start with `chatpeer join`",
      );
    const why = peer.access.mayRedeem(trust.hash(join.invite), "member", clock.wall());
    return why === null ? null : refusalFor(REDEEM_REFUSALS[why]);
  }

  /** What the engine may know of a JOIN: of a secret its hash. */
  onJoin(link: LinkId, { invite, ...join }: Join): Join {
    if (invite === undefined || this.#host.trust === null) return join;
    const hash = this.#host.trust.hash(invite);
    this.#guests.set(link, hash);
    return { ...join, invite: hash };
  }

  /** After every turn. */
  onTurn(peer: EngineView): void {
    if (!peer.secure) return;
    this.#dropEvicted(peer);
    this.#dropGuests(peer);
    const keys = peer.keys();
    if (keys === this.#keys) return;
    this.#keys = keys;
    this.#host.links().reconsider();
  }

  /** [A4] As soon as it is committed here. */
  #dropEvicted(peer: EngineView): void {
    const committed = peer.log.state.configurationAt(peer.log.commit);
    if (committed === null || committed.index === this.#committed.index) return;
    const before = this.#committed.keys;
    const keys = new Set(committed.configuration.members.flatMap(({ key }) => key ?? []));
    this.#committed = { index: committed.index, keys };
    const isGone = (key: Key | null | undefined) => key != null && before.has(key) && !keys.has(key);
    for (const [link, { id, key }] of [...peer.links, ...peer.strangers])
      if (isGone(key)) this.#host.links().refuse(link, evicted(id));
    if (isGone(this.#host.security.key)) this.#host.die(evicted(peer.self.id).message, "evicted");
  }

  /** Who came with an invitation that somebody else has used meanwhile, or that was revoked. */
  #dropGuests(peer: EngineView): void {
    for (const [link, hash] of this.#guests) {
      const isAdmitted = peer.links.has(link);
      const linked = peer.links.get(link) ?? peer.strangers.get(link);
      const why = peer.access.mayRedeem(hash, "member", this.#host.clock.wall());
      if (linked !== undefined && !isAdmitted && why === null) continue;
      this.#guests.delete(link);
      if (linked === undefined || isAdmitted || why === null) continue;
      this.#host.links().refuse(link, refusalFor(REDEEM_REFUSALS[why]));
    }
  }
}

function evicted(id: number): Refuse {
  return refusal(
    "evicted",
    `peer ${id} was evicted from this cluster: it gets in again only with an empty data directory (move the old one away) and a new invitation`,
  );
}
