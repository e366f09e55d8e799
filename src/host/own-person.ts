/** The person at a peer; and which names are refused before the log decides. */
import type { Rights } from "../core/log-entry.ts";
import type { PeopleView } from "../core/log-view.ts";
import type { Confirmations, Notice } from "../core/reports.ts";
import type { Input } from "../engines/engine.ts";
import { isName } from "../wire/text.ts";
import type { Clock } from "./contracts.ts";
import { NAME_RULE } from "./net/admission.ts";

export interface PersonOptions {
  readonly name: string;
  /** A person of that name is here, whose coming and going the log tells [P1]. Default: nobody is. */
  readonly announces?: boolean;
  /** The room it talks in at first. */
  readonly room?: string;
  /** What was read is confirmed to the others [P4]. Default: it is. */
  readonly receipts?: boolean;
}

/** An asker of questions: the same object for as long as it is there. */
export interface Asker {
  /** The name the asker has, "" for nobody. */
  readonly name: string;
  readonly rights: Rights;
  /** The name under which it invites and revokes. */
  readonly signs: string;
  rename(name: string): void;
}

/** The person at this very peer. */
export class OwnPerson implements Asker {
  readonly rights = "admin";
  readonly #options: PersonOptions;
  readonly #clock: Clock;
  readonly #input: (input: Input) => void;
  readonly #onRenamed: () => void;
  #name: string;

  constructor(options: PersonOptions, clock: Clock, input: (input: Input) => void, onRenamed: () => void) {
    this.#options = options;
    this.#clock = clock;
    this.#input = input;
    this.#onRenamed = onRenamed;
    this.#name = options.name;
  }

  get name(): string {
    return this.#name;
  }

  get signs(): string {
    return this.#name;
  }

  /** The name that others may not take; null where nobody is announced. */
  get announced(): string | null {
    return this.#options.announces === true ? this.#name : null;
  }

  come(): void {
    this.#tell(true, "");
  }

  leave(): void {
    this.#tell(false, "");
  }

  rename(name: string): void {
    const was = this.#name;
    this.#name = name;
    if (was === name) return;
    this.#tell(true, was);
    this.#onRenamed();
  }

  confirmRead(room: string, seqNo: number): void {
    const read = { user: this.#name, room_id: room, through: seqNo, ts: this.#clock.wall() };
    if (this.#options.receipts !== false) this.#input({ type: "read", read });
  }

  #tell(here: boolean, was: string): void {
    if (this.announced === null) return;
    const room_id = this.#options.room ?? "general";
    this.#input({ type: "person", person: { user: this.#name, room_id, ts: this.#clock.wall(), was, here } });
  }
}

export function confirmations(people: PeopleView, room_id: string): Confirmations {
  const readers = [...people.readers(room_id)].map(([user, through]) => ({ user, through }));
  return { event: "confirmations", room_id, readers: readers.sort((a, b) => (a.user < b.user ? -1 : 1)) };
}

/** Why a new name is refused, or null. */
export function refuseName(name: string, taken: boolean): Notice | null {
  if (!isName(name)) return { event: "error", code: "bad-name", message: `a name has ${NAME_RULE}` };
  const message = `the name ${JSON.stringify(name)} is in use: choose another one`;
  return taken ? { event: "error", code: "name-in-use", message } : null;
}

export function renamed(name: string): Notice {
  return { event: "notice", code: "renamed", message: `you are ${name} now` };
}
