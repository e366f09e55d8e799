/**
 * What a person has been shown. A message that was shown is not unread. A message of somebody else that a person at the
 * screen sees in the room talked in is also confirmed [P4], as soon as the window is in the foreground. A script says for
 * itself what it has read.
 */
import type { DeliveredMessage } from "../../host/events.ts";
import type { Service } from "../../host/service.ts";
import type { Rooms } from "./chat-rooms.ts";
import type { Mode } from "./talk-options.ts";

export class Attention {
  readonly #service: Pick<Service, "confirmRead" | "rooms">;
  readonly #rooms: Rooms;
  readonly #mode: Mode;
  readonly #isOwn: (message: DeliveredMessage) => boolean;
  /** Many terminals do not say whether somebody looks at them: then somebody does. */
  #here = true;
  /** Last numbers by room that were shown and not confirmed. */
  readonly #waiting = new Map<string, number>();

  constructor(
    service: Pick<Service, "confirmRead" | "rooms">,
    rooms: Rooms,
    mode: Mode,
    isOwn: (message: DeliveredMessage) => boolean,
  ) {
    this.#service = service;
    this.#rooms = rooms;
    this.#mode = mode;
    this.#isOwn = isOwn;
  }

  /** Messages of one room, in order. */
  onShown(messages: readonly DeliveredMessage[]): void {
    const last = messages.at(-1);
    const toPeople = this.#mode === "terminal" || this.#mode === "pipe";
    if (last === undefined || !toPeople || !this.#rooms.shows(last.room_id)) return;
    const { room_id, seq_no } = last;
    const confirms = this.#mode === "terminal" && room_id === this.#rooms.active && !messages.every(this.#isOwn);
    if (!confirms) return this.#service.rooms.show(room_id, seq_no);
    this.#waiting.set(room_id, seq_no);
    if (this.#here) this.#confirm();
  }

  /** The person looks at the screen, or looks away. */
  attend(here: boolean): void {
    this.#here = here;
    if (here) this.#confirm();
  }

  #confirm(): void {
    for (const [room, seqNo] of this.#waiting) this.#service.confirmRead(room, seqNo);
    this.#waiting.clear();
  }
}
