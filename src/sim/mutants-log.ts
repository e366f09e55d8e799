/** Mutants of sending and of replication: the rules S1 to S6 and R2 to R8. */
import { type Ballot, compareBallots, type LinkId, type LogIndex, leaderKey } from "../core/ids.ts";
import type { Tail } from "../core/log-entry.ts";
import type { Before, SeqChat } from "../core/message.ts";
import { majority, quorumIndex, votersOf } from "../core/quorum.ts";
import type { Peer } from "../engines/bully/peer.ts";
import {
  flows,
  framesIn,
  framesOut,
  leaders,
  type Mutant,
  outputs,
  peers,
  whenLeading,
  words,
  wrap,
} from "./mutant.ts";

export const LOG_MUTANTS: readonly Mutant[] = [
  // ── sending ────────────────────────────────────────────────────────────────────────────────────────────────────
  {
    name: "sent-early",
    rule: "S1",
    what: "a message counts as sent as soon as it stands in its sender's log, committed or not",
    parts: outputs((output, peer) => {
      if (output.do === "sent") return [];
      if (output.do !== "append") return [output];
      const own = output.entries.filter((e) => e.kind === "chat" && e.sender_id === peer.self.id);
      return [output, { do: "sent", entries: own }];
    }),
  },
  {
    name: "sent-by-id",
    rule: "S10",
    what: "a message counts as sent when its number is in the log, whatever that says",
    parts: peers((peer) => {
      wrap(peer.sender, "onCommitted", (onCommitted) => (entry) => {
        const run = peer.sender.pendingRuns(1).find((r) => `${peer.self.id}.${r.session}` === entry.session);
        const typed = run?.first === entry.counter ? run.drafts[0] : undefined;
        const said = typed && { room_id: typed.room_id, user: typed.user, text: typed.payload };
        onCommitted({ ...entry, ...said });
      });
    }),
  },
  {
    name: "no-dedup",
    rule: "S2",
    what: "a leader appends whatever comes, also what is in the log already",
    parts: peers((peer) => {
      trust(peer);
      whenLeading(peer, (leadership) =>
        wrap(leadership, "onChat", (onChat) => (from, chat) => {
          peer.log.state.sessions.set(`${chat.sender_id}.${chat.session}`, chat.first - 1);
          onChat(from, chat);
        }),
      );
    }),
  },
  {
    name: "gaps-taken",
    rule: "S2",
    what: "a leader appends a message though the one before it is missing",
    parts: peers((peer) => {
      trust(peer);
      whenLeading(peer, (leadership) =>
        wrap(leadership, "onChat", (onChat) => (from, chat) => {
          const session = `${chat.sender_id}.${chat.session}`;
          const { sessions } = peer.log.state;
          sessions.set(session, Math.max(sessions.get(session) ?? 0, chat.first - 1));
          onChat(from, chat);
        }),
      );
    }),
  },
  {
    name: "session-reused",
    rule: "S3",
    what: "a restarted peer numbers its messages from 1 again in the session it had",
    parts: words((length) => (length === 8 ? "sessions" : null)),
  },
  {
    name: "no-resend",
    rule: "S4",
    what: "what went to a leader once is not sent again to another",
    parts: peers((peer) => {
      const sent = new Map<string, number>();
      wrap(peer, "takeOutputs", (take) => () => {
        return take().filter((output) => {
          if (output.do !== "send" || output.frame.type !== "CHAT") return true;
          const { session, first, messages } = output.frame;
          const through = first + messages.length - 1;
          if (through <= (sent.get(session) ?? 0)) return false;
          sent.set(session, through);
          return true;
        });
      });
    }),
  },
  {
    name: "counters-kept",
    rule: "S5",
    what: "counters of truncated messages are not rolled back",
    parts: peers((peer) => {
      const { state } = peer.log;
      wrap(state, "undo", (undo) => (entry, prevCrc) => {
        const kept = [...state.sessions];
        undo(entry, prevCrc);
        for (const [session, counter] of kept) state.sessions.set(session, counter);
      });
    }),
  },
  {
    name: "no-relay",
    rule: "S6",
    what: "who does not reach the leader waits until it does, whomever else it reaches",
    parts: peers((peer) => {
      peer.relay.hearsLeader = () => {};
    }),
  },
  {
    name: "numbers-restart",
    rule: "L2",
    what: "every leader counts seq_no from 1",
    parts: peers((peer) => {
      trust(peer);
      whenLeading(peer, () => peer.log.state.rooms.clear());
    }),
  },

  // ── narrow lines ───────────────────────────────────────────────────────────────────────────────────────────────
  {
    name: "whole-frames",
    rule: "R10",
    what: "only whole frames count: what takes long to come is given up and sent again",
    parts: flows((flow) => ({ ...flow, receives: false, arrivedUntil: null })),
  },
  {
    name: "any-window",
    rule: "R10",
    what: "a leader's frames are as large as they may be, whatever the line carries, and everything else waits behind them",
    parts: flows((flow) => ({ ...flow, window: Number.POSITIVE_INFINITY, frame: Number.POSITIVE_INFINITY })),
  },

  // ── following ──────────────────────────────────────────────────────────────────────────────────────────────────
  {
    name: "match-by-index",
    rule: "R2",
    what: "the entry before counts as equal if there is one at its index, whatever its ballot",
    parts: framesIn((frame, peer) => {
      if (frame.type !== "SEQ_CHAT" && frame.type !== "HEARTBEAT") return frame;
      if (frame.prev_index > peer.log.last) return frame;
      const prev_crc = peer.log.crcInMemory(frame.prev_index) ?? frame.prev_crc;
      return { ...frame, prev_ballot: peer.log.tailAt(frame.prev_index).ballot, prev_crc };
    }),
  },
  {
    name: "never-truncates",
    rule: "R2",
    what: "a follower keeps its own entries where the leader's differ",
    parts: peers((peer) => {
      wrap(peer.acceptor, "take", (take) => (from, before, entries) => {
        const known = Math.max(0, peer.log.last - before.prev_index);
        return take(from, known === 0 ? before : endOf(peer), entries.slice(known));
      });
    }),
  },
  {
    name: "truncates-at-promise",
    rule: "R2",
    what: "whoever promises another one cuts what it does not know to be committed, to be sent it again",
    parts: peers((peer) => {
      wrap(peer.roles, "raisePromise", (raisePromise) => (ballot) => {
        raisePromise(ballot);
        const from = peer.log.commit + 1;
        if (from > peer.log.last || ballot.leader_id === peer.self.id) return;
        peer.log.truncate(from);
        peer.out({ do: "truncate", from });
      });
    }),
  },
  {
    name: "no-fence",
    rule: "R2",
    what: "a follower takes and acknowledges what a leader below its promise still sends",
    parts: peers((peer) => unfenced(peer, () => true)),
  },
  {
    name: "late-fence",
    rule: "E6",
    what: "while its promise is on its way to disk, a follower still obeys the old leader; it reports its log as before",
    parts: peers((peer) => {
      let reported: Tail = peer.log.tail;
      wrap(peer.roles, "raisePromise", (raisePromise) => (ballot) => {
        reported = peer.log.tail;
        raisePromise(ballot);
      });
      unfenced(peer, () => !peer.promiseDurable);
      wrap(peer, "takeOutputs", (take) => () => {
        return take().map((output) =>
          output.do === "send" && output.frame.type === "PROMISE"
            ? { ...output, frame: { ...output.frame, tail: reported } }
            : output,
        );
      });
    }),
  },
  {
    name: "unproven-ack",
    rule: "R3",
    what: "a follower acknowledges all it has on disk, proven equal to the leader's log or not",
    parts: framesOut((frame, peer) => (frame.type === "SEQ_ACK" ? { ...frame, match: peer.log.durable } : frame)),
  },
  {
    name: "ack-before-fsync",
    rule: "R3",
    what: "what is written counts as durable",
    parts: peers((peer) => {
      wrap(peer, "settle", (settle) => (now) => {
        peer.step({ type: "durable", index: peer.log.last }, now);
        settle(now);
      });
    }),
  },
  {
    name: "deliver-before-commit",
    rule: "R6",
    what: "what is appended is delivered at once",
    parts: outputs((output) => {
      const last = output.do === "append" ? output.entries[output.entries.length - 1] : undefined;
      return last === undefined ? [output] : [output, { do: "commit", through: last.index }];
    }),
  },
  {
    name: "unproven-commit",
    rule: "R6",
    what: "a heartbeat's commit index is believed for entries that were not proven equal",
    parts: peers((peer) => {
      wrap(peer.followership, "onHeartbeat", (onHeartbeat) => (from, frame) => {
        onHeartbeat(from, frame);
        peer.acceptor.commitThrough(frame.commit);
      });
    }),
  },
  {
    name: "catchup-uncommitted",
    rule: "R8",
    what: "a member serves all it has, and the taker holds it for committed",
    parts: peers((peer) => {
      wrap(peer, "takeOutputs", (take) => () => {
        return take().map((output) => (output.do === "serve" ? { ...output, through: peer.log.last } : output));
      });
      wrap(peer.followership, "onCatchupResp", (onCatchupResp) => (from, frame) => {
        onCatchupResp(from, { ...frame, commit: frame.prev_index + frame.entries.length });
      });
    }),
  },

  // ── counting ───────────────────────────────────────────────────────────────────────────────────────────────────
  {
    name: "leader-counts-early",
    rule: "R4",
    what: "a leader counts itself before its own disk is done",
    parts: leaders((leadership, peer) => {
      wrap(leadership, "matchOf", (matchOf) => (voter) => (voter.id === peer.self.id ? peer.log.last : matchOf(voter)));
    }),
  },
  {
    name: "any-ballot",
    rule: "R5",
    what: "entries of an earlier ballot are committed by counting them",
    parts: leaders((leadership, peer) => {
      wrap(leadership, "advanceCommit", (advanceCommit) => () => {
        advanceCommit();
        peer.acceptor.commitThrough(quorumIndex(peer.voterSets, (v) => leadership.matchOf(v)));
      });
    }),
  },
  {
    name: "no-opening-entry",
    rule: "R5",
    what: "a new leader appends nothing of its own and waits for somebody to speak",
    parts: leaders((leadership, peer) => {
      wrap(leadership, "append", (append) => (kind, content) => {
        const last = peer.log.entryAt(peer.log.last);
        return kind === "leader" && last !== null ? last : append(kind, content);
      });
    }),
  },
  {
    name: "observer-counts",
    rule: "R5",
    what: "an observer's acknowledgement counts like a voter's",
    parts: leaders((leadership, peer) => {
      wrap(leadership, "advanceCommit", (advanceCommit) => () => {
        advanceCommit();
        const { configuration } = peer;
        if (configuration === null) return;
        const matches = configuration.members.map((m) => leadership.matchOf(m)).sort((a, b) => b - a);
        const reached = matches[majority(votersOf(configuration).length) - 1] ?? 0;
        if (reached >= leadership.opened) peer.acceptor.commitThrough(reached);
      });
    }),
  },
];

/** Makes a follower that does not check the leader's numbers. */
function trust(peer: Peer): void {
  peer.log.state.refusal = () => null;
}

/** The end of a peer's log, as a frame names it. */
function endOf({ log }: Peer): Before {
  return { prev_index: log.last, prev_ballot: log.tail.ballot, prev_crc: log.state.crc };
}

/** While `open`, frames of a leader below the promise are not refused: its entries are taken and acknowledged. */
function unfenced(peer: Peer, open: () => boolean): void {
  let obeyed: { link: LinkId; ballot: Ballot; last: LogIndex } | null = null;
  const acknowledge = () => {
    if (obeyed === null || !open()) return;
    const { link, ballot, last } = obeyed;
    const match = Math.min(last, peer.log.durable);
    peer.send(link, { type: "SEQ_ACK", ballot, match, last, hint: null, faulty: false, linked: null });
  };
  const obey = (link: LinkId, frame: SeqChat) => {
    const { ballot, prev_index, entries } = frame;
    if (peer.acceptor.take(leaderKey(ballot), frame, entries) !== "taken") return;
    obeyed = { link, ballot, last: prev_index + entries.length };
    acknowledge();
  };
  wrap(peer, "step", (step) => (input, now) => {
    const frame = input.type === "frame" ? input.frame : null;
    const fromLeader = frame?.type === "SEQ_CHAT" || frame?.type === "HEARTBEAT" || frame?.type === "COORDINATOR";
    const late = fromLeader && compareBallots(frame.ballot, peer.promised) < 0;
    if (input.type !== "frame" || !late || !open() || peer.leadership !== null) {
      step(input, now);
      if (input.type === "durable") acknowledge();
    } else if (frame.type === "SEQ_CHAT") obey(input.link, frame);
  });
  wrap(peer.roles, "becomeFollower", (becomeFollower) => (ballot) => {
    obeyed = null;
    becomeFollower(ballot);
  });
}
