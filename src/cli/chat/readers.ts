/**
 * How far each person has read, as the log has told it. Pure state, for the marks beside this person's own messages.
 */
import type { Confirmations, DeliveredMessage, ReadNote } from "../../core/reports.ts";

export class Readers {
  /** Last number by user, by room. */
  readonly #read = new Map<string, Map<string, number>>();
  /** The last own message by room. */
  readonly #own = new Map<string, DeliveredMessage>();

  /** A whole room, as of now. */
  onConfirmations({ room_id, readers }: Confirmations): void {
    for (const { user, through } of readers) this.#note(room_id, user, through);
  }

  onRead({ room_id, user, through }: ReadNote): void {
    this.#note(room_id, user, through);
  }

  onOwn(message: DeliveredMessage): void {
    this.#own.set(message.room_id, message);
  }

  /** The people who have read a message, without its sender. */
  of({ room_id, seq_no, user }: DeliveredMessage): string[] {
    const readers = [...(this.#read.get(room_id) ?? [])];
    return readers.flatMap(([reader, through]) => (through >= seq_no && reader !== user ? [reader] : []));
  }

  /** The people who have read the last own message in a room; null if there is none, or nobody has read it. */
  ofLastOwn(room: string): { readonly seqNo: number; readonly readers: readonly string[] } | null {
    const message = this.#own.get(room);
    const readers = message === undefined ? [] : this.of(message);
    return message === undefined || readers.length === 0 ? null : { seqNo: message.seq_no, readers };
  }

  #note(room: string, user: string, through: number): void {
    const readers = this.#read.get(room) ?? new Map<string, number>();
    this.#read.set(room, readers.set(user, Math.max(through, readers.get(user) ?? 0)));
  }
}
