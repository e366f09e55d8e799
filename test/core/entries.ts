/** Entries made by hand, for logs that no peer wrote. */
import { type Ballot, ballotOf } from "../../src/core/ids.ts";
import type { Draft, Entry, EntryKind, Genesis, Role } from "../../src/core/log-entry.ts";

/** A stand-in for the wire's serialiser: some chain value and some length, both functions of the content. */
export function seal(entry: Entry, prevCrc: number): void {
  const { chunk: _chunk, crc: _crc, start: _start, end: _end, ...content } = entry;
  const line = `${prevCrc} ${JSON.stringify(content)}`;
  entry.crc = Bun.hash.crc32(line);
  entry.start = 0;
  entry.end = line.length;
}

export function entryOf(index: number, ballot: Ballot, kind: EntryKind, content: Partial<Entry> = {}): Entry {
  const unused = {
    room_id: "",
    seq_no: 0,
    sender_id: 0,
    session: "",
    counter: 0,
    user: "",
    ts: 0,
    text: "",
    data: null,
  };
  const line = { crc: 0, chunk: new Uint8Array(0), start: 0, end: 0 };
  return { index, ...ballotOf(ballot), kind, ...unused, ...line, ...content };
}

/** Peers 1, 2, … in these roles; in a secured cluster with the keys `k1`, `k2`, …, as `hashOf` writes them. */
export function genesisOf(roles: readonly Role[], secured = false): Entry {
  const members = roles.map((role, i) => {
    const key = secured ? { key: hashOf(`k${i + 1}`) } : {};
    return { id: i + 1, inc: `i${i + 1}`, ...address(i + 1), role, ...key };
  });
  const data: Genesis = {
    ...{ cluster_id: "c", segment_entries: 100, segment_bytes: 10_000, members, prev_voters: [] },
    ...(secured && { secure: true as const }),
  };
  const entry = entryOf(1, { term: 0, leader_id: 1, inc: "i1", boot: 1 }, "genesis", { data });
  seal(entry, 0);
  return entry;
}

/** A stand-in for a key, and for the hash of a secret: the name, as long as such a thing is. */
export function hashOf(name: string): string {
  return name.padEnd(52, "z");
}

export function draft(payload: string, room = "lobby"): Draft {
  return { room_id: room, user: "u", ts: 0, payload };
}

export function address(id: number): { host: string; port: number } {
  return { host: "127.0.0.1", port: 6000 + id };
}
