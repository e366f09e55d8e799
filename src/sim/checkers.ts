/**
 * What must always hold, checked from outside: from what peers delivered and told, and from the bytes on their disks.
 * Shares no code with what it checks.
 */

export class Violation extends Error {
  override readonly name = "Violation";
  readonly invariant: string;
  constructor(invariant: string, what: string) {
    super(`${invariant}: ${what}`);
    this.invariant = invariant;
  }
}

export interface SeenMessage {
  readonly index: number;
  readonly room_id: string;
  readonly seq_no: number;
  readonly msg_id: string;
  readonly payload: string;
}

/** Everything the world has seen, in one place for all peers. */
export class Checkers {
  /** index → what was delivered there first, by anybody. */
  readonly #delivered = new Map<number, SeenMessage>();
  /** msg_id → its index. */
  readonly #places = new Map<string, number>();
  /** What users were told is sent: msg_id → index. */
  readonly #sent = new Map<string, number>();
  /** Every text that somebody submitted: msg_id → text. */
  readonly #submitted = new Map<string, string>();
  /** ballot → the peer that opened it. */
  readonly #leaders = new Map<string, number>();
  /** Per peer directory: last index delivered, and last seq_no per room. */
  readonly #cursors = new Map<number, { index: number; rooms: Map<string, number> }>();
  /** session → its last delivered counter, by the order of indexes. */
  readonly #sessions = new Map<string, Map<number, number>>();

  submitted(msgId: string, text: string): void {
    this.#submitted.set(msgId, text);
  }

  /** A new process on a directory may deliver the last few again. */
  restarted(peer: number): void {
    this.#cursors.delete(peer);
  }

  delivered(peer: number, message: SeenMessage): void {
    const { index, msg_id, room_id, seq_no, payload } = message;
    const first = this.#delivered.get(index);
    if (first === undefined) {
      this.#delivered.set(index, message);
      const place = this.#places.get(msg_id);
      if (place !== undefined) throw new Violation("I4", `${msg_id} is delivered at ${place} and at ${index}`);
      this.#places.set(msg_id, index);
      this.#inOrder(msg_id, index);
    } else if (
      first.msg_id !== msg_id ||
      first.seq_no !== seq_no ||
      first.payload !== payload ||
      first.room_id !== room_id
    ) {
      throw new Violation(
        "I2",
        `peer ${peer} delivers ${msg_id} (seq ${seq_no}) at index ${index}, another had ${first.msg_id} (seq ${first.seq_no})`,
      );
    }
    if (this.#submitted.get(msg_id) !== payload)
      throw new Violation("I6", `peer ${peer} delivers ${msg_id}, which nobody sent so`);
    const cursor = this.#cursors.get(peer) ?? { index: 0, rooms: new Map<string, number>() };
    this.#cursors.set(peer, cursor);
    if (index <= cursor.index) throw new Violation("R6", `peer ${peer} delivers index ${index} after ${cursor.index}`);
    cursor.index = index;
    const before = cursor.rooms.get(room_id);
    if (before !== undefined && seq_no !== before + 1)
      throw new Violation("I4", `peer ${peer}: seq_no ${seq_no} after ${before} in ${room_id}`);
    cursor.rooms.set(room_id, seq_no);
  }

  sent(msgId: string, index: number): void {
    this.#sent.set(msgId, index);
  }

  leads(peer: number, ballot: string): void {
    const other = this.#leaders.get(ballot);
    if (other !== undefined && other !== peer)
      throw new Violation("I3", `peers ${other} and ${peer} both lead ballot ${ballot}`);
    this.#leaders.set(ballot, peer);
  }

  /** A message counts as sent only when a majority of the voters has it on disk [I8]. */
  durableOnQuorum(msgId: string, holders: number, voters: number): void {
    if (holders <= voters / 2)
      throw new Violation("I8", `${msgId} is said to be sent, but only ${holders} of ${voters} voters have it on disk`);
  }

  /** At the end: the logs are one history, and hold everything that was sent or delivered. */
  finished(logs: ReadonlyMap<number, readonly string[]>): void {
    let longest: readonly string[] = [];
    for (const lines of logs.values()) if (lines.length > longest.length) longest = lines;
    for (const [peer, lines] of logs) {
      lines.forEach((line, i) => {
        if (line !== longest[i])
          throw new Violation("I2", `entry ${i + 1} of peer ${peer} differs:\n${line}\n${longest[i]}`);
      });
    }
    const present = new Map<string, number>();
    longest.forEach((line, i) => {
      const id = /"msg_id":"([^"]+)"/.exec(line)?.[1];
      if (id === undefined || !line.includes('"kind":"chat"')) return;
      if (present.has(id)) throw new Violation("I4", `${id} is in the log at ${present.get(id)} and ${i + 1}`);
      present.set(id, i + 1);
    });
    for (const [id, index] of [...this.#sent, ...this.#places]) {
      if (present.get(id) !== index)
        throw new Violation("I1", `${id} was at index ${index}, now at ${present.get(id) ?? "none"}`);
    }
  }

  /** What was submitted and is in no log: nothing of it may be left when the world has calmed down. */
  missing(): string[] {
    return [...this.#submitted.keys()].filter((id) => !this.#places.has(id));
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
