/** Makes valid logs for tests: entries that any log would take next, sealed. */

import type { Entry, EntryData, EntryKind, Genesis, Member } from "../../../src/core/log-entry.ts";
import { LogState } from "../../../src/core/log-state.ts";
import type { Disk } from "../../../src/host/contracts.ts";
import { makePromiseFile } from "../../../src/host/store/promise-file.ts";
import { sealEntry } from "../../../src/wire/entry.ts";
import { entryOf } from "../../core/entries.ts";

export interface Limits {
  readonly segment_entries: number;
  readonly segment_bytes: number;
}

export class LogMaker {
  entries: Entry[] = [];
  state = new LogState();
  readonly limits: Limits;
  term = 1;

  constructor(limits: Limits) {
    this.limits = limits;
  }

  get last(): number {
    return this.entries.length;
  }

  genesis(): Entry {
    const data: Genesis = {
      members: [
        { id: 1, inc: "one", host: "127.0.0.1", port: 6001, role: "voter" },
        { id: 2, inc: "two", host: "127.0.0.1", port: 6002, role: "observer" },
      ],
      prev_voters: [],
      cluster_id: "test",
      ...this.limits,
    };
    return this.#add("genesis", { term: 0, data });
  }

  leader(): Entry {
    return this.#add("leader", {});
  }

  /** A configuration in which `voters` vote and the others observe. */
  config(members: readonly Omit<Member, "role">[], voters: readonly number[], left: readonly number[] = []): Entry {
    const roleOf = (id: number) => (voters.includes(id) ? "voter" : left.includes(id) ? "left" : "observer");
    const roles = members.map((m) => ({ ...m, role: roleOf(m.id) as Member["role"] }));
    const before = this.state.newest?.configuration.members.filter((m) => m.role === "voter") ?? [];
    const secured = members.some(({ key }) => key !== undefined) ? { secure: true as const } : {};
    const prev_voters = before.map(({ id, inc }) => ({ id, inc }));
    return this.#add("config", { data: { members: roles, prev_voters, ...secured } });
  }

  settled(): Entry {
    return this.#add("settled", { data: { config_index: this.state.newest?.index ?? 0 } });
  }

  chat(text: string, room = "general", session = "s"): Entry {
    const counter = this.state.sessions.get(`1.${session}`) + 1;
    return this.#add("chat", {
      room_id: room,
      seq_no: this.state.rooms.get(room) + 1,
      sender_id: 1,
      session: `1.${session}`,
      counter,
      user: "alice",
      ts: 1_700_000_000_000 + this.last,
      text,
    });
  }

  /** Genesis and chats up to index `last`. */
  fill(last: number): Entry[] {
    const made: Entry[] = [];
    while (this.last < last) made.push(this.last === 0 ? this.genesis() : this.chat(`message ${this.last + 1}`));
    return made;
  }

  truncate(from: number): void {
    while (this.last >= from) {
      const entry = this.entries.pop() as Entry;
      this.state.undo(entry, this.entries[this.entries.length - 1]?.crc ?? 0);
    }
  }

  /** The log is now what these entries say. */
  adopt(entries: readonly Entry[]): void {
    this.entries = [...entries];
    this.state = new LogState();
    for (const entry of entries) this.state.apply(entry);
  }

  line(index: number): string {
    const { chunk, start, end } = this.entries[index - 1] as Entry;
    return new TextDecoder().decode(chunk.subarray(start, end));
  }

  #add(kind: EntryKind, fields: Partial<Entry> & { data?: EntryData }): Entry {
    const entry = entryOf(this.last + 1, { term: this.term, leader_id: 1, inc: "one", boot: 1 }, kind, fields);
    sealEntry(entry, this.state.crc);
    const refusal = this.state.refusal(entry);
    if (refusal !== null) throw new Error(refusal);
    this.state.apply(entry);
    this.entries.push(entry);
    return entry;
  }
}

/** A promise above every ballot of these logs, as a peer that took their entries has made [R2]. */
export function promiseAbove(disk: Disk): void {
  disk.makeDirectory("");
  makePromiseFile(disk, { term: 1_000_000, leader_id: 1, inc: "one", boot: 1 });
}

export function lineOf({ chunk, start, end }: Entry): string {
  return new TextDecoder().decode(chunk.subarray(start, end));
}
