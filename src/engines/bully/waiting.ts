/**
 * Says why no message is being sequenced [S9] [M5], which voters are missing, and what can be done. A pure function of
 * what a peer knows, used by its screen, `/status`, scripts, clients and `doctor` alike.
 */
import { place } from "../../core/address.ts";
import { VOTERS_MAX } from "../../core/config.ts";
import { type MemberKey, sameMember } from "../../core/ids.ts";
import type { Member, PeerInfo } from "../../core/log-entry.ts";
import type { Abstention } from "../../core/message.ts";
import { everyVoter, majority, votersOf } from "../../core/quorum.ts";
import type { MissingVoter, Waiting } from "../../core/reports.ts";
import { twinsText } from "../../core/twin-text.ts";
import type { Surroundings } from "../view.ts";
import type { Histories } from "./histories.ts";
import type { Losses } from "./losses.ts";
import type { Membership } from "./membership.ts";
import type { Node } from "./node.ts";
import type { Relay } from "./relay.ts";

/** The parts of a peer that know why nothing goes on. */
export interface Hindered extends Node {
  readonly histories: Histories;
  readonly losses: Losses;
  readonly membership: Membership;
  readonly relay: Relay;
}

const KEPT = "Messages are kept and will be sent";

/** Null while a majority is there and this peer hears its leader. */
export function waitingFor(peer: Hindered, around: Surroundings): Waiting | null {
  if (peer.founding > 0)
    return nobodyMissing(
      `this peer founded a cluster and is alone in it: messages are taken ${peer.timings.founding / 1000} s after its start, unless somebody knows it from another one`,
    );
  const { contradictsLeader, found } = peer.histories;
  if (contradictsLeader && found !== null) return nobodyMissing(found);
  if (peer.leader?.quorum === true || peer.relay.via !== null) return null;
  if (peer.twin !== null) return nobodyMissing(twinsText(peer.self.id, peer.ownTwins));
  // A peer that was away for longer than others knows less about who votes.
  const heard = peer.membership.heardNewest;
  const members = (heard ?? peer.membership.present).filter((m) => m.role !== "left");
  if (members.length === 0) return nobodyMissing(outside(peer, around));
  const sets = heard === null ? peer.voterSets : [votersOf({ members, prev_voters: [] })];
  const waiting = missing(peer, members, sets);
  return peer.losses.why === null ? waiting : { ...waiting, message: peer.losses.why };
}

/** [M3] A majority of each set is needed. */
function missing(peer: Hindered, members: readonly Member[], sets: readonly (readonly MemberKey[])[]): Waiting {
  const why = (v: MemberKey) => (peer.isLinked(v) ? peer.abstentionOf(v) : "away");
  const short = sets
    .map((set) => ({ set, here: set.filter((v) => why(v) === null).length }))
    .filter(({ set, here }) => here < majority(set.length));
  const [first] = short;
  if (first === undefined) {
    if (peer.histories.found !== null) return nobodyMissing(peer.histories.found);
    const [voters = []] = sets;
    const here = voters.filter((v) => why(v) === null).length;
    return nobodyMissing(
      `waiting for a leader (${here} of ${voters.length} voters here, none is elected yet). ${KEPT}`,
    );
  }
  const absent = everyVoter(short.map(({ set }) => set)).filter((v) => why(v) !== null);
  // Others may name any number of them.
  const all = absent.slice(0, 2 * VOTERS_MAX).map((voter): MissingVoter => {
    // The voter may be no member any more, while the change that removes it is not settled.
    const { host, port } = members.find((m) => sameMember(m, voter)) ?? peer.memberOf(voter) ?? UNKNOWN;
    return { id: voter.id, host, port, why: why(voter) ?? "away" };
  });
  const more = absent.length > all.length ? `; and ${absent.length - all.length} more` : "";
  const needed = Math.max(...short.map(({ set, here }) => majority(set.length) - here));
  const only = first.set.length === 1;
  const head = only
    ? "waiting for the only voter"
    : `waiting for a majority (${first.here} of ${first.set.length} voters here, ${majority(first.set.length)} needed)`;
  const message = `${head}: ${all.map(whyMissing).join("; ")}${more}. ${capital(remedies(all, only).join("; "))}. ${KEPT}`;
  return {
    message,
    needed: Math.min(needed, VOTERS_MAX),
    peers: all,
  };
}

/** Number of waiting peers that are named; the rest is counted. */
const NAMED_MAX = 8;
const UNKNOWN = { host: "?", port: 0 };

/** The log is empty: it has joined nothing yet. */
function outside(peer: Node, { seeds, hasCluster }: Surroundings): string {
  const linked = [...peer.links.values()];
  if (linked.length === 0) {
    if (seeds.length === 0) return "not in a cluster yet, and no --seed names one to join";
    const own = place(peer.options.address);
    const others = seeds.filter((s) => s.id !== peer.self.id && place(s) !== own);
    const [seed] = others;
    if (seed === undefined)
      return "not in a cluster yet: --seed names this peer itself, and no other one. To found a cluster, start it again without --seed; to join one, name another peer";
    return `not in a cluster yet: no seed has answered (${whom(others)}). Is a peer running there? \`chatpeer doctor ${place(seed)}\` says what is in the way`;
  }
  const answer = `${whom(linked)} ${linked.length === 1 ? "answers" : "answer"}`;
  if (hasCluster) return `not in a cluster yet: ${answer}, and a leader there is waited for, to let this peer in`;
  return `not in a cluster yet: ${answer}, but nobody has founded one. Exactly one of you must: stop one, and start it again without --seed (and without seeds in its configuration); the others then join it by themselves`;
}

function whyMissing({ why, ...peer }: MissingVoter): string {
  return `${whom([peer])} ${why === "away" ? "is away" : `cannot vote, because ${OBSTACLES[why]}`}`;
}

const OBSTACLES: Readonly<Record<Abstention, string>> = {
  room: "its disk is full",
  handles: "it can open no more files",
  rights: "it may not write its data directory",
  damaged: "its log is damaged and not repaired yet",
  twin: "it runs twice",
};

const AMENDS: Readonly<Record<Abstention, string>> = {
  room: "make room on the disk of",
  handles: "let more files be opened by",
  rights: "let the data directory be written by",
  damaged: "start those that hold the whole log, for the repair of",
  twin: "stop both, and start the one that is to stay, of",
};

function remedies(peers: readonly MissingVoter[], only: boolean): string[] {
  const of = (why: MissingVoter["why"]) => peers.filter((p) => p.why === why).map(({ id }) => `peer ${id}`);
  const away = of("away");
  const reasons = Object.keys(AMENDS) as Abstention[];
  return [
    ...(away.length === 0 ? [] : [start(away, only)]),
    ...reasons.flatMap((why) => (of(why).length === 0 ? [] : [`${AMENDS[why]} ${listed(of(why))}`])),
    ...(away.length === 0 ? [] : ["if a majority is lost for good, `chatpeer recover DIR --force` on one survivor"]),
  ];
}

function start(away: readonly string[], only: boolean): string {
  return only ? `who left last must return first: start ${listed(away)}` : `start ${listed(away, "or")} again`;
}

/** What to tell people when a peer stops and the others cannot go on without it; null where they can. */
export function lastWords(peer: Node): string | null {
  const members = peer.configuration?.members ?? [];
  const others = members.filter((m) => !sameMember(m, peer.self));
  // While a change is under way the voters before it count as well [M3].
  const sets = peer.voterSets;
  const voters = everyVoter(sets);
  if (others.length === 0 || !voters.some((v) => sameMember(v, peer.self))) return null;
  if (voters.length === 1) {
    // Members that left count as well, when they come back.
    const names = others.map(({ id }) => `peer ${id}`);
    const more = names.length > NAMED_MAX ? [`${names.length - NAMED_MAX} more`] : [];
    return `this peer holds the only vote: ${listed([...names.slice(0, NAMED_MAX), ...more])} cannot go on until it is back. Start it first, or leave it running`;
  }
  const isHere = (v: MemberKey) => !sameMember(v, peer.self) && peer.isLinked(v);
  const short = sets.filter((set) => set.filter(isHere).length < majority(set.length));
  if (short.length === 0) return null;
  const needed = short.map((set) => `${majority(set.length)} of ${listed(set.map(({ id }) => `peer ${id}`))}`);
  return `this peer stays a voter, because no majority could let it go: the cluster goes on when ${needed.join(", and ")} are there`;
}

function nobodyMissing(message: string): Waiting {
  return { message, needed: 0, peers: [] };
}

/** `peer 2 (10.0.0.2:6002) and peer 3 (10.0.0.3:6003)` */
function whom(peers: readonly PeerInfo[]): string {
  return listed(peers.map((p) => `peer ${p.id} (${place(p)})`));
}

function listed(names: readonly string[], word = "and"): string {
  return names.length < 2 ? names.join("") : `${names.slice(0, -1).join(", ")} ${word} ${names.at(-1)}`;
}

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
