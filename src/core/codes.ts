/**
 * Every code that a notice or an error can have, and when it comes. The type of `code` and the tables of the reference are
 * made from here: `scripts/reference.ts` writes them. Programs compare codes, so none is ever given another meaning.
 */

export const NOTICE_CODES = {
  founded:
    "this peer made a new cluster. While it is alone, it takes messages only after 2.5 s, so that peers that know it from another cluster (its directory was emptied) can say so before",
  leading: "this peer leads now",
  abdicated: "this peer no longer leads, and why",
  waiting:
    "no majority is here, or no seed has answered: messages are kept. It says which peers are missing, where they are, and what can be done",
  "last-voter": "this peer quits with a vote that the others need: start it first next time",
  "disk-slow": "a sync takes 200 ms and more here, and what that costs",
  "disk-fast": "the disk is fast again",
  locked: "it cannot be seen from here whether the directory's holder lives: the start waits to find out",
  reading:
    "the start takes long, because it must read much of the log (it is damaged, or checkpoints are missing): how far it is",
  "trouble-over": "the file that an error `trouble` named can be written again",
  recovered: "what was found at the start, and what was done",
  repaired: "a damaged log is whole again, and this peer counts again",
  "rolled-back": "the directory has lost entries that it had confirmed: they are fetched from the others",
  clock: "this machine's clock is before 1970: its messages bear that date until it is set",
  conflict:
    "this peer and the named one have committed different entries: a majority was put back from copies, or a directory is a copy of another peer's. Nothing more is delivered where they differ",
  "majority-lost":
    "no leader can be elected, because too many voters have lost what they had confirmed (put back from copies, damaged): who, how much, and what can be done",
  "bad-entry": "an impossible entry was refused: a peer is broken",
  histories:
    "two histories under one ballot: this peer and the named one hold different entries, and both believe in them, so one directory was changed or put back. Nothing more is delivered where they differ",
  leap: "another peer names a term that elections cannot have reached: it is not believed",
  "terms-low": "few of the cluster's 2^48 terms are left: `chatpeer recover` begins a new cluster with as many",
  "terms-used-up":
    "every term of the cluster is used, and no leader can be elected: `chatpeer recover` begins a new cluster",
  "emptied-founder": "a member's directory was emptied, and it would found a second cluster",
  "number-taken":
    "somebody else has written in this sender's name, under the number of one of its messages: that message is not sent yet, and goes out under another number (`pending` with `was`)",
  renumbered: "messages behind a damaged part of the outbox go out under new numbers",
  away: "this peer stood still for long (a sleeping machine, SIGSTOP, no processor time); and how many of the others are here again",
  kept: "at the end: messages that go out at the next start",
  done: "`/transfer`, `/evict` or `/read` was carried out",
  refused: "`/transfer` or `/evict` was not carried out, and why",
  "transfer-failed": "the peer that was to lead did not catch up in time: the leader stays the same",
  room: "the outcome of `/join` or `/leave`",
  renamed: "the outcome of `/nick`",
  "name-twice":
    "somebody at another peer has the same name: both took it while they could not know of each other; who that is, and which name is free",
  read: "the outcome of `/read`",
  saved: "the outcome of `/save`",
  "peer-lost": "of a client: its peer is gone, and it looks for another one",
  attached: "of a client: another peer serves it now",
  help: "a line of `/help`",
} as const;

export const ERROR_CODES = {
  start: "this peer could not start; it ends with exit code 1",
  fatal: "this peer had to stop; it ends with exit code 1",
  empty: "an empty message was not taken",
  "too-large": "a message that is too long was not taken",
  "bad-room": "a message was not taken, because its room's name is not valid",
  "not-utf8": "a line that is not UTF-8 was not taken",
  full: "a message was not taken, because too many wait to be sent",
  disk: "a message was not taken, because the disk refuses to keep it",
  closing: "a message was not taken, because the peer is not running; or another peer refused the connection for that",
  trouble:
    "a file cannot be written (no room, no inode, no file handle, no right): which file, why, what it costs while it lasts, and what to do",
  command: "a `/command` does not exist, or cannot be done, and why",
  "bad-name": "`/nick`: the name is not valid",
  "name-in-use":
    "`/nick`: somebody has that name. At the start of a peer or a client: somebody has its name, with who it is and which name is free; exit code 1",
  busy: "too many questions of a client wait for an answer",
  refused: "of a client: its request cannot be done by its peer for a client",
  unknown: "at the end of a client: messages that may be sent or not, and that nobody keeps",
  "wrong-version": "another peer refused the connection: it speaks another version of the protocol",
  "wrong-cluster": "another peer refused the connection: it belongs to another cluster",
  "needs-tls": "another peer refused the connection: its cluster is secured, and this one spoke without TLS",
  "duplicate-id": "another peer refused the connection: the id is another member's",
  "emptied-founder":
    "another peer refused the connection: this peer's directory was emptied, and would found a second cluster",
  "id-away": "another peer refused the connection: the id belongs to a member that is away",
  twins: "another peer refused the connection: this peer's directory runs twice",
  behind: "another peer refused the connection: it has not come as far as this client has seen",
  malformed: "another peer refused the connection: it did not understand what it was sent",
  limit: "another peer refused the connection: it has as many as it takes",
} as const;

export type NoticeCode = keyof typeof NOTICE_CODES;
export type ErrorCode = keyof typeof ERROR_CODES;
