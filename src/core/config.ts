/**
 * Every limit and every time of the protocol in one place, each with its unit and its reason.
 * `checkTimings` cross-checks what a user can set; nothing here is "0 = unlimited".
 */

/** The highest version of the wire protocol that this build speaks [W2]. Raise it with every change of a frame. */
export const PROTOCOL_VERSION = 1;
/** The lowest. Raise it when frames of that version are understood no more. */
export const PROTOCOL_VERSION_MIN = 1;

/** Terms stay exact in a double, with room to add one [E12]: no log and no frame holds a higher one. */
export const TERM_MAX = Number.MAX_SAFE_INTEGER - 1;
/**
 * So many terms has a cluster before it ends: ten elections a second use them up in 890,000 years. A forced recovery begins
 * a cluster with as many more [M9]; a double has room for 31 recoveries.
 */
export const TERMS_PER_CLUSTER = 2 ** 48;
/** The last term of a cluster whose log has been through so many forced recoveries [M9]. */
export function lastTermAfter(recoveries: number): number {
  return Math.min((recoveries + 1) * TERMS_PER_CLUSTER, TERM_MAX);
}

/**
 * A process believes in no term further above the one it started from: ten elections a second, which is more than
 * the pauses between them allow, take 13 years to get there. So who was away for years gets in, and who says that
 * there were more elections than time for them does not [E12].
 */
export const TERM_LEAP_MAX = 2 ** 32;
/**
 * So many more than it has promised are believed in any case, or elections would end where that bound is reached. Each promise
 * is on the disk before the next: at a thousand of those a second this takes nine years to the end of the terms.
 */
export const TERM_STEP_MAX = 2 ** 10;
/** People are warned when fewer terms than this are left: 256 leaps, or 3,400 years of elections. */
export const TERMS_LEFT_WARNED = 2 ** 40;
/**
 * Boot numbers stay exact in a double. Each start of a directory goes on by 1 to BOOT_STRIDE_MAX, drawn at random: two
 * starts from copies of one directory would count up to the same number otherwise, and be taken for one process. There
 * is room for 2²⁹ starts.
 */
export const BOOT_MAX = Number.MAX_SAFE_INTEGER;
export const BOOT_STRIDE_MAX = 2 ** 24;
/** Peer ids are small so that people can type them; 6000 + id must be a port by default. */
export const PEER_ID_MAX = 59_535;

/** One chat text, in bytes of UTF-8. */
export const MESSAGE_BYTES_MAX = 64 * 1024;
/** One frame (header line or the entries behind it), in bytes. A text of 64 KiB of control characters is 384 KiB of JSON. */
export const FRAME_BYTES_MAX = 1024 * 1024;
/** The first line of either side of a connection, in bytes: before it nobody is known, so no more is listened to. */
export const GREETING_BYTES_MAX = 4096;
/** Nesting of JSON from the network: JSON.parse takes 10⁶ levels, JSON.stringify dies of far fewer. */
export const NESTING_MAX = 16;
/** Entries behind one header line. */
export const FRAME_ENTRIES_MAX = 4096;
/** Room and user names, in bytes of UTF-8. */
export const NAME_BYTES_MAX = 64;
/** Members of one cluster: each of them keeps a connection to each other one. */
export const MEMBERS_MAX = 900;
/** Of those who left so many are named still, to be shown; then they are forgotten [M5]. */
export const LEFT_KEPT_MAX = 100;
/** All that a configuration may name: it must fit one frame. */
export const CONFIGURATION_MEMBERS_MAX = MEMBERS_MAX + LEFT_KEPT_MAX;
/** Members that run twice, in a status: more are a disaster of another kind. */
export const TWINS_TOLD_MAX = 16;

/** Words for people in a frame, in UTF-16 units: why something is refused or waits, and what is told. Longer ones are cut. */
export const REASON_CHARS_MAX = 1000;
export const NOTICE_CHARS_MAX = 4000;

/** Connections accepted from one address, behind which there may be a whole site, and in all [W3]: those of members apart. */
export const CONNECTIONS_PER_ADDRESS_MAX = 512;
export const CONNECTIONS_MAX = 1024;
/**
 * Pause in milliseconds before a peer that did not answer is dialled again: it doubles from one to the other, and each is
 * drawn between half and one and a half of it. So whoever comes back is dialled within 1.5 s.
 */
export const DIAL_PAUSE_MIN_MS = 50;
export const DIAL_PAUSE_MAX_MS = 1000;
/** A second address of one peer is dialled so many milliseconds after the first, which usually has answered by then. */
export const DIAL_STAGGER_MS = 250;
/** Hundreds that are away for good are dialled by turns: each costs a connection, and who comes back dials by itself. */
export const DIALS_PER_SECOND_MAX = 50;
/** The next address of a name is tried so many milliseconds after one that has not answered (RFC 8305 says 250). */
export const CONNECT_NEXT_MS = 250;
/** While no address of a name answers it is looked up again so often, in milliseconds: it may lead elsewhere by now. */
export const LOOK_UP_AGAIN_MS = 1000;
/** Names looked up at a time: each takes one of the few threads that wait for disks, too, for as long as nobody answers. */
export const LOOKUPS_MAX = 2;
/** Bytes waiting in one connection's send queue; past it the connection is dropped and its peer catches up from disk [R7]. */
export const QUEUE_BYTES_MAX = 16 * 1024 * 1024;

/** A peer's own session, drawn at random, as is a client's: longer, so that no client can number messages in a peer's name [S8]. */
export const SESSION_CHARS = 8;
export const CLIENT_SESSION_CHARS = 16;
/** A client's messages under way; what it keeps besides waits with whoever types it. */
export const CLIENT_OUTSTANDING_MESSAGES_MAX = 1024;
export const CLIENT_OUTSTANDING_BYTES_MAX = 512 * 1024;
/** Messages that wait in a client before `submit` tells the caller to wait; they are gone with its process. */
export const CLIENT_PENDING_MESSAGES_MAX = 4096;
export const CLIENT_PENDING_BYTES_MAX = 16 * 1024 * 1024;
/**
 * Bytes that one peer's clients have under way to the log together [S9]: what a disk and a network take in some 20 ms, which
 * is how long others wait beside a flood. One piece of a client is up to as large.
 */
export const CLIENTS_UNDER_WAY_BYTES_MAX = 256 * 1024;
/** Messages of one answer about the past, and their texts together in UTF-16 units: an answer must fit one frame. */
export const HISTORY_MESSAGES_MAX = 500;
/** What a question about the past looks for, in UTF-16 units. */
export const HISTORY_TEXT_CHARS_MAX = 1000;
export const HISTORY_CHARS_MAX = 128 * 1024;
/** … and their lines in the log, in bytes: JSON writes some characters in six, and names need room as well. */
export const HISTORY_BYTES_MAX = 896 * 1024;
/** Rooms that somebody has joined, or left and may come back to, and rooms in one answer. */
export const ROOMS_JOINED_MAX = 1000;
export const ROOMS_TOLD_MAX = 2000;
/** Files that cannot be written, in one answer. */
export const TROUBLES_MAX = 20;
/** People present, and marks of who has read which room how far: both stand in every checkpoint. */
export const USERS_MAX = 4096;
export const READ_MARKS_MAX = 16_384;
/** People of one peer and its clients; readings of them that the log does not show yet. */
export const PEOPLE_TOLD_MAX = 1100;
export const READS_WAITING_MAX = 1024;
/** Rows of an answer about people: it must fit one frame. */
export const WHO_ROWS_MAX = 2000;
/** Questions of one client that are under way. */
export const QUESTIONS_MAX = 64;

/** Voters are the largest odd number of members up to this: five bear two crashes, more only slow the quorum [M5]. */
export const VOTERS_MAX = 5;

/** A sender's messages under way to the log [S9]. */
export const OUTSTANDING_MESSAGES_MAX = 1024;
export const OUTSTANDING_BYTES_MAX = 4 * 1024 * 1024;
/** Of the messages that wait for a leader, so many are shown to the others, oldest first [S7]. */
export const PENDING_SHOWN_MAX = 100;
/** Messages that wait in the outbox before `submit` tells the caller to wait [S9]. */
export const OUTBOX_MESSAGES_MAX = 65_536;
export const OUTBOX_BYTES_MAX = 64 * 1024 * 1024;
/** Characters of messages taken in one turn of the event loop, before they are written to the outbox. */
export const TAKEN_CHARACTERS_MAX = 512 * 1024;
/** Entries and bytes sent to one follower and not yet acknowledged. */
export const INFLIGHT_ENTRIES_MAX = 4096;
export const INFLIGHT_BYTES_MAX = 4 * 1024 * 1024;
/** One SEQ_CHAT or CHAT frame carries at most this. */
export const BATCH_ENTRIES_MAX = 1024;
export const BATCH_BYTES_MAX = 512 * 1024;
/**
 * Entries kept in memory below the commit index: by the leader, so that a follower a little behind needs no disk read; by
 * the others, of whom nobody asks any, no more than a new leader needs for one that is about as far.
 */
export const TAIL_ENTRIES_KEPT = 10_240;
export const FOLLOWER_TAIL_ENTRIES_KEPT = 1024;
/** A reader further behind than this reads from the disk in any case. */
export const WAITING_ENTRIES_KEPT = 4096;
export const TAIL_BYTES_KEPT = 4 * 1024 * 1024;
/** Uncommitted entries a leader holds before it takes no more messages (senders then wait and resend) [S9]. */
export const UNCOMMITTED_ENTRIES_MAX = 65_536;
export const UNCOMMITTED_BYTES_MAX = 32 * 1024 * 1024;
/** An election does not defer to, and placement does not promote, a peer further behind than this many entries. */
export const BEHIND_ENTRIES_MAX = 10_000;
/** Bytes of one CATCHUP_RESP: large enough to amortise a read, small enough not to hold up control frames. */
export const CATCHUP_BYTES_MAX = 512 * 1024;
/** Bytes of all that answer one request: on a busy peer a round trip takes as long as all of them. */
export const CATCHUP_ANSWER_BYTES_MAX = 4 * 1024 * 1024;

/** Segment limits written into a new cluster's genesis entry [L4]; afterwards the genesis decides. */
export const SEGMENTS = { entries: 65_536, bytes: 16 * 1024 * 1024 };

/** So often a process looks at its lock of the data directory, and nothing is written or said on an older look [D1]. */
export const LOCK_LOOK_MS = 1000;
/** A holder that cannot be seen is taken for dead when its lease has not moved for so long: ten looks that it did not take. */
export const LOCK_LEASE_MS = 10_000;
/** So long after a takeover nothing is read: by then a holder that woke at that very moment has looked again, and stopped. */
export const LOCK_SETTLE_MS = 3000;

/**
 * Times follow what was measured up to this [E15]: disks of 2 s and round trips of 4 s get what they need; whoever takes
 * longer than this is not slow but broken, and is not waited for.
 */
export const TIMEOUT_MS_MAX = 15_000;
/**
 * Where frames take longer than a heartbeat interval to pass a line, and at a peer that catches up, where they may, silence
 * is borne so many times longer: what is missed stands behind them, and how long that takes is measured only then [R10].
 */
export const NARROW_PATIENCE = 3;
/** Where nothing was measured yet, a failed election doubles the time of the next one, up to this factor [E12]. */
export const TIMEOUT_GROWTH_MAX = 4;
/** A disk that takes this many milliseconds to make something durable is told of: every message and election waits for it. */
export const DISK_SLOW_MS = 200;
/** A voter whose disk is so many times slower than another's, and slow, does not stand in its way [E4]. */
export const DISK_SLOW_FACTOR = 4;

/** What the runtimes' timers can wait, 24 days: a longer time would be over at once. */
export const TIME_MS_MAX = 2 ** 31 - 1;
/** A leader timeout is told to clients, who believe in no longer one. */
export const LEADER_TIMEOUT_MS_MAX = 3_600_000;

/** All times in milliseconds; those that wait for others become longer where these are measured to need it [E15]. */
export interface Timings {
  /** Between two heartbeats of a leader. */
  readonly heartbeat: number;
  /** A follower suspects a leader not heard for so long [E1]. */
  readonly leaderTimeout: number;
  /** A leader without acknowledgements of a majority for so long abdicates [E11]. */
  readonly quorumCheck: number;
  /** … and so does one whose entries do not progress anywhere for so long [E11]. */
  readonly stall: number;
  /** A candidate waits at most so long for a higher peer [E4]. */
  readonly defer: number;
  /** Bounds of the first, random pause after a refused election; it doubles up to the leader timeout [E12]. */
  readonly retryMin: number;
  readonly retryMax: number;
  /** A member away for so long may be replaced [M5] [M6]. */
  readonly eviction: number;
  /** Somebody of whom no peer has said a word for so long is gone [P3]. */
  readonly presence: number;
  /** A quitting peer waits at most so long for its demotion [M5]. */
  readonly quit: number;
  /** A connection that has not said HELLO by then is closed [W3]. */
  readonly handshake: number;
  /**
   * A founder that is alone takes no message for so long after its start [M1]: who knows it from another cluster dials it
   * meanwhile. Longer than the longest time in which whoever looks for it knocks nowhere: 1.5 s where its address refuses,
   * 2 s where it was silent (between two SYNs, 1 and 3 s after the first).
   */
  readonly founding: number;
}

/** What a peer that is told nothing else goes by: for a LAN, and for longer lines as far as measured times allow [E15]. */
export const DEFAULT_TIMINGS: Timings = {
  heartbeat: 200,
  leaderTimeout: 1200,
  quorumCheck: 1200,
  stall: 3000,
  defer: 300,
  retryMin: 10,
  retryMax: 50,
  eviction: 60_000,
  presence: 60_000,
  quit: 2000,
  handshake: 5000,
  founding: 2500,
};

/** Returns what is wrong with a set of times, in words, or null. */
export function checkTimings(t: Timings): string | null {
  for (const [name, value] of Object.entries(t)) {
    const max = name === "leaderTimeout" ? LEADER_TIMEOUT_MS_MAX : TIME_MS_MAX;
    if (!(value > 0 && value <= max))
      return `${name} must be a positive number of milliseconds, at most ${max}, not ${value}`;
  }
  if (t.leaderTimeout < 3 * t.heartbeat) {
    return `the leader timeout (${t.leaderTimeout} ms) must be at least three heartbeat intervals (3 × ${t.heartbeat} ms): one late heartbeat is no crash`;
  }
  if (t.quorumCheck < 3 * t.heartbeat) {
    return `the quorum check (${t.quorumCheck} ms) must be at least three heartbeat intervals (3 × ${t.heartbeat} ms)`;
  }
  if (t.retryMax < t.retryMin) return `retryMax (${t.retryMax} ms) must not be below retryMin (${t.retryMin} ms)`;
  if (t.defer >= t.leaderTimeout)
    return `the defer time (${t.defer} ms) must be below the leader timeout (${t.leaderTimeout} ms)`;
  return null;
}
