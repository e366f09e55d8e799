/**
 * Takes what people here and clients say, keeps it in the outbox before the turn ends [S1], and reports it as pending,
 * as renamed and as sent.
 */
import { OUTBOX_BYTES_MAX, OUTBOX_MESSAGES_MAX, TAKEN_CHARACTERS_MAX } from "../core/config.ts";
import type { Draft, Entry } from "../core/log-entry.ts";
import { messageId } from "../core/message-id.ts";
import type { Engine, Output, Restored } from "../engines/engine.ts";
import type { EngineView } from "../engines/view.ts";
import type { ClientSays } from "./client/client-says.ts";
import { PortError } from "./contracts.ts";
import { refuseText } from "./net/admission.ts";
import type { Submitted } from "./service.ts";
import type { Outbox } from "./store/outbox.ts";
import type { Troubles } from "./store/troubles.ts";
import type { Whole } from "./whole.ts";

export interface IntakeHost extends Pick<Whole, "clock" | "options" | "core" | "peer" | "event"> {
  readonly outbox: Outbox;
  readonly troubles: Troubles;
  says(): Pick<ClientSays, "onRenamed" | "onSent">;
  /** A turn is to follow. */
  schedule(): void;
}

interface Taken {
  readonly id: string;
  readonly draft: Draft;
  readonly isOwn: boolean;
  readonly was?: string;
}

export class Intake {
  readonly #host: IntakeHost;
  #session = "";
  /** The session's name as the log has it. */
  #sessionKey = "";
  /** Messages of this turn, on their way to the outbox. Once kept they are pending, and go to the engine. */
  #taken: Taken[] = [];
  #takenCharacters = 0;
  #outboxBytes = 0;
  #isFull = false;
  /** What was taken last could not be written to the outbox yet. */
  #isStuck = false;

  constructor(host: IntakeHost, session: string) {
    this.#host = host;
    this.#beginSession(session);
  }

  /** The session in which the next message is numbered. */
  get session(): string {
    return this.#session;
  }

  /** Messages that are not in the outbox yet. */
  get taken(): number {
    return this.#taken.length;
  }

  get isStuck(): boolean {
    return this.#isStuck;
  }

  /** The engine goes on with what an earlier process left in the outbox. */
  begin(peer: EngineView, { outbox }: Restored): void {
    for (const { session } of outbox) this.#host.outbox.settle(session, peer.firstPending(session) - 1);
    this.#outboxBytes = outbox.reduce((sum, s) => sum + s.drafts.reduce((n, d) => n + d.payload.length, 0), 0);
  }

  /** Takes a text. `isOwn`: it is of the person here, who is told that it is pending. */
  submit(user: string, room: string, text: string, isOwn: boolean): Submitted {
    const { clock, outbox } = this.#host;
    const peer = this.#host.peer();
    if (peer === null) return NOT_RUNNING;
    const refusal = refuseText(room, text);
    if (refusal !== null) return refusal;
    if (
      this.#takenCharacters >= TAKEN_CHARACTERS_MAX ||
      peer.pending >= OUTBOX_MESSAGES_MAX ||
      this.#outboxBytes >= OUTBOX_BYTES_MAX
    ) {
      this.#isFull = true;
      return {
        ok: false,
        code: "full",
        message: `${peer.pending} messages wait to be sent: wait until some are`,
      };
    }
    if (this.#isStuck) {
      const message = "earlier messages cannot be kept on the disk yet: this one was not taken";
      return { ok: false, code: "disk", message };
    }
    const draft: Draft = { room_id: room, user, ts: clock.wall(), payload: text };
    const counter = peer.nextCounter + this.#taken.length;
    outbox.add(this.#session, counter, draft);
    this.#outboxBytes += text.length;
    this.#takenCharacters += text.length;
    const id = messageId({ session: this.#sessionKey, counter });
    this.#taken.push({ id, draft, isOwn });
    this.#host.schedule();
    return { ok: true, msg_id: id };
  }

  /** Whether there is room again, after `submit` answered "full". True only once. */
  hasRoomAgain(peer: EngineView): boolean {
    const isAgain = this.#isFull && peer.pending < OUTBOX_MESSAGES_MAX / 2 && this.#outboxBytes < OUTBOX_BYTES_MAX / 2;
    if (isAgain) this.#isFull = false;
    return isAgain;
  }

  /** Writes what was taken to the outbox, before it goes anywhere [S1]. */
  keep(engine: Engine): void {
    if (this.#taken.length === 0) return;
    const { clock, outbox, troubles } = this.#host;
    try {
      outbox.write();
    } catch (error) {
      if (!(error instanceof PortError)) throw error;
      this.#isStuck = true;
      return troubles.note("outbox.jsonl", error);
    }
    if (this.#isStuck) troubles.note("outbox.jsonl", null);
    this.#isStuck = false;
    const taken = this.#taken;
    this.#taken = [];
    this.#takenCharacters = 0;
    engine.step({ type: "submit", drafts: taken.map(({ draft }) => draft) }, clock.now());
    for (const { id, draft, isOwn, was } of taken) {
      const { room_id, payload } = draft;
      if (isOwn)
        this.#host.event({ event: "pending", msg_id: id, room_id, payload, ...(was !== undefined && { was }) });
    }
  }

  /** Messages have other ids now: whoever follows them is told the new ones. */
  onRenamed({ session, counters, to, drafts }: Extract<Output, { do: "renamed" }>): void {
    this.#host.outbox.rename(session, counters, to);
    this.tellRenamed(session, counters, to, drafts);
    if (session === this.#session) this.#beginSession(to);
  }

  tellRenamed(session: string, counters: readonly number[], to: string, drafts: readonly Draft[]): void {
    const before = `${this.#host.options.id}.${session}`;
    for (const [i, { room_id, payload }] of drafts.entries()) {
      const was = messageId({ session: before, counter: counters[i] as number });
      const msg_id = messageId({ session: `${this.#host.options.id}.${to}`, counter: i + 1 });
      if (this.#host.says().onRenamed(was, msg_id)) continue;
      this.#host.event({ event: "pending", msg_id, room_id, payload, was });
    }
  }

  /** Messages that were taken and are not in the outbox yet are numbered in the new session, too. */
  #beginSession(session: string): void {
    this.#session = session;
    this.#sessionKey = `${this.#host.options.id}.${session}`;
    const peer = this.#host.core();
    if (this.#taken.length === 0 || peer === null) return;
    const first = peer.nextCounter;
    this.#host.outbox.renumberAdded(session, first);
    this.#taken = this.#taken.map((taken, i) => {
      const id = messageId({ session: this.#sessionKey, counter: first + i });
      if (!taken.isOwn) this.#host.says().onRenamed(taken.id, id);
      return { ...taken, id, was: taken.was ?? taken.id };
    });
  }

  onSent(entries: readonly Entry[]): void {
    const { outbox } = this.#host;
    const says = this.#host.says();
    let last: Entry | null = null;
    for (const entry of entries) {
      if (last !== null && last.session !== entry.session) outbox.settle(ownSession(last), last.counter);
      last = entry;
      this.#outboxBytes -= entry.text.length;
      if (says.onSent(entry)) continue;
      this.#host.event({
        event: "sent",
        msg_id: messageId(entry),
        index: entry.index,
        room_id: entry.room_id,
        seq_no: entry.seq_no,
      });
    }
    if (last !== null) outbox.settle(ownSession(last), last.counter);
  }
}

export const NOT_RUNNING: Submitted = { ok: false, code: "closing", message: "this peer is not running" };

/** The session's name without its sender. */
function ownSession({ session }: Entry): string {
  return session.slice(session.indexOf(".") + 1);
}
