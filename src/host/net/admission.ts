/**
 * Decides which peers are let in, what a refusal means to the refused peer, and which messages are taken. Pure
 * functions.
 */
import * as v from "valibot";
import { type Address, place } from "../../core/address.ts";
import { MESSAGE_BYTES_MAX, NAME_BYTES_MAX } from "../../core/config.ts";
import type { Key } from "../../core/ids.ts";
import type { PeerInfo } from "../../core/log-entry.ts";
import type { Hello, Refuse } from "../../core/message.ts";
import type { EngineView } from "../../engines/view.ts";
import { address } from "../../wire/schema-parts.ts";
import { isMessage, isName, utf8Length } from "../../wire/text.ts";
import { refusal } from "./refusal.ts";

/** What the connection itself tells about the peer that introduces itself on it. */
export interface Origin {
  /** This side has dialled, not the other. */
  readonly dialled: boolean;
  /** Both sides prove their keys on the connection. */
  readonly isSecured: boolean;
  /** The key that the other side has proven; null if it has none, and on a plain connection. */
  readonly identity: Key | null;
}

/** Why nothing was said to whom this peer dialled where keys are proven, by the code that the connection closed with. */
const UNTRUSTED = {
  EPIN: "somebody else answers there, with another key than the one that is expected",
  ECERT: "who answers there has no certificate that proves anything",
  EPLAIN: "who answers there speaks without TLS, and this peer's cluster is secured",
  ETLS: "who answers there does not speak chatpeer's protocol over TLS 1.3",
} as const;
export type Untrusted = keyof typeof UNTRUSTED;

export function isUntrusted(code: string): code is Untrusted {
  return Object.hasOwn(UNTRUSTED, code);
}

export function sayUntrusted({ id, host, port }: PeerInfo, code: Untrusted): Pick<Refuse, "code" | "message"> {
  const ways = {
    EPIN: `if peer ${id} was begun anew there, say /evict ${id} and invite it; else somebody may be in between`,
    ECERT: "check the address: somebody may be in between",
    EPLAIN: `peer ${id} is to be started as a member of this cluster, or its address has changed`,
    ETLS: "check the address, and that all peers have the same version",
  };
  const message = `nothing was said to peer ${id} at ${place({ host, port })}: ${UNTRUSTED[code]}. What to do: ${ways[code]}`;
  return { code: code === "EPLAIN" ? "plain" : "stranger", message };
}

/** To who says that it is somebody, and proves to be somebody else. */
export function impostor({ id }: Hello): Refuse {
  return refusal(
    "stranger",
    `here peer ${id} is known by another key: start it with its own data directory, or with an empty one and an invitation after /evict ${id}`,
  );
}

/** [W2] [M1] [M6] Why a peer that introduces itself must not be linked, or null. The links check version and form. */
export function judgeHello(
  hello: Hello,
  { dialled }: Origin,
  peer: EngineView,
  clusterId: string | null,
): { readonly refuse: Refuse; readonly notice?: string } | null {
  const here = place(peer.address);
  if (hello.id === peer.self.id)
    return {
      refuse: refusal("duplicate-id", `peer id ${hello.id} is in use by the peer at ${here}: choose another --id`),
    };
  if (clusterId === null || clusterId === hello.cluster_id) return null;
  // At a member's address there is a new peer. Its own seeds decide which cluster it joins, not this peer [M9].
  if (hello.cluster_id === null)
    return dialled ? { refuse: refusal("closing", "another peer was expected at that address") } : null;
  if (peer.log.state.formerClusters.includes(hello.cluster_id))
    return {
      refuse: refusal(
        "wrong-cluster",
        `cluster ${hello.cluster_id} lost its majority and was recovered by force: it goes on as cluster ${clusterId}. Move the data directory of peer ${hello.id} away, and start it with an empty one and --seed ${peer.self.id}:${here}`,
      ),
    };
  const members = peer.configuration?.members ?? [];
  const known = members.find((m) => m.id === hello.id);
  if (known !== undefined && known.inc !== hello.inc && members.length > 1) {
    const seed = `${peer.self.id}:${here}`;
    const message = `this cluster knows peer ${hello.id} already: was the data directory emptied? Move it away, with what it has founded now, and start with an empty one and --seed ${seed}`;
    return {
      refuse: { ...refusal("emptied-founder", message), seed },
      notice: `peer ${hello.id} at ${hello.host}:${hello.port} belongs to this cluster by its id but founded another one: was its data directory emptied? It should start with --seed ${seed}`,
    };
  }
  const apart = `the peer at ${here} belongs to cluster ${clusterId}, not to ${hello.cluster_id}: check --seed and --data-dir`;
  // The peer that dials has a seed now. It may have had none at its first start, and so have founded a cluster. Both
  // sides read this.
  const [joiner, seed] = dialled
    ? [peer.self.id, `${hello.id}:${place(hello)}`]
    : [hello.id, `${peer.self.id}:${here}`];
  const byAccident = `. If peer ${joiner} founded a cluster by accident (started without --seed, or with a wrong one), move its data directory away (mv DIR DIR.old) and start it again with --seed ${seed}`;
  return { refuse: refusal("wrong-cluster", apart + byAccident) };
}

/** There is no use in asking anybody else, … */
const ENDS_JOINER: ReadonlySet<Refuse["code"]> = new Set([
  ...(["id-away", "duplicate-id", "limit"] as const),
  ...(["invite-used", "invite-expired", "revoked", "forbidden"] as const),
]);
/** … or there is none where nobody else is. */
const ENDS_LONELY_JOINER: ReadonlySet<Refuse["code"]> = new Set([
  "wrong-cluster",
  "wrong-version",
  "needs-tls",
  "plain",
]);

/**
 * Whether a peer that is refused in this way cannot go on, because it was never in the cluster that it asks. Only peers
 * that it has dialled are believed. The exception is an emptied founder: it dials nobody, and is dialled by those who
 * know it [M1].
 */
export function endsPeer(refused: Refuse, dialled: boolean, by: Hello | null, peer: EngineView): boolean {
  const { code } = refused;
  if (code === "evicted") return peer.secure && (dialled || (by !== null && peer.knows(by)));
  const alone = (peer.configuration?.members.filter((m) => m.role !== "left").length ?? 0) <= 1;
  // A founder is in its own configuration, which a joining peer has not read yet; and it has recovered nothing [M9].
  const founded = peer.memberOf(peer.self) !== null && peer.log.state.formerClusters.length === 0;
  if (code === "emptied-founder") return alone && founded;
  const joining = alone || peer.memberOf(peer.self) === null;
  if (!joining || !dialled) return false;
  if (ENDS_JOINER.has(code)) return true;
  return ENDS_LONELY_JOINER.has(code) && peer.links.size === 0;
}

export interface RefusedText {
  readonly ok: false;
  readonly code: "empty" | "too-large" | "not-utf8" | "bad-room";
  readonly message: string;
}

/** Why a text for a room is not taken, or null. */
export function refuseText(room: string, text: string): RefusedText | null {
  if (text.length === 0) return { ok: false, code: "empty", message: "an empty message is not sent" };
  if (!text.isWellFormed()) {
    const message = "the message holds half a character (a lone surrogate), which UTF-8 has no bytes for";
    return { ok: false, code: "not-utf8", message };
  }
  if (!isMessage(text)) {
    return {
      ok: false,
      code: "too-large",
      message: `the message has ${utf8Length(text)} bytes of UTF-8, the limit is ${MESSAGE_BYTES_MAX}: send it in parts`,
    };
  }
  return isName(room) ? null : { ok: false, code: "bad-room", message: `a room's name has ${NAME_RULE}` };
}

export const NAME_RULE = `1 to ${NAME_BYTES_MAX} bytes of UTF-8 and no control characters`;

const ADDRESS = v.object(address);

/** Why the address cannot be told to others as a peer's address, or null. */
export function refuseAddress(address: Address): string | null {
  if (v.is(ADDRESS, address)) return null;
  const { host, port } = address;
  return `others cannot be told to dial ${JSON.stringify(host).slice(0, 100)}, port ${port}: a host has 1 to 255 characters, none of them a control character, and a port is a number from 0 to 65535`;
}
