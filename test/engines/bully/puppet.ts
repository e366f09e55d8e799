/**
 * One actor of the stories in this folder: a real `Peer`, and a host that is a few lists. Its disk confirms at once or
 * when the test says so; a crash leaves what was confirmed.
 */
import type { Timings } from "../../../src/core/config.ts";
import type { Frame } from "../../../src/core/frame.ts";
import {
  type Ballot,
  type Key,
  type LinkId,
  type LogIndex,
  NO_BALLOT,
  type PeerId,
  type ProcessKey,
} from "../../../src/core/ids.ts";
import type { Entry, Role } from "../../../src/core/log-entry.ts";
import { LogState } from "../../../src/core/log-state.ts";
import type { ChatAck } from "../../../src/core/message.ts";
import { Peer } from "../../../src/engines/bully/peer.ts";
import type { Input, Output, Restored } from "../../../src/engines/engine.ts";
import { address, draft, seal } from "../../core/entries.ts";

/** A crash leaves `entries` through `durable` and what was `promised`. */
class Disk {
  entries: Entry[] = [];
  durable = 0;
  promised: Ballot = NO_BALLOT;
  /** A promise handed to the disk and not confirmed yet. */
  promising: Ballot | null = null;
}

interface StartOptions {
  /** The commit index that was noted. */
  readonly commit?: LogIndex;
  /** So many of the oldest entries are on disk only and not in memory. */
  readonly onDisk?: LogIndex;
  readonly faulty?: boolean;
  readonly outbox?: Restored["outbox"];
}

/** What a puppet stands on: time, and whoever carries what it says to the others. */
interface Stage {
  readonly now: number;
  readonly timings: Timings;
  isolate(puppet: Puppet): void;
  hangUp(link: LinkId): void;
  post(from: Puppet, link: LinkId, frame: Frame): void;
  /** It has committed this entry. */
  witness(by: Puppet, entry: Entry): void;
}

/** One data directory and, while it runs, the peer on it. */
export class Puppet implements ProcessKey {
  readonly stage: Stage;
  readonly id: PeerId;
  readonly inc: string;
  readonly disk = new Disk();
  /** Whether the disk confirms by itself; otherwise `sync` and `syncPromise` do. */
  syncs = true;
  promises = true;
  /** What the running process was told to deliver, to report and to say. */
  delivered: Entry[] = [];
  sent: string[] = [];
  notices: string[] = [];
  stopped: string | null = null;
  /** Others' texts that were shown as pending [S7]. */
  unsent: string[] = [];
  /** What its clients were answered [S8]. */
  clientAnswers: ChatAck[] = [];
  /** What came of changes that it asked for [A5]: `ok`, or the code. */
  accessAnswers: string[] = [];
  /** What TLS says of it, and the invitation that it has. */
  key: Key | null = null;
  invite: string | null = null;
  /** Its wall clock. */
  wall = 0;
  #peer: Peer | null = null;
  #boots = 0;
  #sessions = 0;

  constructor(stage: Stage, id: PeerId, inc: string) {
    this.stage = stage;
    this.id = id;
    this.inc = inc;
  }

  get peer(): Peer {
    if (this.#peer === null) throw new Error(`peer ${this.id} is not running`);
    return this.#peer;
  }

  get boot(): number {
    return this.#boots;
  }

  get runs(): boolean {
    return this.#peer !== null;
  }

  get leads(): boolean {
    return this.#peer !== null && this.#peer.leadership !== null;
  }

  /** Index of the last entry written. */
  get last(): LogIndex {
    return this.disk.entries.length;
  }

  /** The chat texts delivered in this process's life. */
  get heard(): string[] {
    return this.delivered.filter((e) => e.kind === "chat").map((e) => e.text);
  }

  /** The texts in the log, committed or not. */
  get texts(): string[] {
    return this.disk.entries.filter((e) => e.kind === "chat").map((e) => e.text);
  }

  get role(): Role | null {
    return this.peer.memberOf(this)?.role ?? null;
  }

  /** Starts on what the disk holds. By default the commit index was never noted: it is a hint, not a truth [D7]. */
  start({ commit = 1, onDisk = 0, faulty = false, outbox = [] }: StartOptions = {}): this {
    const { disk, stage } = this;
    const state = new LogState();
    for (const entry of disk.entries) state.apply(entry);
    this.#boots += 1;
    this.delivered = disk.entries.slice(0, commit);
    this.#peer = new Peer(
      {
        self: { id: this.id, inc: this.inc, boot: this.boot },
        address: address(this.id),
        timings: stage.timings,
        seal,
        // Fixed, and different for each peer: pauses that are all alike would have them collide for ever.
        random: () => (this.id % 10) / 10,
        wall: () => this.wall,
        ...(this.key !== null && { key: this.key }),
        ...(this.invite !== null && { invite: this.invite }),
        session: `s${this.#boots}`,
        newSession: () => `s${this.#boots}new${++this.#sessions}`,
      },
      {
        state,
        entries: disk.entries.slice(onDisk),
        beforeCrc: disk.entries[onDisk - 1]?.crc ?? 0,
        durable: disk.durable,
        commit: Math.min(commit, disk.entries.length),
        promised: disk.promised,
        faulty,
        outbox,
      },
      stage.now,
    );
    this.#settle();
    return this;
  }

  /** The process dies, and with it what its disk had not confirmed. Its links close. */
  crash(): void {
    this.#peer = null;
    this.stage.isolate(this);
    this.disk.entries.length = this.disk.durable;
    this.disk.promising = null;
  }

  input(input: Input): void {
    this.peer.step(input, this.stage.now);
    this.#settle();
  }

  tick(): void {
    this.#settle();
  }

  say(...texts: string[]): void {
    this.input({ type: "submit", drafts: texts.map((text) => draft(text)) });
  }

  sync(through: LogIndex = this.disk.entries.length): void {
    this.disk.durable = through;
    this.input({ type: "durable", index: this.disk.durable });
  }

  syncPromise(): void {
    const ballot = this.disk.promising;
    if (ballot === null) return;
    this.disk.promised = ballot;
    this.disk.promising = null;
    this.input({ type: "promised", ballot });
  }

  #settle(): void {
    this.peer.settle(this.stage.now);
    for (const output of this.peer.takeOutputs()) this.#carryOut(output);
    if (this.runs && this.promises && this.disk.promising !== null) this.syncPromise();
    if (this.runs && this.syncs && this.disk.durable < this.disk.entries.length) this.sync();
  }

  #carryOut(output: Output): void {
    const { disk, stage } = this;
    switch (output.do) {
      case "append":
        disk.entries.push(...output.entries);
        return;
      case "truncate":
        disk.entries.length = output.from - 1;
        disk.durable = Math.min(disk.durable, disk.entries.length);
        return;
      case "promise":
        disk.promising = output.ballot;
        return;
      case "send":
        return stage.post(this, output.link, output.frame);
      case "serve": {
        const { after, ballot, link, through } = output;
        const entries = disk.entries.slice(after.index, through);
        const prev = { prev_index: after.index, prev_ballot: after.ballot };
        const prev_crc = disk.entries[after.index - 1]?.crc ?? 0;
        const { commit } = this.peer.log;
        return stage.post(this, link, {
          type: "CATCHUP_RESP",
          ballot,
          ...prev,
          prev_crc,
          commit,
          entries,
          hint: null,
          more: false,
        });
      }
      case "commit":
        for (let i = this.delivered.at(-1)?.index ?? 0; i < output.through; i++) {
          const entry = disk.entries[i] as Entry;
          stage.witness(this, entry);
          this.delivered.push(entry);
        }
        return;
      case "sent":
        this.sent.push(...output.entries.map((e) => e.text));
        return;
      case "notice":
        this.notices.push(output.code);
        return;
      case "unsent":
        this.unsent.push(...output.drafts.map((d) => d.payload));
        return;
      case "answer-client":
        this.clientAnswers.push(output.frame);
        return;
      case "damaged":
        this.notices.push("damaged");
        return;
      case "access":
        this.accessAnswers.push(output.ok ? "ok" : `${output.code}`);
        return;
      case "refuse":
        this.notices.push(output.code);
        return stage.hangUp(output.link);
      case "stop":
        this.stopped ??= output.reason;
        return;
    }
  }
}
