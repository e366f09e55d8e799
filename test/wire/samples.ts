/** Random valid entries and frames for the tests of the wire, from a seed; and lines whose crc fits whatever they say. */
import type { ErrorCode, NoticeCode } from "../../src/core/codes.ts";
import {
  BOOT_MAX,
  MESSAGE_BYTES_MAX,
  NAME_BYTES_MAX,
  NESTING_MAX,
  PEER_ID_MAX,
  PROTOCOL_VERSION,
  TERM_MAX,
} from "../../src/core/config.ts";
import type { Frame } from "../../src/core/frame.ts";
import { type Ballot, NO_BALLOT } from "../../src/core/ids.ts";
import type { Configuration, Entry, EntryKind, Genesis, Member, Tail } from "../../src/core/log-entry.ts";
import type { Question, Told } from "../../src/core/reports.ts";
import type { SaidVersions } from "../../src/core/versions.ts";
import { seeded } from "../../src/sim/virtual-time.ts";
import { chainCrc } from "../../src/wire/crc32c.ts";
import { sealEntry } from "../../src/wire/entry.ts";
import type { FrameType } from "../../src/wire/schemas.ts";

export const KINDS: readonly EntryKind[] = ["genesis", "chat", "system", "read", "config", "settled", "leader"];

export const ascii = (text: string) => new TextEncoder().encode(text);
export const utf8 = (bytes: Uint8Array) => new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
export const join = (pieces: readonly Uint8Array[]) => new Uint8Array(Buffer.concat(pieces));
export const lineOf = ({ chunk, start, end }: Entry) => utf8(chunk.subarray(start, end));

/** CRC-32C by the definition, bit by bit, over the previous crc (big-endian) and the text [L3]. */
export function dumbChain(previous: number, bytes: Uint8Array): number {
  let register = 0xffff_ffff;
  const step = (byte: number) => {
    register ^= byte;
    for (let bit = 0; bit < 8; bit++) register = register & 1 ? (register >>> 1) ^ 0x82f6_3b78 : register >>> 1;
  };
  for (const shift of [24, 16, 8, 0]) step((previous >>> shift) & 0xff);
  for (const byte of bytes) step(byte);
  return (register ^ 0xffff_ffff) >>> 0;
}

/**
 * A line with a right crc, whatever its head says: `head` goes up to the comma before "crc". With the fast crc, because
 * there are many of them; it is held against the definition in crc32c.test.ts.
 */
export function lineWithHead(head: string | Uint8Array, previous = 0): Uint8Array {
  const bytes = typeof head === "string" ? ascii(head) : head;
  return join([bytes, ascii(`"crc":${chainCrc(previous, bytes, 0, bytes.length)}}\n`)]);
}

/** Text that is awkward somewhere: on a line, in JSON, in UTF-8, in a terminal. */
const AWKWARD = [
  "plain",
  "__proto__",
  "constructor",
  'quote " and \\ backslash',
  '","crc":1}',
  "\u2028\u2029\u0085",
  "👩‍🚀 and é and e\u0301",
  "\ufeffBOM",
  "007",
  "1e3",
  "{}[]".repeat(NESTING_MAX + 1),
  "\u{10ffff}\uffff",
];
/** Only texts may hold these; names may not. */
const CONTROLS = ["\0", "\n", "\r\n", "\t", "\x1b[2J", "\x7f", "\x9b31m"];

export class Sampler {
  readonly random: () => number;

  constructor(seed: number) {
    this.random = seeded(seed);
  }

  below(n: number): number {
    return Math.floor(this.random() * n);
  }

  pick<T>(choices: readonly T[]): T {
    return choices[this.below(choices.length)] as T;
  }

  /** A number from min to max, often one of the two. */
  whole(min: number, max: number): number {
    const edge = this.random();
    return edge < 0.15 ? min : edge < 0.3 ? max : min + this.below(Math.min(max - min, 1e6));
  }

  word(): string {
    const length = this.pick([1, 8, 64]);
    return Array.from({ length }, () => this.pick([..."abcdefghijklmnopqrstuvwxyz0123456789"])).join("");
  }

  text(): string {
    if (this.random() < 0.01) return "é".repeat(MESSAGE_BYTES_MAX / 2);
    return Array.from({ length: 1 + this.below(4) }, () => this.pick([...AWKWARD, ...CONTROLS])).join(" ");
  }

  name(): string {
    const fits = AWKWARD.filter((text) => Buffer.byteLength(text) <= NAME_BYTES_MAX && !text.includes("\u0085"));
    return this.random() < 0.1 ? "é".repeat(NAME_BYTES_MAX / 2) : this.pick(fits);
  }

  ballot(): Ballot {
    if (this.random() < 0.1) return NO_BALLOT;
    return {
      term: this.whole(0, TERM_MAX),
      leader_id: this.whole(0, PEER_ID_MAX),
      inc: this.word(),
      boot: this.boot(),
    };
  }

  boot(): number {
    return this.whole(0, BOOT_MAX);
  }

  tail(): Tail {
    return { index: this.index(), ballot: this.ballot() };
  }

  index(): number {
    return this.whole(0, Number.MAX_SAFE_INTEGER);
  }

  key() {
    return { id: this.whole(1, PEER_ID_MAX), inc: this.word() };
  }

  address() {
    return { host: this.pick(["127.0.0.1", "::1", "chat.example", "h".repeat(255)]), port: this.whole(0, 65_535) };
  }

  member(): Member {
    return { ...this.key(), ...this.address(), role: this.pick(["voter", "observer", "left"] as const) };
  }

  list<T>(make: () => T): T[] {
    return Array.from({ length: this.below(4) }, make);
  }

  configuration(): Configuration {
    return { members: this.list(() => this.member()), prev_voters: this.list(() => this.key()) };
  }

  genesis(): Genesis {
    const limits = { segment_entries: this.whole(1, 2 ** 32), segment_bytes: this.whole(1, 2 ** 40) };
    return { ...this.configuration(), cluster_id: this.word(), ...limits };
  }

  /** An entry of a kind, not sealed. */
  entry(kind: EntryKind): Entry {
    const sender_id = this.whole(1, PEER_ID_MAX);
    const said = { room_id: this.name(), sender_id, user: this.name(), ts: this.index() };
    const of: Record<EntryKind, () => Partial<Entry>> = {
      genesis: () => ({ data: this.genesis() }),
      chat: () => ({
        ...said,
        seq_no: this.whole(1, Number.MAX_SAFE_INTEGER),
        session: `${sender_id}.${this.word()}`,
        counter: this.whole(1, Number.MAX_SAFE_INTEGER),
        text: this.text(),
      }),
      system: () => ({
        ...said,
        data: {
          change: this.pick(["joined", "left", "gone", "renamed"] as const),
          was: this.pick(["", this.name()]),
        },
      }),
      read: () => ({ ...said, data: { from: this.index(), through: 1 + this.below(1e9) } }),
      config: () => ({ data: { ...this.configuration(), ...(this.random() < 0.3 && { cluster_id: this.word() }) } }),
      settled: () => ({ data: { config_index: this.index() } }),
      leader: () => ({}),
    };
    return {
      ...{ index: this.whole(1, Number.MAX_SAFE_INTEGER), term: this.whole(0, TERM_MAX) },
      ...{ leader_id: this.whole(1, PEER_ID_MAX), inc: this.word(), boot: this.boot(), kind },
      ...{ room_id: "", seq_no: 0, sender_id: 0, session: "", counter: 0, user: "", ts: 0, text: "", data: null },
      ...{ crc: 0, chunk: new Uint8Array(0), start: 0, end: 0 },
      ...of[kind](),
    };
  }

  /** Entries after an index, each sealed on the crc of the one before. */
  chain(prevIndex: number, prevCrc: number, count: number): Entry[] {
    let crc = prevCrc;
    return Array.from({ length: count }, (_, i) => {
      const entry = { ...this.entry(this.pick(KINDS)), index: prevIndex + 1 + i };
      sealEntry(entry, crc);
      crc = entry.crc;
      return entry;
    });
  }

  question(): Question {
    const room_id = this.name();
    return this.pick([
      { what: "status" },
      { what: "rooms" },
      { what: "history", room_id, count: 1 + this.below(500), text: this.text().slice(0, 100) },
      { what: "place", room_id, seq_no: this.whole(1, 1e9) },
      { what: "who" },
      { what: "here" },
      { what: "confirmations", room_id },
      { what: "nick", user: this.name() },
      { what: "read", room_id, through: this.whole(1, 1e9) },
      { what: "say", room_id, user: this.name(), payload: this.text() },
    ] as const);
  }

  told(): Told {
    const room_id = this.name();
    const said = { sender_id: 1, msg_id: "1.a.1", room_id, user: this.name(), payload: this.text(), ts: this.index() };
    const message = { event: "message", index: this.index(), term: 1, seq_no: 1, ...said } as const;
    const person = { user: this.pick(["", this.name()]), client: true, heard_ms: 0.5, round_trip_ms: null };
    const notice = { code: "waiting", message: this.text().slice(0, 100) };
    const member = {
      ...{ id: 1, ...this.address() },
      role: "voter",
      state: "alive",
      lag: this.pick([null, 0]),
    } as const;
    return this.pick<Told>([
      {
        ...{ event: "status", id: 1, role: "leader", term: 2, leader_id: this.pick([null, 1]), quorum: true },
        ...{ members: [member], first_index: 1, last_index: 2, commit_index: this.index(), pending: 0 },
        troubles: this.list(() => ({ file: "log", message: this.text().slice(0, 100), since: this.index() })),
        disk_ms: 0,
        twins: [
          {
            id: 3,
            at: [
              { boot: 7, host: "localhost", port: 6003 },
              { boot: 9, host: "10.0.0.1", port: 7003 },
            ],
          },
        ],
        waiting: this.pick([
          null,
          {
            ...{ message: this.text().slice(0, 100), needed: 1 },
            peers: this.list(() => ({ id: 2, ...this.address(), why: this.pick(["away", "room", "damaged"]) })),
          },
        ]),
      },
      { event: "rooms", rooms: this.list(() => ({ room_id, last_seq_no: this.index(), joined: true, unread: 0 })) },
      { event: "who", people: this.list(() => ({ ...person, peer_id: 1, lag: null })) },
      { event: "here", id: 1, commit_index: this.index(), people: this.list(() => ({ ...person, lag: 0 })) },
      { event: "confirmations", room_id, readers: this.list(() => ({ user: this.name(), through: 1 })) },
      { event: "history", room_id, messages: this.list(() => message), more: this.pick([null, 7]) },
      { event: "place", room_id, before: this.tail() },
      { event: "sent", msg_id: "1.a.1", index: this.index(), room_id, seq_no: 1 },
      { event: "notice", ...notice, code: notice.code as NoticeCode },
      { event: "error", ...notice, code: notice.code as ErrorCode },
      { event: "unsent", ...said },
    ]);
  }

  versions(): SaidVersions {
    const version = PROTOCOL_VERSION;
    return this.pick([{ version }, { version, version_min: this.whole(0, version) }]);
  }

  hello(): Frame {
    return {
      type: "HELLO",
      ...this.versions(),
      cluster_id: this.pick([null, this.word()]),
      ...this.key(),
      boot: this.boot(),
      ...this.address(),
      ...this.pick([{}, { wall: this.index() }]),
    };
  }

  /** A valid frame of a type; entry frames with `entries` entries. */
  frame(type: FrameType, entries = this.below(4)): Frame {
    const prev_index = this.below(1e6);
    const prev_crc = this.whole(0, 0xffff_ffff);
    const behind = () => ({
      ...{ prev_index, prev_ballot: this.ballot(), prev_crc, commit: this.index() },
      entries: this.chain(prev_index, prev_crc, entries),
    });
    const answer = () => ({ round: this.index(), promised: this.ballot() });
    const session = () => ({ sender_id: this.whole(1, PEER_ID_MAX), session: this.word() });
    const draft = () => ({ room_id: this.name(), user: this.name(), ts: this.index(), payload: this.text() });
    const hint = this.pick([null, this.tail()]);
    const made: { [T in FrameType]: () => Frame } = {
      HELLO: () => this.hello(),
      REFUSE: () => ({ type: "REFUSE", code: "closing", message: this.text().slice(0, 100), seed: "2:127.0.0.1:6002" }),
      PING: () => ({ type: "PING", at: this.random() * 1e9 }),
      PONG: () => ({
        ...{ type: "PONG", at: -this.random() },
        ...this.pick([
          {},
          { disk: { mean: this.index(), bound: this.index(), ...this.pick([{}, { abstains: "handles" }]) } },
        ]),
      }),
      JOIN: () => ({ type: "JOIN", ...this.key(), ...this.address() }),
      JOIN_ACK: () => ({
        ...{ type: "JOIN_ACK", cluster_id: this.word(), members: this.list(() => this.member()) },
        leader: this.pick([null, { id: 1, ...this.address() }]),
        ...{ admitted: this.index(), configured: this.index() },
      }),
      LEAVE: () => ({ type: "LEAVE", ...this.key() }),
      HEARTBEAT: () => ({
        ...{ type: "HEARTBEAT", ballot: this.ballot(), commit: this.index(), quorum: this.random() < 0.5 },
        ...{ prev_index, prev_ballot: this.ballot(), prev_crc, last_index: this.index() },
        acked: this.list(() => ({ ...this.key(), match: this.index() })),
      }),
      SEEN: () => ({ type: "SEEN", promised: this.ballot(), match: this.index() }),
      LOST: () => ({ type: "LOST", whole: this.random() < 0.5, durable: this.index(), confirmed: this.index() }),
      TWINS: () => ({
        ...{ type: "TWINS", ...this.key() },
        at: [
          { boot: 7, ...this.address() },
          { boot: 9, ...this.address() },
        ],
      }),
      FORK: () => ({ type: "FORK", ballot: this.ballot(), index: this.index(), committed: this.random() < 0.5 }),
      SEQ_CHAT: () => ({ type: "SEQ_CHAT", ballot: this.ballot(), ...behind() }),
      SEQ_ACK: () => ({
        ...{ type: "SEQ_ACK", ballot: this.ballot(), match: this.index(), last: this.index(), hint },
        ...{ faulty: this.random() < 0.5, linked: this.pick([null, [], [1, 2, PEER_ID_MAX]]) },
      }),
      NACK: () => ({ type: "NACK", ballot: this.ballot(), promised: this.ballot(), led: this.random() < 0.5 }),
      ELECTION: () => ({ type: "ELECTION", round: this.index(), tail: this.tail() }),
      ELECTION_OK: () => ({ type: "ELECTION_OK", ...answer() }),
      ELECTION_DENY: () => ({ type: "ELECTION_DENY", ...answer() }),
      ELECTION_GRANT: () => ({ type: "ELECTION_GRANT", ...answer() }),
      PREPARE: () => ({ type: "PREPARE", ballot: this.ballot() }),
      PROMISE: () => ({ type: "PROMISE", ballot: this.ballot(), tail: this.tail() }),
      COORDINATOR: () => ({ type: "COORDINATOR", ballot: this.ballot(), peer: { id: 1, ...this.address() } }),
      ABDICATE: () => ({ type: "ABDICATE", ballot: this.ballot(), to: this.whole(0, PEER_ID_MAX) }),
      CHAT: () => ({ type: "CHAT", ...session(), first: this.whole(1, 1e9), messages: [draft(), draft()] }),
      PEOPLE: () => {
        const who = () => ({ user: this.name(), room_id: this.name(), ts: this.index() });
        const users = this.list(() => ({ ...who(), was: this.pick(["", this.name()]), here: this.random() < 0.5 }));
        return { type: "PEOPLE", users, reads: this.list(() => ({ ...who(), through: 1 + this.below(1e9) })) };
      },
      PENDING: () => ({ type: "PENDING", session: this.word(), first: this.whole(1, 1e9), messages: [draft()] }),
      CHAT_ACK: () => ({ type: "CHAT_ACK", ...session(), expected: this.whole(1, 1e9) }),
      CATCHUP_REQ: () => ({ type: "CATCHUP_REQ", ballot: this.pick([null, this.ballot()]), after: this.tail() }),
      CATCHUP_RESP: () => ({
        type: "CATCHUP_RESP",
        ballot: this.pick([null, this.ballot()]),
        ...behind(),
        hint,
        more: this.random() < 0.5,
      }),
      ADMIN: () => ({ type: "ADMIN", op: this.pick(["transfer", "evict"] as const), id: this.whole(0, PEER_ID_MAX) }),
      ATTACH: () => ({
        ...{ type: "ATTACH", ...this.versions(), cluster_id: this.pick([null, this.word()]) },
        ...{ user: this.pick(["", this.name()]), room_id: this.name(), session: this.pick(["", "s".repeat(16)]) },
        ...{ sender_id: this.whole(0, PEER_ID_MAX), seen: this.index() },
      }),
      ATTACHED: () => ({
        ...{ type: "ATTACHED", cluster_id: this.word(), id: 1, sender_id: PEER_ID_MAX, commit: this.tail() },
        ...{ members: this.list(() => ({ id: 2, ...this.address() })), heartbeat: 200, leader_timeout: 1200 },
      }),
      DETACH: () => ({ type: "DETACH" }),
      ASK: () => ({ type: "ASK", request: this.whole(1, 1e9), question: this.question() }),
      TELL: () => ({ type: "TELL", request: this.index(), told: this.told() }),
      ADMIN_ACK: () => ({ type: "ADMIN_ACK", ok: this.random() < 0.5, message: this.text().slice(0, 100) }),
    };
    return made[type]();
  }
}

/** What a frame says, without where in memory its entries stand. */
export function said(frame: Frame): unknown {
  if (!("entries" in frame)) return frame;
  return { ...frame, entries: frame.entries.map((entry) => ({ ...contents(entry), line: lineOf(entry) })) };
}

/** An entry's fields, without where its line stands. */
export function contents({ chunk: _chunk, start: _start, end: _end, ...fields }: Entry) {
  return fields;
}
