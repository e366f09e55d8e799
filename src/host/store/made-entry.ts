/** Entries that no running leader appends: a founder's genesis [M1], and those of a forced recovery [M9]. */
import { type Ballot, ballotOf, type LogIndex } from "../../core/ids.ts";
import type { Entry, EntryData, EntryKind } from "../../core/log-entry.ts";
import { sealEntry } from "../../wire/entry.ts";

/** An entry of structured data, sealed behind the line whose crc is `prevCrc`. */
export function makeEntry(index: LogIndex, ballot: Ballot, kind: EntryKind, data: EntryData, prevCrc: number): Entry {
  const unused = {
    room_id: "",
    seq_no: 0,
    sender_id: 0,
    session: "",
    counter: 0,
    user: "",
    ts: 0,
    text: "",
    crc: 0,
    chunk: new Uint8Array(0),
    start: 0,
    end: 0,
  };
  const entry: Entry = { index, ...ballotOf(ballot), kind, data, ...unused };
  sealEntry(entry, prevCrc);
  return entry;
}
