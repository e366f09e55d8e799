/**
 * Every limit and every time of the protocol in one place, each with its unit and its reason.
 * `checkTimings` cross-checks what a user can set; nothing here is "0 = unlimited".
 */

/** The highest version of the wire protocol that this build speaks [W2]. Raise it with every change of a frame. */
export const PROTOCOL_VERSION = 2;
/** The lowest. Raise it when frames of that version are understood no more. */
export const PROTOCOL_VERSION_MIN = 2;

/** Terms stay exact in a double, with room to add one [E12]: no log and no frame holds a higher one. */
export const TERM_MAX = Number.MAX_SAFE_INTEGER - 1;
/**
 * The number of terms that a cluster has before it ends. Ten elections a second use them up in 890,000 years. A forced
 * recovery begins a cluster with as many more [M9]; a double has room for 31 recoveries.
 */
export const TERMS_PER_CLUSTER = 2 ** 48;
/** The last term of a cluster whose log has been through `recoveries` forced recoveries [M9]. */
export function lastTermAfter(recoveries: number): number {
  return Math.min((recoveries + 1) * TERMS_PER_CLUSTER, TERM_MAX);
}

/**
 * A process believes no term that is further than this above the one it started from. Ten elections a second, more than
 * the pauses between elections allow, take 13 years to get there. So a peer that was away for years gets in, and a peer
 * that claims more elections than there was time for does not [E12].
 */
export const TERM_LEAP_MAX = 2 ** 32;
/**
 * A term that is at most this far above the last promise is believed in any case; otherwise elections would end where
 * the bound above is reached. Each promise is on the disk before the next one: at a thousand promises a second it takes
 * nine years to use up all terms.
 */
export const TERM_STEP_MAX = 2 ** 10;
/**
 * People are warned when fewer terms than this are left. It is enough for 256 leaps, or for 3,400 years of elections.
 */
export const TERMS_LEFT_WARNED = 2 ** 40;
/**
 * Boot numbers stay exact in a double. Each start of a directory adds a random number from 1 to BOOT_STRIDE_MAX. If it
 * always added 1, two starts from copies of one directory would get the same number, and would be taken for one
 * process. There is room for 2²⁹ starts.
 */
export const BOOT_MAX = Number.MAX_SAFE_INTEGER;
export const BOOT_STRIDE_MAX = 2 ** 24;
/** Peer ids are small so that people can type them; 6000 + id must be a port by default. */
export const PEER_ID_MAX = 59_535;

/** One chat text, in bytes of UTF-8. */
export const MESSAGE_BYTES_MAX = 64 * 1024;
/** One frame (header line or the entries behind it), in bytes. A text of 64 KiB of control characters is 384 KiB of JSON. */
export const FRAME_BYTES_MAX = 1024 * 1024;
/**
 * The first line of either side of a connection, in bytes. Before that line the other side is unknown, so no more is
 * read from it.
 */
export const GREETING_BYTES_MAX = 4096;
/** In a secured cluster, all bytes that are read from a side that is not known yet: two greetings [A3]. */
export const STRANGER_BYTES_MAX = 8192;
/** Levels of nesting in JSON from the network: JSON.parse takes 10⁶ levels, JSON.stringify fails at far fewer. */
export const NESTING_MAX = 16;
/** Entries behind one header line. */
export const FRAME_ENTRIES_MAX = 4096;
/** Room and user names, in bytes of UTF-8. */
export const NAME_BYTES_MAX = 64;
/** So many may come with one invitation. */
export const INVITATION_USES_MAX = 1000;
/** Invitations that can still be used, in one cluster: each takes about 300 bytes of memory at every peer. */
export const INVITATIONS_MAX = 1024;
/** Of invitations and tokens that count no more so many are known still, so that their holders are told why. */
export const CLOSED_ACCESS_KEPT = 1024;
/** Tokens that count, in one cluster. */
export const TOKENS_MAX = 4096;
/** Members of one cluster: each of them keeps a connection to each other one. */
export const MEMBERS_MAX = 900;
/**
 * Number of members that have left and are still named, so that people can see them. Beyond it the oldest are forgotten
 * [M5].
 */
export const LEFT_KEPT_MAX = 100;
/** Number of members that a configuration may name, present and left: it must fit one frame. */
export const CONFIGURATION_MEMBERS_MAX = MEMBERS_MAX + LEFT_KEPT_MAX;
/** Number of members shown in a status as running twice. More than this would be a disaster of another kind. */
export const TWINS_TOLD_MAX = 16;

/** Words for people in a frame, in UTF-16 units: why something is refused or waits, and what is told. Longer ones are cut. */
export const REASON_CHARS_MAX = 1000;
export const NOTICE_CHARS_MAX = 4000;

/**
 * Connections accepted from one address (a whole site may be behind it), and in all [W3]. Connections of members do not
 * count.
 */
export const CONNECTIONS_PER_ADDRESS_MAX = 512;
export const CONNECTIONS_MAX = 1024;
/**
 * Pause in milliseconds before a peer that did not answer is dialled again. It doubles from the minimum to the maximum,
 * and each pause is drawn between half and one and a half times that value. So a peer that comes back is dialled within
 * 1.5 s.
 */
export const DIAL_PAUSE_MIN_MS = 50;
export const DIAL_PAUSE_MAX_MS = 1000;
/** Milliseconds after which a second address of one peer is dialled. The first one has usually answered by then. */
export const DIAL_STAGGER_MS = 250;
/**
 * Dials per second, in all. Where hundreds of peers are away for good they are dialled in turn: each dial costs a
 * connection, and a peer that comes back dials by itself.
 */
export const DIALS_PER_SECOND_MAX = 50;
/**
 * Milliseconds after which the next address of a name is tried, if the one before has not answered (RFC 8305 says 250).
 */
export const CONNECT_NEXT_MS = 250;
/**
 * While no address of a name answers, the name is looked up again after this many milliseconds: it may lead elsewhere
 * by now.
 */
export const LOOK_UP_AGAIN_MS = 1000;
/**
 * Names looked up at the same time. Each look-up occupies one of the few threads that also wait for disks, until it is
 * answered.
 */
export const LOOKUPS_MAX = 2;
/** Size in bytes of a certificate in DER. One that a peer makes has about 300. */
export const CERTIFICATE_BYTES_MAX = 2048;
/** Of the 32 bytes of a certificate's hash, those in an invitation: nobody can make another one that begins with them. */
export const PIN_BYTES = 16;
/** Milliseconds from an incoming TCP connection, or from a connected dial, to the end of the TLS handshake. */
export const HANDSHAKE_MS_MAX = 5000;
/**
 * Connections to a secured port whose other side has not proven yet who it is: from one address, in all, and new ones from
 * one address per second. Each costs about 1 ms of processor time for its handshake.
 */
export const STRANGERS_PER_ADDRESS_MAX = 16;
export const STRANGERS_MAX = 128;
export const STRANGERS_PER_SECOND_MAX = 20;
/**
 * Bytes waiting in one connection's send queue. Beyond this the connection is dropped, and its peer catches up from
 * disk [R7].
 */
export const QUEUE_BYTES_MAX = 16 * 1024 * 1024;

/**
 * Length of a peer's own session and of a client's, both drawn at random. They differ, so that no client can number
 * messages in a peer's name [S8].
 */
export const SESSION_CHARS = 8;
export const CLIENT_SESSION_CHARS = 16;
/** A client's messages under way. Further ones wait in the client's process. */
export const CLIENT_OUTSTANDING_MESSAGES_MAX = 1024;
export const CLIENT_OUTSTANDING_BYTES_MAX = 512 * 1024;
/** Messages that wait in a client before `submit` tells the caller to wait. They are lost when its process ends. */
export const CLIENT_PENDING_MESSAGES_MAX = 4096;
export const CLIENT_PENDING_BYTES_MAX = 16 * 1024 * 1024;
/** Bytes that all clients of one peer have under way to the log [S9]: what is committed within some ms, in these bounds. */
export const CLIENTS_UNDER_WAY_BYTES_MIN = 16 * 1024;
export const CLIENTS_UNDER_WAY_BYTES_MAX = 256 * 1024;
/** Bytes of one client's messages that take their turn together, but for a single message that is larger. */
export const CLIENT_PIECE_BYTES_MAX = 8 * 1024;
/** Messages of one answer about the past, and their texts together in UTF-16 units: an answer must fit one frame. */
export const HISTORY_MESSAGES_MAX = 500;
/** Length of the text that a question about the past looks for, in UTF-16 units. */
export const HISTORY_TEXT_CHARS_MAX = 1000;
export const HISTORY_CHARS_MAX = 128 * 1024;
/** … and their lines in the log, in bytes: JSON writes some characters in six, and names need room as well. */
export const HISTORY_BYTES_MAX = 896 * 1024;
/** Rooms that somebody has joined, or left and may come back to, and rooms in one answer. */
export const ROOMS_JOINED_MAX = 1000;
export const ROOMS_TOLD_MAX = 2000;
/** Files that cannot be written, in one answer. */
export const TROUBLES_MAX = 20;
/** People present, and marks of who has read which room how far. Both are in every checkpoint. */
export const USERS_MAX = 4096;
export const READ_MARKS_MAX = 16_384;
/** People of one peer and its clients; and their read marks that the log does not show yet. */
export const PEOPLE_TOLD_MAX = 1100;
export const READS_WAITING_MAX = 1024;
/** Rows of an answer about people: it must fit one frame. */
export const WHO_ROWS_MAX = 2000;
/**
 * What a token may do at its peer, on all its connections together [A9]: messages and bytes of the log are made to wait, and
 * whoever sends more frames than any client has a reason to is let go. A frame counts for more with what it carries.
 */
export const CLIENT_MESSAGES_PER_SECOND = 200;
export const CLIENT_MESSAGES_BURST = 1024;
export const CLIENT_READ_BYTES_PER_SECOND = 16 * 1024 * 1024;
export const CLIENT_READ_BYTES_BURST = 64 * 1024 * 1024;
export const CLIENT_FRAMES_PER_SECOND = 2000;
export const CLIENT_FRAMES_BURST = 8192;
/** Connections that one token has at one peer. */
export const TOKEN_CONNECTIONS_MAX = 32;
/** Characters of an invitation as it is told. */
export const INVITATION_CHARS_MAX = 2000;
/** Tokens, and invitations, in one answer about who may come in: it must fit one frame. */
export const ACCESS_ROWS_MAX = 1000;
/** Questions of one client that are under way. */
export const QUESTIONS_MAX = 64;

/** Voters are the largest odd number of members up to this: five bear two crashes, more only slow the quorum [M5]. */
export const VOTERS_MAX = 5;

/** Messages of one sender that are under way to the log [S9]. */
export const OUTSTANDING_MESSAGES_MAX = 1024;
export const OUTSTANDING_BYTES_MAX = 4 * 1024 * 1024;
/** Number of messages waiting for a leader that are shown to the other peers, oldest first [S7]. */
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
 * Entries kept in memory below the commit index. The leader keeps them so that it can serve a follower a little behind
 * without reading the disk. Followers are not asked for entries; they keep only as many as a new leader needs for a
 * follower that is about as far.
 */
export const TAIL_ENTRIES_KEPT = 10_240;
export const FOLLOWER_TAIL_ENTRIES_KEPT = 1024;
/** Entries kept for a delivery that waits. A reader further behind than this reads from the disk in any case. */
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

/**
 * A process looks at its lock on the data directory this often. It writes and says nothing when its last look is older
 * than that [D1].
 */
export const LOCK_LOOK_MS = 1000;
/** A holder that cannot be seen counts as dead when its lease has not moved for this long: it has missed ten looks. */
export const LOCK_LEASE_MS = 10_000;
/**
 * After a takeover nothing is read for this long. A holder that woke at the moment of the takeover has looked again by
 * then, and has stopped.
 */
export const LOCK_SETTLE_MS = 3000;

/**
 * Times follow what was measured, up to this limit [E15]. Disks that need 2 s and round trips of 4 s get the time they
 * need. A peer that takes longer is broken rather than slow, and nobody waits for it.
 */
export const TIMEOUT_MS_MAX = 15_000;
/**
 * Factor by which silence is tolerated longer on a line where frames take more than a heartbeat interval to pass, and
 * at a peer that catches up, where they may. The heartbeat that is missed waits behind those frames, and only then can
 * it be measured how long that takes [R10].
 */
export const NARROW_PATIENCE = 3;
/** Where nothing was measured yet, a failed election doubles the time of the next one, up to this factor [E12]. */
export const TIMEOUT_GROWTH_MAX = 4;
/**
 * People are told when the disk takes this many milliseconds to make something durable: every message and every
 * election waits for it.
 */
export const DISK_SLOW_MS = 200;
/** A voter with a slow disk does not stand in the way of a candidate whose disk is this many times faster [E4]. */
export const DISK_SLOW_FACTOR = 4;

/** The longest time that the runtimes' timers can wait, 24 days. A longer one would end at once. */
export const TIME_MS_MAX = 2 ** 31 - 1;
/** The longest leader timeout. Clients are told the leader timeout, and refuse a longer one. */
export const LEADER_TIMEOUT_MS_MAX = 3_600_000;

/**
 * All times are in milliseconds. Times spent waiting for others become longer where the others were measured to need it
 * [E15].
 */
export interface Timings {
  /** Between two heartbeats of a leader. */
  readonly heartbeat: number;
  /** A follower suspects its leader when it has not heard it for this long [E1]. */
  readonly leaderTimeout: number;
  /** A leader abdicates when no majority has acknowledged for this long [E11]. */
  readonly quorumCheck: number;
  /** A leader also abdicates when its entries have made no progress anywhere for this long [E11]. */
  readonly stall: number;
  /** A candidate waits at most this long for a higher peer [E4]. */
  readonly defer: number;
  /** Bounds of the first, random pause after a refused election; it doubles up to the leader timeout [E12]. */
  readonly retryMin: number;
  readonly retryMax: number;
  /** A member that has been away for this long may be replaced [M5] [M6]. */
  readonly eviction: number;
  /** A person counts as gone when no peer has reported that person for this long [P3]. */
  readonly presence: number;
  /** A quitting peer waits at most this long for its demotion [M5]. */
  readonly quit: number;
  /** A connection that has not said HELLO by then is closed [W3]. */
  readonly handshake: number;
  /**
   * A founder that is alone takes no message for this long after its start [M1]. A peer that knows it from another
   * cluster dials it meanwhile. So this is longer than the longest pause between two dials: 1.5 s where the address
   * refused, 2 s where it was silent (between two SYNs, 1 and 3 s after the first).
   */
  readonly founding: number;
}

/**
 * The times of a peer that is given no others. They suit a LAN, and longer lines as far as measured times allow [E15].
 */
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
