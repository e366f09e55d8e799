/**
 * What follows from a log prefix and from nothing else: ballots, per-room numbers, per-session counters,
 * configurations, the crc chain. `apply` goes one entry forward, `undo` one back, so truncation rolls everything
 * back [S5] [M3]; a checkpoint is this state at the end of a segment [L5].
 */
import { type AccessData, AccessLog } from "./access-log.ts";
import { assert } from "./assert.ts";
import { Counts } from "./counts.ts";
import {
  type Ballot,
  ballotOf,
  compareBallots,
  formatBallot,
  type Key,
  type LogIndex,
  NO_BALLOT,
  sameBallot,
} from "./ids.ts";
import type { AccessChange, Configuration, Entry, Genesis, Settled, Tail } from "./log-entry.ts";
import { messageId } from "./message-id.ts";
import { type PeopleData, PeopleLog } from "./people-log.ts";

/** A stretch of the log under one ballot; it ends where the next begins. */
export interface BallotRun {
  readonly from: LogIndex;
  readonly ballot: Ballot;
}

export interface LoggedConfiguration {
  readonly index: LogIndex;
  readonly configuration: Configuration;
  /** Index of the `settled` entry that follows it, 0 while there is none; its own index for the genesis. */
  settled: LogIndex;
}

/** The state as plain data, for checkpoints. */
export interface LogStateData extends PeopleData, AccessData {
  readonly index: LogIndex;
  readonly crc: number;
  readonly cluster_id: string;
  /** Left out where there are none. */
  readonly former_clusters?: readonly string[];
  readonly segment_entries: number;
  readonly segment_bytes: number;
  readonly chats: number;
  readonly runs: readonly BallotRun[];
  readonly rooms: readonly (readonly [string, number])[];
  readonly sessions: readonly (readonly [string, number])[];
  readonly configurations: readonly LoggedConfiguration[];
}

const NONE: readonly string[] = [];

export class LogState {
  index: LogIndex = 0;
  crc = 0;
  clusterId = "";
  /** Clusters that this log was the history of before forced recoveries, oldest first [M9]. */
  readonly formerClusters: string[] = [];
  segmentEntries = 0;
  segmentBytes = 0;
  /** Number of chat entries, for the hand-over of a young cluster [E10]. */
  chats = 0;
  readonly runs: BallotRun[] = [];
  /** Last seq_no per room. */
  readonly rooms = new Counts();
  /** Last counter per `<sender_id>.<session>` [S2]. */
  readonly sessions = new Counts();
  /** Which people are here, and how far each has read [P1] [P4]. */
  readonly people = new PeopleLog();
  /** Invitations and tokens [A5]. */
  readonly access = new AccessLog();
  /** Configurations that still matter, oldest first; `forget` drops what a later committed one has replaced. */
  configurations: LoggedConfiguration[] = [];

  static fromData(data: LogStateData): LogState {
    const state = new LogState();
    state.index = data.index;
    state.crc = data.crc;
    state.clusterId = data.cluster_id;
    state.formerClusters.push(...(data.former_clusters ?? []));
    state.segmentEntries = data.segment_entries;
    state.segmentBytes = data.segment_bytes;
    state.chats = data.chats;
    for (const { from, ballot } of data.runs) state.runs.push({ from, ballot: ballotOf(ballot) });
    for (const [room, seq] of data.rooms) state.rooms.set(room, seq);
    for (const [session, counter] of data.sessions) state.sessions.set(session, counter);
    state.people.load(data);
    state.access.load(data);
    state.configurations = data.configurations.map((c) => ({ ...c }));
    return state;
  }

  toData(): LogStateData {
    return {
      index: this.index,
      crc: this.crc,
      cluster_id: this.clusterId,
      ...(this.formerClusters.length > 0 && { former_clusters: [...this.formerClusters] }),
      segment_entries: this.segmentEntries,
      segment_bytes: this.segmentBytes,
      chats: this.chats,
      runs: [...this.runs],
      rooms: [...this.rooms],
      sessions: [...this.sessions],
      ...this.people.toData(),
      ...this.access.toData(),
      configurations: this.configurations.map((c) => ({ ...c })),
    };
  }

  get tail(): Tail {
    return { index: this.index, ballot: this.ballotAt(this.index) };
  }

  /** The ballot of the entry at `index`; NO_BALLOT at 0. */
  ballotAt(index: LogIndex): Ballot {
    assert(index >= 0 && index <= this.index, `ballotAt(${index}) of a log that ends at ${this.index}`);
    return this.#runAt(index)?.ballot ?? NO_BALLOT;
  }

  /** First index of the run of equal ballots in which `index` stands. */
  runStart(index: LogIndex): LogIndex {
    return this.#runAt(index)?.from ?? 0;
  }

  /** The newest configuration in the log, committed or not. */
  get newest(): LoggedConfiguration | null {
    return this.configurations[this.configurations.length - 1] ?? null;
  }

  /** By the newest configuration [A1]. */
  get secure(): boolean {
    return this.newest?.configuration.secure === true;
  }

  /** The newest configuration through `index`; null where there is none, or it no longer matters. */
  configurationAt(index: LogIndex): LoggedConfiguration | null {
    return this.configurations.findLast((logged) => logged.index <= index) ?? null;
  }

  /**
   * Why `entry` cannot be the next one, or null. It checks everything that a log guarantees about neighbours, so that
   * neither a damaged file nor a faulty peer can put nonsense behind a valid crc.
   */
  refusal(entry: Entry): string | null {
    if (entry.index !== this.index + 1) return `index ${entry.index} after ${this.index}`;
    if ((entry.kind === "genesis") !== (entry.index === 1)) return `kind ${entry.kind} at index ${entry.index}`;
    // A leader has everything that was written under lower ballots, and appends behind it [E7].
    const before = this.#last;
    if (before !== null && compareBallots(entry, before) < 0)
      return `ballot ${formatBallot(entry)} after ${formatBallot(before)}`;
    if (entry.kind === "chat") {
      const seq = this.rooms.get(entry.room_id) + 1;
      if (entry.seq_no !== seq) return `seq_no ${entry.seq_no} in room ${entry.room_id}, expected ${seq}`;
      const expected = this.sessions.get(entry.session) + 1;
      if (entry.counter !== expected) return `message ${messageId(entry)}, expected counter ${expected}`;
    }
    if (entry.kind === "system" || entry.kind === "read")
      return this.people.refusal(entry, this.rooms.get(entry.room_id));
    if (entry.kind === "config") {
      const { cluster_id, members } = entry.data as Configuration;
      const [only, ...others] = members;
      const alone = only?.id === entry.leader_id && only.inc === entry.inc && others.length === 0;
      if (cluster_id !== undefined && !alone) return `names cluster ${cluster_id}, but others besides its maker [M9]`;
      return this.#refuseKeys(entry.data as Configuration);
    }
    if (entry.kind === "access") {
      if (!this.secure) return "invites to a plain cluster [A5]";
      return this.access.judge(entry.data as AccessChange, entry.ts)?.message ?? null;
    }
    if (entry.kind === "settled") {
      const newest = this.newest;
      const settles = (entry.data as Settled).config_index;
      if (newest === null || newest.index !== settles || newest.settled !== 0)
        return `settles configuration ${settles}`;
    }
    return null;
  }

  /** One entry forward. The entry must not be refused by `refusal`. */
  apply(entry: Entry): void {
    this.index = entry.index;
    this.crc = entry.crc;
    const run = this.runs[this.runs.length - 1];
    if (run === undefined || !sameBallot(run.ballot, entry)) {
      this.runs.push({ from: entry.index, ballot: ballotOf(entry) });
    }
    switch (entry.kind) {
      case "chat":
        this.rooms.set(entry.room_id, entry.seq_no);
        this.sessions.set(entry.session, entry.counter);
        this.chats += 1;
        break;
      case "system":
      case "read":
        this.people.apply(entry);
        break;
      case "genesis": {
        const genesis = entry.data as Genesis;
        this.clusterId = genesis.cluster_id;
        this.segmentEntries = genesis.segment_entries;
        this.segmentBytes = genesis.segment_bytes;
        this.configurations.push({ index: entry.index, configuration: genesis, settled: entry.index });
        break;
      }
      case "config": {
        const configuration = entry.data as Configuration;
        this.configurations.push({ index: entry.index, configuration, settled: 0 });
        this.access.applyUses(configuration.invites ?? NONE, entry.index);
        if (configuration.cluster_id !== undefined) {
          this.formerClusters.push(this.clusterId);
          this.clusterId = configuration.cluster_id;
        }
        break;
      }
      case "settled": {
        const newest = this.newest;
        assert(
          newest !== null && newest.index === (entry.data as Settled).config_index,
          "a settled entry follows its configuration",
        );
        newest.settled = entry.index;
        break;
      }
      case "access":
        this.access.apply(entry);
        break;
    }
  }

  /** One entry back: `entry` is the last one, `prevCrc` the crc of the one before it. */
  undo(entry: Entry, prevCrc: number): void {
    assert(entry.index === this.index, "undo takes back the last entry");
    this.index = entry.index - 1;
    this.crc = prevCrc;
    if (this.runs[this.runs.length - 1]?.from === entry.index) this.runs.pop();
    switch (entry.kind) {
      case "chat":
        this.rooms.set(entry.room_id, entry.seq_no - 1);
        this.sessions.set(entry.session, entry.counter - 1);
        this.chats -= 1;
        break;
      case "system":
      case "read":
        this.people.undo(entry);
        break;
      case "genesis":
        this.configurations.pop();
        break;
      case "config":
        this.configurations.pop();
        this.access.undoUses((entry.data as Configuration).invites ?? NONE, entry.index);
        if ((entry.data as Configuration).cluster_id !== undefined) this.clusterId = this.formerClusters.pop() ?? "";
        break;
      case "settled": {
        const newest = this.newest;
        assert(newest !== null, "a settled entry has a configuration before it");
        newest.settled = 0;
        break;
      }
      case "access":
        this.access.undo(entry);
        break;
    }
  }

  /** Drops configurations that a settled one at or below `committed` has replaced for good. */
  forget(committed: LogIndex): void {
    let keep = 0;
    this.configurations.forEach((c, i) => {
      if (c.settled !== 0 && c.settled <= committed) keep = i;
    });
    if (keep > 0) this.configurations = this.configurations.slice(keep);
    this.access.forget(committed);
  }

  /** What speaks against the keys and the invitations of the next configuration [A1] [A2] [A7]. */
  #refuseKeys({ secure, members, invites = NONE }: Configuration): string | null {
    if (secure !== true) return this.secure ? "a secured cluster becomes a plain one [A1]" : null;
    const keys = new Set<Key>();
    for (const { id, role, key } of members) {
      if (key === undefined && role !== "left") return `peer ${id} has no key [A2]`;
      if (key !== undefined && keys.has(key)) return `peer ${id} has another one's key [A2]`;
      if (key !== undefined) keys.add(key);
    }
    return this.access.refuseUses(invites);
  }

  get #last(): Ballot | null {
    return this.runs[this.runs.length - 1]?.ballot ?? null;
  }

  #runAt(index: LogIndex): BallotRun | null {
    // Nearly every question is about the newest run; the others are found by halving.
    let low = 0;
    let high = this.runs.length - 1;
    if (high >= 0 && (this.runs[high] as BallotRun).from <= index) return this.runs[high] as BallotRun;
    let found: BallotRun | null = null;
    while (low <= high) {
      const middle = (low + high) >> 1;
      const run = this.runs[middle] as BallotRun;
      if (run.from <= index) {
        found = run;
        low = middle + 1;
      } else high = middle - 1;
    }
    return found;
  }
}
