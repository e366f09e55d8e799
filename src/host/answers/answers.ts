/** Answers questions about this peer and what it holds: of the person at it, and of clients [S8]. */
import type { AdminQuestion } from "../../core/access-reports.ts";
import { HISTORY_CHARS_MAX, ROOMS_TOLD_MAX } from "../../core/config.ts";
import type { LogIndex } from "../../core/ids.ts";
import type { HistoryPage, Status, Told } from "../../core/reports.ts";
import type { Input } from "../../engines/engine.ts";
import type { EngineView } from "../../engines/view.ts";
import type { Clock } from "../contracts.ts";
import { type Asker, confirmations, refuseName, renamed } from "../own-person.ts";
import { committedRooms } from "../rooms.ts";
import type { OwnQuestion } from "../service.ts";
import { type AccessDesk, isAdminQuestion } from "./access-desk.ts";
import type { Past } from "./past.ts";
import type { Slices } from "./slices.ts";
import type { Who } from "./who.ts";

export interface AnswersHost {
  readonly clock: Clock;
  readonly who: Who;
  input(input: Input): void;
  /** A person here has this name. */
  isHere(name: string): boolean;
  readonly desk: Pick<AccessDesk, "ask">;
  readonly slices: Slices;
  readonly past: Past;
  /** Null while the peer starts or stops: then there are no answers. */
  peer(): EngineView | null;
  status(): Status;
}

export class Answers {
  readonly #host: AnswersHost;

  constructor(host: AnswersHost) {
    this.#host = host;
  }

  /** Answers later, when it is this asker's turn. */
  ask(question: OwnQuestion, asker: Asker, answer: (told: Told) => void): void {
    if (isAdminQuestion(question)) return this.#host.desk.ask(question, asker, answer);
    this.#host.slices.run(asker, () => {
      this.#answer(question, asker, answer);
      return false;
    });
  }

  /** The asker is gone: its answers are no longer needed. */
  forget(asker: Asker): void {
    this.#host.slices.forget(asker);
  }

  #answer(question: Exclude<OwnQuestion, AdminQuestion>, asker: Asker, answer: (told: Told) => void): void {
    const { past, who, clock, isHere } = this.#host;
    const log = this.#host.peer()?.log;
    if (log === undefined) return;
    switch (question.what) {
      case "status":
        return answer(this.#host.status());
      case "who":
        return who.ask(answer);
      case "confirmations":
        return answer(confirmations(log.state.people, question.room_id));
      case "nick": {
        const { user } = question;
        const refused = refuseName(user, user !== asker.name && (isHere(user) || log.state.people.present.has(user)));
        if (refused === null) asker.rename(user);
        return answer(refused ?? renamed(user));
      }
      case "read": {
        const { room_id, through } = question;
        const read = { user: asker.name, room_id, through, ts: clock.wall() };
        if (asker.name !== "") this.#host.input({ type: "read", read });
        return answer({ event: "notice", code: "done", message: `read through ${through}` });
      }
      case "rooms": {
        const last = [...committedRooms(log)].slice(0, ROOMS_TOLD_MAX);
        const nobodys = { joined: false, unread: 0 };
        return answer({
          event: "rooms",
          rooms: last.map(([room_id, last_seq_no]) => ({ room_id, last_seq_no, ...nobodys })),
        });
      }
      case "history": {
        const { room_id, count, text, before = log.commit + 1, after } = question;
        const wanted = { room: room_id, count, text, charsMax: HISTORY_CHARS_MAX };
        const found = (page: Pick<HistoryPage, "messages" | "more">) => answer({ event: "history", room_id, ...page });
        const end = Math.min(before - 1, log.commit);
        return after === undefined
          ? past.last(asker, wanted, end, found)
          : past.first(asker, wanted, after, end, found);
      }
      case "place": {
        const { room_id, seq_no } = question;
        const told = (before: LogIndex) => answer({ event: "place", room_id, before: log.tailAt(before) });
        if (log.state.rooms.get(room_id) < seq_no) return told(log.commit);
        return past.place(asker, room_id, seq_no, log.commit, told);
      }
    }
  }
}
