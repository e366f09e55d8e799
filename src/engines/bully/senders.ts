/**
 * Who may send what: one table for all frames, looked at before anything else is done with one [W6]. A link says who is at
 * its other end. What that one is to this peer is known from
 *
 *   the log           members and voters of the configurations in it that may still count [M3]
 *   a JOIN_ACK        where the log leads nobody to a leader: the members it names, until it does [M7]
 *   what it did       whom it asked: for an election, a promise, entries, a command
 *
 * A frame below the promise binds nobody, so it is answered whoever sends it: a leader that was frozen, or evicted
 * meanwhile, learns of that by the answer [E13].
 */

import {
  type Ballot,
  compareBallots,
  type MemberKey,
  makerOf,
  type ProcessKey,
  sameMember,
  sameProcess,
} from "../../core/ids.ts";
import type { Frame } from "../../core/message.ts";
import { memberName } from "../../core/quorum.ts";
import type { LinkedPeer } from "../engine.ts";
import type { Peer } from "./peer.ts";
import { termIn } from "./terms.ts";

type Rule<F> = (peer: Peer, from: LinkedPeer, frame: F) => boolean;
type Of<T extends Frame["type"]> = Extract<Frame, { readonly type: T }>;

const MAY_SEND: { readonly [T in Frame["type"]]: Rule<Of<T>> } = {
  // The leader of that ballot, and who wants to be it.
  HEARTBEAT: leader,
  SEQ_CHAT: leader,
  COORDINATOR: leader,
  ABDICATE: (peer, from, { ballot }) => isMaker(from, ballot) && peer.knows(from),
  PREPARE: (peer, from, frame) => leader(peer, from, frame) || (isMaker(from, frame.ballot) && peer.hearsLeader),

  // Whom it asked.
  SEQ_ACK: follower,
  NACK: follower,
  ELECTION_OK: voter,
  ELECTION_DENY: voter,
  ELECTION_GRANT: voter,
  PROMISE: (peer, from) => peer.election.hasAsked(from),
  CATCHUP_RESP: (peer, from, { ballot }) =>
    ballot === null ? peer.followership.hasAsked(from) : peer.election.adoptsFrom(from),
  CHAT_ACK: (peer, from) => peer.relay.leadsThrough(from),
  JOIN_ACK: (peer, from) => peer.knows(from) || peer.membership.isLost,
  ADMIN_ACK: (peer, from) => peer.membership.hasCommanded(from),

  // Members.
  SEEN: known,
  FORK: known,
  LOST: known,
  PENDING: known,
  CHAT: member,
  PEOPLE: member,
  ADMIN: member,

  // Anybody, about itself; and questions whose answers bind nobody. What is only written goes to who is promised it [E7].
  JOIN: itself,
  LEAVE: itself,
  ELECTION: anybody,
  CATCHUP_REQ: (_, from, { ballot }) => ballot === null || isMaker(from, ballot),

  // These stay with the links, and with what peers tell their clients.
  HELLO: nobody,
  REFUSE: nobody,
  PING: nobody,
  PONG: nobody,
  ATTACH: nobody,
  ATTACHED: nobody,
  DETACH: nobody,
  ASK: nobody,
  TELL: nobody,
};

function leader(peer: Peer, from: ProcessKey, { ballot }: { readonly ballot: Ballot }): boolean {
  return isMaker(from, ballot) && (peer.knows(from) || compareBallots(ballot, peer.promised) < 0);
}

function follower(peer: Peer, from: MemberKey, { ballot }: { readonly ballot: Ballot }): boolean {
  return isMaker(peer.self, ballot) && (peer.knows(from) || peer.leadership?.guests.has(from) === true);
}

function voter(peer: Peer, from: MemberKey): boolean {
  return peer.otherVoters.some((v) => sameMember(v, from));
}

function known(peer: Peer, from: MemberKey): boolean {
  return peer.knows(from);
}

function member(peer: Peer, from: MemberKey): boolean {
  const role = peer.memberOf(from)?.role;
  return role !== undefined && role !== "left";
}

function itself(_: Peer, from: MemberKey, frame: MemberKey): boolean {
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

/** More of them are told again. */
const TOLD_MAX = 1000;

/** What was not believed, and of whom that was told. */
export class Senders {
  readonly #peer: Peer;
  /** Frames of strangers, and such with a term that no elections could have made, since this process started. */
  strangers = 0;
  leaps = 0;
  readonly #told = new Set<string>();

  constructor(peer: Peer) {
    this.#peer = peer;
  }

  /** Whether a frame is heard at all. */
  believes(from: LinkedPeer, frame: Frame): boolean {
    const peer = this.#peer;
    const term = termIn(frame);
    if (term > peer.promised.term && term > peer.terms.highest) {
      this.leaps += 1;
      const where = `peer ${from.id} at ${from.host}:${from.port}`;
      if (this.#isNew(`leap ${memberName(from)}`))
        peer.notice(
          "leap",
          `${where} speaks of term ${term}, and elections cannot have come further than term ${peer.terms.highest} since this peer started: it is not believed. If it is a member, say /evict ${from.id} when it is stopped, and start it again with an empty directory`,
        );
      return false;
    }
    if ((MAY_SEND[frame.type] as Rule<Frame>)(peer, from, frame)) return true;
    if (peer.knows(from)) return false;
    this.strangers += 1;
    if (this.#isNew(`${frame.type} ${memberName(from)}`))
      peer.debug(`${frame.type} of peer ${from.id} at ${from.host}:${from.port} is not heard: it is no member here`);
    return false;
  }

  #isNew(what: string): boolean {
    if (this.#told.has(what)) return false;
    if (this.#told.size >= TOLD_MAX) this.#told.clear();
    this.#told.add(what);
    return true;
  }
}
