/**
 * What must always hold (I1 to I12), checked from outside: from what peers delivered and told, and from the bytes on
 * their disks. Shares no code with what it checks: lines are read as text and JSON, quorums are counted here.
 */
import { SeenAccess } from "./seen-access.ts";
import { SeenBallots } from "./seen-ballots.ts";
import { SeenConfigurations } from "./seen-configurations.ts";
import { Violation } from "./violation.ts";

export interface SeenMessage {
  readonly index: number;
  readonly room_id: string;
  readonly seq_no: number;
  readonly msg_id: string;
  readonly payload: string;
}

/** One connection may hold 16 MiB [S9], and a frame more. */
const QUEUE_BYTES_MAX = 18 * 1024 * 1024;

/** Everything the world has seen, in one place for all peers. */
export class Checkers {
  readonly configurations = new SeenConfigurations();
  readonly ballots = new SeenBallots();
  readonly access = new SeenAccess();
  /** index → the message that any peer delivered there first. */
  readonly #delivered = new Map<number, SeenMessage>();
  /** msg_id → its index. */
  readonly #places = new Map<string, number>();
  /** msg_id → index, for messages of which users were told that they are sent. */
  readonly #sent = new Map<string, number>();
  #highestSent = 0;
  /** Every text that was submitted, and the highest index that had been reported as sent by then [I5]. */
  readonly #submitted = new Map<
    string,
    { readonly directory: string; readonly text: string; readonly floor: number }
  >();
  /** Old ids of messages whose numbers others have used → their new ids; and the texts that those others sent. */
  readonly #renamed = new Map<string, string>();
  readonly #forged = new Map<string, string>();
  /** Per directory: last index delivered in this boot, and last seq_no per room ever. */
  readonly #cursors = new Map<string, { index: number; rooms: Map<string, number>; anywhere: boolean }>();
  /** Per directory: the highest index ever delivered there. */
  readonly #reached = new Map<string, number>();
  /** Per directory with an application: the last seq_no per room that it has handled, and the highest index. */
  readonly #handled = new Map<string, { index: number; readonly rooms: Map<string, number> }>();
  /** session → its delivered counters, each with its index. */
  readonly #sessions = new Map<string, Map<number, number>>();
  readonly #commits = new Map<string, number>();
  /** Directories that may hold a history which is no longer promised. */
  readonly #void = new Set<string>();
  /** `was`: the id that the same message had until now. */
  submitted(directory: string, msgId: string, text: string, was?: string): void {
    this.#submitted.set(msgId, { directory, text, floor: this.#highestSent });
    if (was !== undefined) this.#renamed.set(was, msgId);
  }

  /** Ids of messages that were typed at a directory, or by a client, and that nobody has delivered. */
  undelivered(directory: string): string[] {
    const isOpen = (id: string) => !this.#places.has(id) && !this.#renamed.has(id);
    return [...this.#submitted].flatMap(([id, typed]) => (typed.directory === directory && isOpen(id) ? id : []));
  }

  /** Another sender has used a number of somebody's session for this text. */
  forged(msgId: string, text: string): void {
    this.#forged.set(msgId, text);
  }

  /** A text must not be reported as sent where the log has another text under its number. */
  #saysTheSame(msgId: string, index: number): void {
    const [typed, delivered] = [this.#submitted.get(msgId), this.#delivered.get(index)];
    if (typed === undefined || delivered === undefined || delivered.payload === typed.text) return;
    throw new Violation("I1", `${msgId} is said to be sent, and entry ${index} says something else than was typed`);
  }

  /** A new process runs on a directory: it may deliver the last few messages again. */
  restarted(directory: string): void {
    const cursor = this.#cursors.get(directory);
    if (cursor !== undefined) cursor.index = 0;
    this.#commits.delete(directory);
  }

  /** A directory was put back from a copy: it may begin at any index. */
  beganAnywhere(directory: string): void {
    this.#cursors.set(directory, { index: 0, rooms: new Map(), anywhere: true });
  }

  /**
   * A majority was put back to what it held through an index. Entries behind it are no longer promised, and the other
   * directories may keep void ones.
   */
  broken(through: number, others: readonly string[]): void {
    const drop = <K>(places: Map<K, number>) => {
      for (const [key, index] of places) if (index > through) places.delete(key);
    };
    for (const index of this.#delivered.keys()) if (index > through) this.#delivered.delete(index);
    for (const places of [this.#places, this.#sent, ...this.#sessions.values()])
      drop<string | number>(places as Map<string | number, number>);
    this.#highestSent = Math.min(this.#highestSent, through);
    for (const [id, said] of this.#submitted)
      this.#submitted.set(id, { ...said, floor: Math.min(said.floor, through) });
    for (const directory of others) {
      this.#void.add(directory);
      this.#reached.delete(directory);
    }
  }

  delivered(directory: string, message: SeenMessage): void {
    if (this.#void.has(directory)) return;
    const { index, msg_id, room_id, seq_no, payload } = message;
    const first = this.#delivered.get(index);
    if (first === undefined) this.#isNew(directory, message);
    else if (
      first.msg_id !== msg_id ||
      first.seq_no !== seq_no ||
      first.payload !== payload ||
      first.room_id !== room_id
    ) {
      throw new Violation(
        "I2",
        `${directory} delivers ${msg_id} (seq ${seq_no}) at index ${index}, another had ${first.msg_id} (seq ${first.seq_no})`,
      );
    }
    const cursor = this.#cursors.get(directory) ?? { index: 0, rooms: new Map<string, number>(), anywhere: false };
    this.#cursors.set(directory, cursor);
    if (index <= cursor.index) throw new Violation("I4", `${directory} delivers index ${index} after ${cursor.index}`);
    cursor.index = index;
    this.#reached.set(directory, Math.max(this.#reached.get(directory) ?? 0, index));
    const before = cursor.rooms.get(room_id) ?? (cursor.anywhere ? Number.POSITIVE_INFINITY : 0);
    if (seq_no > before + 1) throw new Violation("I4", `${directory}: seq_no ${seq_no} after ${before} in ${room_id}`);
    cursor.rooms.set(room_id, before === Number.POSITIVE_INFINITY ? seq_no : Math.max(before, seq_no));
  }

  /** From the directory's next process on, an application reads what was not delivered yet. */
  embedded(directory: string): void {
    if (this.#handled.has(directory)) return;
    const rooms = new Map(this.#cursors.get(directory)?.rooms);
    this.#handled.set(directory, { index: this.#reached.get(directory) ?? 0, rooms });
  }

  /** An application is done with a message; none before it may be missing. */
  handled(directory: string, { index, room_id, seq_no }: SeenMessage): void {
    const handled = this.#handled.get(directory);
    // The directory was put back from a copy: the application may know more than the directory has delivered.
    if (handled === undefined || this.#cursors.get(directory)?.anywhere === true) return;
    const before = handled.rooms.get(room_id) ?? 0;
    if (seq_no > before + 1)
      throw new Violation("I4", `the application of ${directory} handles ${seq_no} after ${before} in ${room_id}`);
    handled.rooms.set(room_id, Math.max(before, seq_no));
    handled.index = Math.max(handled.index, index);
  }

  /** Whether an application is done with all that its directory has delivered. */
  hasHandledAll(directory: string): boolean {
    const handled = this.#handled.get(directory);
    if (handled === undefined || this.#cursors.get(directory)?.anywhere === true) return true;
    return handled.index >= (this.#reached.get(directory) ?? 0);
  }

  #isNew(directory: string, message: SeenMessage): void {
    const { index, msg_id, payload } = message;
    this.#delivered.set(index, message);
    const place = this.#places.get(msg_id);
    if (place !== undefined) throw new Violation("I4", `${msg_id} is delivered at ${place} and at ${index}`);
    this.#places.set(msg_id, index);
    this.#isOnce(msg_id, payload);
    const submitted = this.#submitted.get(msg_id);
    if (submitted?.text !== payload && this.#forged.get(msg_id) === payload) return;
    if (submitted?.text !== payload) throw new Violation("I6", `${directory} delivers ${msg_id}, which nobody sent so`);
    if (index <= submitted.floor)
      throw new Violation(
        "I5",
        `${msg_id} at index ${index} comes before ${submitted.floor}, sent before it was typed`,
      );
    this.#inOrder(msg_id, index);
  }

  /** A message that was sent again under another number must not also be delivered under the old one. */
  #isOnce(msgId: string, payload: string): void {
    for (const [was, now] of this.#renamed) {
      const other = msgId === was ? now : msgId === now ? was : null;
      const place = this.#places.get(other ?? "");
      if (place !== undefined && this.#delivered.get(place)?.payload === payload)
        throw new Violation("I4", `${was} is delivered, and as ${now} once more`);
    }
  }

  /**
   * `holds(voter)`: whether that peer's disk has the message for certain, or it cannot be told any more. Null: nobody
   * has looked.
   */
  sent(directory: string, msgId: string, index: number, holds: ((member: string) => boolean) | null): void {
    if (this.#void.has(directory)) return;
    const before = this.#sent.get(msgId) ?? index;
    if (before !== index) throw new Violation("I4", `${msgId} is said to be sent at ${before} and at ${index}`);
    this.#sent.set(msgId, index);
    this.#saysTheSame(msgId, index);
    this.#highestSent = Math.max(this.#highestSent, index);
    const voters = this.configurations.votersAt(index);
    if (voters === null || holds === null) return;
    const holders = voters.filter(holds);
    if (holders.length * 2 > voters.length) return;
    throw new Violation(
      "I8",
      `${msgId} is said to be sent, but of the voters ${voters.join(", ")} only ${holders.join(", ") || "none"} have it on disk`,
    );
  }

  /** Takes the number of bytes that wait on one connection. */
  queued(directory: string, bytes: number): void {
    if (bytes > QUEUE_BYTES_MAX) throw new Violation("I10", `${bytes} bytes wait on one connection of ${directory}`);
  }

  commits(directory: string, commit: number): void {
    const before = this.#commits.get(directory) ?? 0;
    if (commit < before)
      throw new Violation("I7", `the commit index of ${directory} goes back from ${before} to ${commit}`);
    this.#commits.set(directory, commit);
  }

  /** `member`: of a directory, as `id.incarnation`. Who was evicted gets nothing that the others said since [I12]. */
  outside(directory: string, member: string): void {
    const since = this.access.evictedAt(member);
    const reached = this.#reached.get(directory) ?? 0;
    if (since !== null && reached > since)
      throw new Violation("I12", `${directory} was evicted by entry ${since}, and has delivered through ${reached}`);
  }

  /** At the end: the logs are one history, and hold everything that was sent or delivered [I1] [I2]. */
  finished(logs: readonly (readonly [directory: string, lines: ReadonlyMap<number, string>])[]): void {
    const history = new Map<number, string>();
    for (const [directory, lines] of logs) {
      if (this.#void.has(directory)) continue;
      for (const [index, line] of lines) {
        const other = history.get(index);
        if (other === undefined) history.set(index, line);
        else if (line !== other)
          throw new Violation("I2", `entry ${index} of ${directory} differs:\n${line}\n${other}`);
      }
    }
    const present = this.#numbered(history);
    for (const [id, index] of this.#sent) this.#saysTheSame(id, index);
    for (const [id, index] of [...this.#sent, ...this.#places]) {
      if (present.get(id) !== index)
        throw new Violation("I1", `${id} was at index ${index}, now at ${present.get(id) ?? "none"}`);
    }
  }

  /** After a part has drained: everybody in it has shown all of it, and nothing that was typed there is missing. */
  drained(directories: readonly string[], kept: readonly string[], last: number): void {
    for (const directory of directories) {
      const reached = this.#reached.get(directory) ?? 0;
      if (reached < last)
        throw new Violation("I9", `${directory} has delivered through ${reached}, others through ${last}`);
    }
    for (const [msgId, { directory, text }] of this.#submitted) {
      const index = this.#places.get(msgId) ?? 0;
      const isThere = this.#delivered.get(index)?.payload === text || this.#renamed.has(msgId);
      if (kept.includes(directory) && !isThere)
        throw new Violation("I9", `${msgId} was taken and kept by ${directory}, and is in no log`);
    }
  }

  /** Index of the last message that anybody delivered. */
  get lastDelivered(): number {
    return Math.max(0, ...this.#reached.values());
  }

  /** msg_id → index; each once, and the numbers of a room without gaps where no line is missing. */
  #numbered(history: ReadonlyMap<number, string>): Map<string, number> {
    const present = new Map<string, number>();
    const rooms = new Map<string, number>();
    let expected = 1;
    for (const [index, line] of [...history].sort(([a], [b]) => a - b)) {
      const whole = index === expected;
      expected = whole ? expected + 1 : Number.NaN;
      const id = /"msg_id":"([^"]+)"/.exec(line)?.[1];
      if (id === undefined || !line.includes('"kind":"chat"')) continue;
      const twice = present.get(id);
      if (twice !== undefined) throw new Violation("I4", `${id} is in the log at ${twice} and ${index}`);
      present.set(id, index);
      if (!whole) continue;
      const { room_id, seq_no } = JSON.parse(line) as SeenMessage;
      const before = rooms.get(room_id) ?? 0;
      if (seq_no !== before + 1)
        throw new Violation("I4", `number ${seq_no} at index ${index} follows ${before} in ${room_id}`);
      rooms.set(room_id, seq_no);
    }
    return present;
  }

  #inOrder(msgId: string, index: number): void {
    const dot = msgId.lastIndexOf(".");
    const session = msgId.slice(0, dot);
    const counter = Number(msgId.slice(dot + 1));
    const places = this.#sessions.get(session) ?? new Map<number, number>();
    this.#sessions.set(session, places);
    places.set(counter, index);
    const before = places.get(counter - 1);
    const after = places.get(counter + 1);
    if ((before !== undefined && before > index) || (after !== undefined && after < index)) {
      throw new Violation("I4", `${msgId} at ${index} is out of its session's order`);
    }
  }
}
