/** The log as its readers see it, who change nothing. `Log` says what each member means. */
import type { Ballot, LogIndex } from "./ids.ts";
import type { Entry, Tail } from "./log-entry.ts";

export interface LogView {
  readonly first: LogIndex;
  readonly last: LogIndex;
  readonly durable: LogIndex;
  readonly commit: LogIndex;
  readonly state: LogStateView;
  entryAt(index: LogIndex): Entry | null;
  crcAt(index: LogIndex): number;
  tailAt(index: LogIndex): Tail;
  slice(from: LogIndex, entriesMax: number, bytesMax: number): Entry[];
}

export interface LogStateView {
  readonly formerClusters: readonly string[];
  readonly rooms: CountsView;
  readonly sessions: CountsView;
  readonly people: PeopleView;
  ballotAt(index: LogIndex): Ballot;
}

export interface CountsView extends Iterable<[string, number]> {
  get(key: string): number;
}

export interface PeopleView {
  readonly present: ReadonlySet<string>;
  readThrough(room: string, user: string): number;
  readers(room: string): ReadonlyMap<string, number>;
}
