/**
 * Judges a run by what it did to disks, links and people, sharing no code with the core: the invariants of SPEC.md, and
 * what each frame claims about the disk behind it. The first breach throws.
 */
import type { Ballot, PeerId } from "../../src/core/ids.ts";
import type { Configuration, Draft, Entry, Frame } from "../../src/core/message.ts";
import type { ModelDisk } from "./model-disk.ts";

export class Violation extends Error {
  override readonly name = "Violation";
}

/** What the checker sees of a data directory and the process on it. */
export interface Witness {
  readonly id: PeerId;
  readonly inc: string;
  readonly boot: number;
  readonly disk: ModelDisk;
}

interface Leading {
  readonly site: Witness;
  readonly boot: number;
}

const key = (b: Ballot) => `${b.term}.${b.leader_id}.${b.inc}`;
const above = (a: Ballot, b: Ballot) =>
  a.term !== b.term ? a.term > b.term : a.leader_id !== b.leader_id ? a.leader_id > b.leader_id : a.inc > b.inc;

export class Checker {
  /** What was delivered, by anyone, at each index. */
  readonly chosen: Entry[] = [];
  readonly #counters = new Map<string, number>();
  readonly #rooms = new Map<string, number>();
  readonly #texts = new Map<string, { text: string; floor: number }>();
  /** Highest index of a message whose sender was told that it is sent. */
  #sentThrough = 0;
  readonly sent = new Set<string>();
  /** ballot:index → crc of the entry that was made there. */
  readonly #made = new Map<string, number>();
  readonly #leaders = new Map<string, Leading>();
  /** crc of an entry → names of the incarnations that ever had it durable. */
  readonly #durableOn = new Map<number, Set<string>>();
  readonly #syncedThrough = new Map<string, { length: number; crc: number }>();
  readonly configurations = new Map<number, { index: number; configuration: Configuration }>();
  readonly #committed = new Map<string, number>();
  readonly #promises = new Map<string, Ballot>();

  fail(claim: string): never {
    throw new Violation(claim);
  }

  onSubmit(site: Witness, session: string, first: number, drafts: readonly Draft[]): void {
    drafts.forEach((draft, i) => {
      const id = `${site.id}.${session}.${first + i}`;
      if (this.#texts.has(id)) this.fail(`[S3] ${id} was used twice`);
      this.#texts.set(id, { text: draft.payload, floor: this.#sentThrough });
    });
  }

  onAppend(site: Witness, entries: readonly Entry[]): void {
    for (const entry of entries) {
      if (entry.term > 0 && above(entry, site.disk.promised))
        this.fail(`[R2] [R8] peer ${site.id} wrote entry ${entry.index} of ballot ${key(entry)} above its durable promise`);
      const made = `${key(entry)}:${entry.index}`;
      const before = this.#made.get(made);
      if (before !== undefined && before !== entry.crc) this.fail(`[I3] two entries ${entry.index} of ballot ${key(entry)}`);
      this.#made.set(made, entry.crc);
      if (entry.kind === "leader") {
        const opened = this.#made.get(`${key(entry)}:leader`);
        if (opened !== undefined && opened !== entry.crc) this.fail(`[I3] two leader entries of ballot ${key(entry)}`);
        this.#made.set(`${key(entry)}:leader`, entry.crc);
      }
      if (entry.kind === "genesis" || entry.kind === "config")
        this.configurations.set(entry.crc, { index: entry.index, configuration: entry.data as Configuration });
    }
  }

  onTruncate(site: Witness, from: number): void {
    const committed = this.#committed.get(name(site)) ?? 0;
    if (from <= committed) this.fail(`[I1] peer ${site.id} truncates from ${from}, delivered was ${committed}`);
  }

  onSynced(site: Witness): void {
    const { synced } = site.disk;
    const seen = this.#syncedThrough.get(name(site));
    // Only what is new since the last sync needs a look; a truncation in between makes that all.
    let from = 0;
    if (seen !== undefined && seen.length <= synced.length && synced[seen.length - 1]?.crc === seen.crc) from = seen.length;
    for (let i = from; i < synced.length; i++) {
      const crc = (synced[i] as Entry).crc;
      let names = this.#durableOn.get(crc);
      if (names === undefined) this.#durableOn.set(crc, (names = new Set()));
      names.add(name(site));
    }
    const last = synced[synced.length - 1];
    if (last !== undefined) this.#syncedThrough.set(name(site), { length: synced.length, crc: last.crc });
  }

  onPromised(site: Witness): void {
    const before = this.#promises.get(name(site));
    if (before !== undefined && above(before, site.disk.promised)) this.fail(`[I7] the promise of peer ${site.id} went back`);
    this.#promises.set(name(site), site.disk.promised);
  }

  onLead(site: Witness, ballot: Ballot): void {
    const leading = this.#leaders.get(key(ballot));
    if (leading !== undefined && (leading.site !== site || leading.boot !== site.boot))
      this.fail(`[I3] ballot ${key(ballot)} has two leaders`);
    if (ballot.leader_id !== site.id || ballot.inc !== site.inc) this.fail(`[I3] peer ${site.id} leads under ${key(ballot)}`);
    if (above(ballot, site.disk.promised)) this.fail(`[E5] peer ${site.id} leads under a promise that is not durable`);
    if (leading !== undefined) return;
    this.#leaders.set(key(ballot), { site, boot: site.boot });
    const last = this.chosen[this.chosen.length - 1];
    if (last !== undefined && site.disk.ordered[last.index - 1]?.crc !== last.crc)
      this.fail(`[I1] peer ${site.id} leads with ${key(ballot)} and lacks the committed entry ${last.index}`);
  }

  onCommit(site: Witness, through: number): void {
    const from = this.#committed.get(name(site)) ?? 0;
    if (through <= from) this.fail(`[I7] the commit index of peer ${site.id} went from ${from} to ${through}`);
    for (let index = from + 1; index <= through; index++) {
      const entry = site.disk.ordered[index - 1];
      if (entry === undefined) return this.fail(`[R6] peer ${site.id} delivers ${index}, which it does not hold`);
      const before = this.chosen[index - 1];
      if (before === undefined) this.#choose(entry);
      else if (before.crc !== entry.crc) {
        this.fail(`[I2] peer ${site.id} delivers ${key(entry)} at ${index} (${entry.kind} ${entry.msg_id}), another delivered ${key(before)} (${before.kind} ${before.msg_id})`);
      }
    }
    this.#committed.set(name(site), through);
  }

  #choose(entry: Entry): void {
    if (entry.index !== this.chosen.length + 1) this.fail(`[I2] ${entry.index} is delivered before what precedes it`);
    this.chosen.push(entry);
    if (entry.kind !== "chat") return;
    const text = this.#texts.get(entry.msg_id);
    if (text === undefined || text.text !== entry.text) return this.fail(`[I6] nobody sent ${entry.msg_id}`);
    if (entry.index <= text.floor)
      this.fail(`[I5] ${entry.msg_id} stands at ${entry.index}, before what was sent when it was typed (${text.floor})`);
    const dot = entry.msg_id.lastIndexOf(".");
    const session = entry.msg_id.slice(0, dot);
    const expected = (this.#counters.get(session) ?? 0) + 1;
    if (Number(entry.msg_id.slice(dot + 1)) !== expected)
      this.fail(`[I4] ${entry.msg_id} is delivered, expected counter ${expected}`);
    this.#counters.set(session, expected);
    const seq = (this.#rooms.get(entry.room_id) ?? 0) + 1;
    if (entry.seq_no !== seq) this.fail(`[I4] room ${entry.room_id} goes on with ${entry.seq_no}, expected ${seq}`);
    this.#rooms.set(entry.room_id, seq);
  }

  onSent(site: Witness, entry: Entry): void {
    if (this.chosen[entry.index - 1]?.crc !== entry.crc) this.fail(`[I8] ${entry.msg_id} counts as sent but is not committed`);
    if (entry.sender_id !== site.id || this.sent.has(`${name(site)} ${site.boot} ${entry.msg_id}`))
      this.fail(`[S1] ${entry.msg_id} is sent twice or by somebody else`);
    this.sent.add(`${name(site)} ${site.boot} ${entry.msg_id}`);
    const durable = this.#durableOn.get(entry.crc) ?? new Set();
    const has = (m: { id: number; inc: string }) => durable.has(name(m));
    const majority = (set: readonly { id: number; inc: string }[]) => set.filter(has).length > set.length / 2;
    const some = [...this.configurations.values()].some((c) => majority(c.configuration.members.filter((m) => m.role === "voter")));
    if (!some) this.fail(`[I8] ${entry.msg_id} counts as sent, durable on ${[...durable].join(" ")} only`);
    this.#sentThrough = Math.max(this.#sentThrough, entry.index);
  }

  /** A frame's claims about the disk of its sender. `leader` is the process that leads under the frame's ballot, if it lives. */
  onSend(site: Witness, frame: Frame): void {
    const { disk } = site;
    if (frame.type === "SEQ_ACK") {
      if (key(disk.promised) !== key(frame.ballot))
        this.fail(`[R3] peer ${site.id} acknowledges to ${key(frame.ballot)} with promise ${key(disk.promised)} on its disk`);
      if (frame.match > disk.synced.length || disk.synced[frame.match - 1]?.crc !== disk.written[frame.match - 1]?.crc)
        this.fail(`[R3] peer ${site.id} acknowledges ${frame.match}, durable is ${disk.synced.length}`);
      const leading = this.#leaders.get(key(frame.ballot));
      if (leading === undefined || leading.site.boot !== leading.boot) return;
      for (const claim of [frame.match, frame.last]) {
        const theirs = leading.site.disk.ordered[claim - 1];
        // The leader may have been overtaken meanwhile and have cut its log.
        if (key(leading.site.disk.promised) === key(frame.ballot) && theirs?.crc !== disk.ordered[claim - 1]?.crc)
          this.fail(`[R3] peer ${site.id} acknowledges ${claim}, which is not the leader's entry`);
      }
    }
    if (frame.type === "PROMISE") {
      const tail = disk.written[frame.tail.index - 1];
      if (frame.tail.index !== disk.written.length || (tail !== undefined && key(tail) !== key(frame.tail.ballot)))
        this.fail(`[E6] peer ${site.id} promises with tail ${frame.tail.index}, written is ${disk.written.length}`);
      if (above(frame.ballot, disk.promised)) this.fail(`[E6] peer ${site.id} promises what its disk does not say yet`);
    }
    if ((frame.type === "PREPARE" || frame.type === "COORDINATOR") && above(frame.ballot, disk.promised))
      this.fail(`[E5] peer ${site.id} sends ${frame.type} before its promise is durable`);
  }

  /** A new process on a directory may deliver again what it had not noted [D7]. */
  onStart(site: Witness, commit: number): void {
    this.#committed.set(name(site), commit);
    const entry = site.disk.written[commit - 1];
    if (commit > 0 && entry?.crc !== this.chosen[commit - 1]?.crc) this.fail(`[I1] peer ${site.id} starts with another history`);
  }

  committedOf(site: Witness): number {
    return this.#committed.get(name(site)) ?? 0;
  }
}

export function name(member: { readonly id: PeerId; readonly inc: string }): string {
  return `${member.id}.${member.inc}`;
}
