/** Mutants of election and membership: the rules E4 to E13 and M2 to M7. */
import { TERM_MAX } from "../core/config.ts";
import { compareBallots, leaderKey, makerOf, NO_BALLOT, sameMember } from "../core/ids.ts";
import { memberName, voterSets, votersOf } from "../core/quorum.ts";
import { Peer } from "../engines/bully/peer.ts";
import { framesIn, framesOut, getter, leaders, type Mutant, peers, words, wrap } from "./mutant.ts";

const NOTHING = { index: 0, ballot: NO_BALLOT };

export const MEMBER_MUTANTS: readonly Mutant[] = [
  // ── election ───────────────────────────────────────────────────────────────────────────────────────────────────
  {
    name: "bully",
    rule: "E8",
    what: "the broken classic: who hears of nobody higher leads, and hands out numbers alone",
    parts: peers((peer) => {
      getter(peer, "otherVoters", () =>
        votersOf(peer.configuration ?? { members: [], prev_voters: [] }).filter((v) => !sameMember(v, peer.self)),
      );
      getter(peer, "voterSets", () => [[peer.self]]);
    }),
  },
  {
    name: "endless-deference",
    rule: "E4",
    what: "a candidate that was stood down waits for its better without an end",
    parts: peers((peer) => {
      wrap(peer.election, "onAnswer", (onAnswer) => (from, frame) => {
        const { now } = peer;
        if (frame.type === "ELECTION_OK") peer.now = Number.POSITIVE_INFINITY;
        onAnswer(from, frame);
        peer.now = now;
      });
    }),
  },
  {
    name: "ballot-reused",
    rule: "E5",
    what: "a restarted leader goes on under the ballot it had",
    parts: {
      engine: (options, restored, now) => {
        const { promised } = restored;
        if (!sameMember(leaderKey(promised), options.self)) return new Peer(options, restored, now);
        const peer = new Peer({ ...options, self: makerOf(promised) }, restored, now);
        if (peer.isVoter && peer.healthy) peer.roles.becomeLeader();
        return peer;
      },
    },
  },
  {
    name: "promise-lowered",
    rule: "E6",
    what: "any candidate is promised, also one below the promise",
    parts: peers((peer) => {
      wrap(peer.preparation, "onPrepare", (onPrepare) => (from, frame) => {
        if (!peer.hearsLeader && compareBallots(frame.ballot, peer.promised) < 0) peer.promised = NO_BALLOT;
        onPrepare(from, frame);
      });
    }),
  },
  {
    name: "promise-early",
    rule: "E6",
    what: "a promise is given before the disk has it",
    parts: peers(promiseEarly),
  },
  {
    name: "promise-unsaved",
    rule: "E6",
    what: "a promise is never written",
    parts: peers((peer) => {
      promiseEarly(peer);
      wrap(peer, "takeOutputs", (take) => () => take().filter((output) => output.do !== "promise"));
    }),
  },
  {
    name: "adopts-nothing",
    rule: "E7",
    what: "a candidate leads with its own log, whatever the others hold",
    parts: framesIn((frame) => (frame.type === "PROMISE" ? { ...frame, tail: NOTHING } : frame)),
  },
  {
    name: "longest-log",
    rule: "E7",
    what: "the best log is the longest, whatever its last ballot",
    parts: framesIn((frame, peer) =>
      frame.type === "PROMISE" && frame.tail.index <= peer.log.last ? { ...frame, tail: NOTHING } : frame,
    ),
  },
  {
    name: "lost-donor-counts",
    rule: "E7",
    what: "a donor that is lost before its log is adopted goes on counting as one that promised",
    parts: peers((peer) => {
      const promised = new Set<string>();
      wrap(peer.preparation, "onPromise", (onPromise) => (from, frame) => {
        promised.add(`${frame.ballot.term} ${memberName(from)}`);
        onPromise(from, frame);
      });
      wrap(peer.election, "onLinkDown", (onLinkDown) => (who) => {
        onLinkDown(who);
        if (!promised.has(`${peer.promised.term} ${memberName(who)}`)) return;
        const from = { ...who, boot: 0, link: 0, host: "", port: 0, window: 0, frame: 0 };
        peer.preparation.onPromise(from, { type: "PROMISE", ballot: peer.promised, tail: NOTHING });
      });
    }),
  },
  {
    name: "quorum-before-adoption",
    rule: "E8",
    what: "a candidate counts promises by the configuration it had before it adopted a newer log",
    parts: peers((peer) => {
      let before = peer.voterSets;
      wrap(peer.roles, "raisePromise", (raisePromise) => (ballot) => {
        before = setsOf(peer);
        raisePromise(ballot);
      });
      const preparing = () => peer.leadership === null && sameMember(leaderKey(peer.promised), peer.self);
      getter(peer, "voterSets", () => (preparing() && peer.election.campaigning ? before : setsOf(peer)));
    }),
  },
  {
    name: "no-abdication",
    rule: "E11",
    what: "a leader goes on without a majority, and with a disk that hangs",
    parts: leaders((leadership) => {
      wrap(leadership, "onTime", (onTime) => () => {
        leadership.discount(Number.POSITIVE_INFINITY);
        onTime();
      });
    }),
  },
  {
    name: "no-nack",
    rule: "E13",
    what: "what a promise forbids is dropped without a word",
    parts: framesOut((frame) => (frame.type === "NACK" ? null : frame)),
  },
  {
    name: "twin-goes-on",
    rule: "E16",
    what: "a peer that is told that its directory runs twice counts all the same",
    parts: peers((peer) => wrap(peer, "step", (step) => (input, now) => input.type !== "twin" && step(input, now))),
  },
  {
    name: "leaps-believed",
    rule: "E12",
    what: "whoever speaks of a higher term is believed, however many elections that would have been",
    parts: peers((peer) => getter(peer.terms, "highest", () => TERM_MAX)),
  },
  {
    name: "strangers-lead",
    rule: "W6",
    what: "whoever says that he leads is believed, member or not",
    parts: peers((peer) => wrap(peer, "knows", () => () => true)),
  },

  {
    name: "fixed-promise-time",
    rule: "E15",
    what: "a candidate waits for promises as long as is configured, however slow the disks of the others are",
    parts: peers((peer) => {
      peer.timeouts.promises = () => peer.timings.leaderTimeout;
    }),
  },
  {
    name: "fixed-silence",
    rule: "E15",
    what: "the silence of a leader, and of its followers, is borne as long as is configured, however far away they are",
    parts: peers((peer) => {
      peer.timeouts.leaderTimeout = () => peer.timings.leaderTimeout;
      peer.timeouts.quorumCheck = () => peer.timings.quorumCheck;
    }),
  },
  {
    name: "rival-ballots",
    rule: "E6",
    what: "elections begin, and are granted, while a promise is on its way to the disk",
    parts: peers((peer) => {
      const { election } = peer;
      // For as long as the election thinks, its own waits for a disk apart.
      const asIfDurable = (think: () => void) => {
        const { promised, promiseDurable } = peer;
        peer.promiseDurable = promiseDurable || !sameMember(leaderKey(promised), peer.self);
        think();
        if (peer.promised === promised) peer.promiseDurable = promiseDurable;
      };
      wrap(election, "onTime", (onTime) => () => asIfDurable(onTime));
      wrap(election, "onElection", (onElection) => (from, frame) => asIfDurable(() => onElection(from, frame)));
      wrap(peer.timeouts, "patience", () => () => peer.timings.leaderTimeout);
    }),
  },
  {
    name: "slow-voter-leads",
    rule: "E4",
    what: "the highest voter stands the others down, and is handed the lead, however slow its disk is",
    parts: peers((peer) => {
      peer.timeouts.isSlowerThan = () => false;
      peer.timeouts.isSlower = () => false;
    }),
  },

  // ── membership ─────────────────────────────────────────────────────────────────────────────────────────────────
  {
    name: "config-when-committed",
    rule: "M2",
    what: "a configuration counts only once it is committed",
    parts: peers((peer) => {
      getter(peer, "voterSets", () => {
        const known = peer.log.state.configurations.findLast((c) => c.index <= peer.log.commit);
        return known === undefined ? setsOf(peer) : voterSets(known);
      });
    }),
  },
  {
    name: "only-new-voters",
    rule: "M3",
    what: "a change needs a majority of the new voters only",
    parts: peers((peer) => getter(peer, "voterSets", () => setsOf(peer).slice(0, 1))),
  },
  {
    name: "only-old-voters",
    rule: "M3",
    what: "a change needs a majority of the voters before it only",
    parts: peers((peer) => getter(peer, "voterSets", () => setsOf(peer).slice(-1))),
  },
  {
    name: "config-on-config",
    rule: "M3",
    what: "a leader makes the next change before the last one is settled",
    parts: peers((peer) => {
      wrap(peer.membership, "onTime", (onTime) => () => {
        const { newest } = peer.log.state;
        if (newest === null || newest.settled !== 0 || newest.index <= peer.log.commit) return onTime();
        newest.settled = 1;
        onTime();
        newest.settled = 0;
      });
    }),
  },
  {
    name: "joins-unseen",
    rule: "M4",
    what: "who asks to be let in is a member at once, heard again or not",
    parts: leaders((leadership) => {
      wrap(leadership.guests, "welcome", () => (from, member) => leadership.guests.admit(from, member));
      wrap(leadership.guests, "onLinkDown", () => () => {});
    }),
  },
  {
    name: "wiped-voter-votes",
    rule: "M6",
    what: "a peer with an emptied directory is taken for the member it was, and nobody minds",
    parts: {
      ...words((length, before) => (length === 12 && !before.includes(8) ? "incarnations" : null)),
      ...framesOut((frame) => (frame.type === "SEEN" ? null : frame)),
    },
  },
  {
    name: "no-rejoin",
    rule: "M7",
    what: "a peer that was evicted while it was away does not ask to join again",
    parts: framesOut((frame, peer) => (frame.type === "JOIN" && peer.log.last > 0 ? null : frame)),
  },
  {
    name: "founder-takes-at-once",
    rule: "M1",
    what: "a founder takes messages from its first moment on, before anybody could say that it was emptied",
    parts: peers((peer) => getter(peer, "founding", () => 0)),
  },
  {
    name: "log-knows-better",
    rule: "M8",
    what: "who knows the members by its log does not dial the seeds that a person names",
    parts: { seeds: (seeds, disk) => (disk.paths().some((path) => path.startsWith("log/")) ? [] : seeds) },
  },
  {
    name: "stale-addresses",
    rule: "M8",
    what: "a joiner is told where the log says that members are, not where they were seen",
    parts: framesOut((frame, peer) =>
      frame.type === "JOIN_ACK" ? { ...frame, members: peer.configuration?.members ?? [] } : frame,
    ),
  },
];

/** What `peer.voterSets` says in production. */
function setsOf(peer: Peer): Peer["voterSets"] {
  const { newest } = peer.log.state;
  return newest === null ? [] : voterSets(newest);
}

function promiseEarly(peer: Peer): void {
  wrap(peer.roles, "raisePromise", (raisePromise) => (ballot) => {
    raisePromise(ballot);
    peer.step({ type: "promised", ballot }, peer.now);
  });
}
