/**
 * Which peer may send which frame: one table, looked at before anything else is done with a frame [W6]. A link says who
 * is at its other end. What that peer is to this one is known from
 *
 *   the log members and voters of the configurations in it that may still count [M3] a JOIN_ACK where the log leads
 *   nobody to a leader: the members it names, until it does [M7] what it did which peers it asked: for an election, a
 *   promise, entries, a command
 *
 * A frame below the promise binds nobody, so it is answered whoever sends it. A leader that was frozen, or evicted
 * meanwhile, learns of that by the answer [E13].
 */
import type { Frame } from "../../core/frame.ts";
import {
  type Ballot,
  compareBallots,
  type MemberKey,
  makerOf,
  type ProcessKey,
  sameMember,
  sameProcess,
} from "../../core/ids.ts";
import type { Join, JoinAck } from "../../core/message.ts";
import { memberName } from "../../core/quorum.ts";
import type { AccessRequests } from "./access-requests.ts";
import type { Followership } from "./followership.ts";
import type { Membership } from "./membership.ts";
import type { Node } from "./node.ts";
import type { LinkedPeer } from "./others.ts";
import type { Preparation } from "./preparation.ts";
import type { Relay } from "./relay.ts";
import { type Terms, termIn } from "./terms.ts";

/** The parts that know which peers this one has asked for what. */
interface Asked {
  readonly preparation: Pick<Preparation, "hasAsked" | "adoptsFrom">;
  readonly followership: Pick<Followership, "hasAsked">;
  readonly relay: Pick<Relay, "leadsThrough">;
  readonly membership: Pick<Membership, "isLost" | "hasCommanded">;
  readonly access: Pick<AccessRequests, "hasAsked">;
}

type Rule<F> = (node: Node, from: LinkedPeer, frame: F, asked: Asked) => boolean;
type Of<T extends Frame["type"]> = Extract<Frame, { readonly type: T }>;

const MAY_SEND: { readonly [T in Frame["type"]]: Rule<Of<T>> } = {
  // The leader of that ballot, and the candidate for it.
  HEARTBEAT: leader,
  SEQ_CHAT: leader,
  COORDINATOR: leader,
  ABDICATE: (node, from, { ballot }) => isMaker(from, ballot) && node.knows(from),
  PREPARE: (node, from, frame) => leader(node, from, frame) || (isMaker(from, frame.ballot) && node.hearsLeader),

  // Peers that this one asked.
  SEQ_ACK: follower,
  NACK: follower,
  ELECTION_OK: voter,
  ELECTION_DENY: voter,
  ELECTION_GRANT: voter,
  PROMISE: (_node, from, _frame, asked) => asked.preparation.hasAsked(from),
  CATCHUP_RESP: (_node, from, { ballot }, asked) =>
    ballot === null ? asked.followership.hasAsked(from) : asked.preparation.adoptsFrom(from),
  CHAT_ACK: (_node, from, _frame, asked) => asked.relay.leadsThrough(from),
  JOIN_ACK: (node, from, _frame, asked) => node.knows(from) || asked.membership.isLost,
  ADMIN_ACK: (_node, from, _frame, asked) => asked.membership.hasCommanded(from),
  ACCESS_ACK: (_node, from, _frame, asked) => asked.access.hasAsked(from),

  // Members.
  SEEN: known,
  FORK: known,
  LOST: known,
  PENDING: known,
  CHAT: member,
  PEOPLE: member,
  ADMIN: member,
  ACCESS: member,

  // Any peer, about itself; and questions whose answers bind nobody. Entries that are only written go to the candidate
  // that has the promise [E7].
  JOIN: itself,
  LEAVE: itself,
  ELECTION: anybody,
  CATCHUP_REQ: (_, from, { ballot }) => ballot === null || isMaker(from, ballot),

  // These stay with the links, and with what peers tell their clients.
  HELLO: nobody,
  REFUSE: nobody,
  TWINS: nobody,
  PING: nobody,
  PONG: nobody,
  ATTACH: nobody,
  ATTACHED: nobody,
  REDEEM: nobody,
  REDEEMED: nobody,
  DETACH: nobody,
  ASK: nobody,
  TELL: nobody,
};

function leader(node: Node, from: ProcessKey, { ballot }: { readonly ballot: Ballot }): boolean {
  return isMaker(from, ballot) && (node.knows(from) || compareBallots(ballot, node.promised) < 0);
}

function follower(node: Node, from: MemberKey, { ballot }: { readonly ballot: Ballot }): boolean {
  return isMaker(node.self, ballot) && (node.knows(from) || node.leadership?.guests.has(from) === true);
}

function voter(node: Node, from: MemberKey): boolean {
  return node.otherVoters.some((v) => sameMember(v, from));
}

function known(node: Node, from: MemberKey): boolean {
  return node.knows(from);
}

function member(node: Node, from: MemberKey): boolean {
  const role = node.memberOf(from)?.role;
  return role !== undefined && role !== "left";
}

function itself(_: Node, from: MemberKey, frame: MemberKey): boolean {
  return sameMember(from, frame);
}

function anybody(): boolean {
  return true;
}

function nobody(): boolean {
  return false;
}

function isMaker(who: ProcessKey, ballot: Ballot): boolean {
  return sameProcess(who, makerOf(ballot));
}

/** Beyond this number they are forgotten, and may be reported again. */
const TOLD_MAX = 1000;

/** Decides which frames are believed; and remembers which peers it has reported. */
export class Senders {
  readonly #node: Node;
  readonly #terms: Pick<Terms, "highest">;
  readonly #asked: Asked;
  /**
   * Number of frames ignored since this process started: from strangers, or with a term that no elections could have
   * made.
   */
  strangers = 0;
  leaps = 0;
  readonly #told = new Set<string>();

  constructor(node: Node, terms: Pick<Terms, "highest">, asked: Asked) {
    this.#node = node;
    this.#terms = terms;
    this.#asked = asked;
  }

  /** Whether a frame is looked at at all. */
  believes(from: LinkedPeer, frame: Frame): boolean {
    const node = this.#node;
    const term = termIn(frame);
    if (term > node.promised.term && term > this.#terms.highest) {
      this.leaps += 1;
      const where = `peer ${from.id} at ${from.host}:${from.port}`;
      if (this.#isNew(`leap ${memberName(from)}`))
        node.notice(
          "leap",
          `${where} speaks of term ${term}, and elections cannot have come further than term ${this.#terms.highest} since this peer started: it is not believed. If it is a member, say /evict ${from.id} when it is stopped, and start it again with an empty directory`,
        );
      return false;
    }
    if ((MAY_SEND[frame.type] as Rule<Frame>)(node, from, frame, this.#asked)) return true;
    if (!node.knows(from)) this.#ignore(from, frame, "it is no member here");
    return false;
  }

  /**
   * Of a link that has not proven to be a member's [A3] a JOIN is heard, and by a peer that was invited, and so dials only
   * whom the invitation names, the answer to its own.
   */
  hearsStranger(from: LinkedPeer, frame: Frame): frame is Join | JoinAck {
    if (frame.type === "JOIN" && sameMember(from, frame)) return true;
    const isInvited = this.#node.options.invite !== undefined;
    if (frame.type === "JOIN_ACK" && isInvited && this.#asked.membership.isLost) return true;
    this.#ignore(from, frame, "it has not proven the key of a member");
    return false;
  }

  #ignore(from: LinkedPeer, { type }: Frame, why: string): void {
    this.strangers += 1;
    if (this.#isNew(`${type} ${memberName(from)}`))
      this.#node.debug(`${type} of peer ${from.id} at ${from.host}:${from.port} is not heard: ${why}`);
  }

  #isNew(what: string): boolean {
    if (this.#told.has(what)) return false;
    if (this.#told.size >= TOLD_MAX) this.#told.clear();
    this.#told.add(what);
    return true;
  }
}
