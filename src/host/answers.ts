/** Answers to questions about this peer and what it holds, whoever asks: the person at it, or a client [S8]. */
import { HISTORY_CHARS_MAX, ROOMS_TOLD_MAX } from "../core/config.ts";
import type { Peer } from "../core/peer.ts";
import type { Status, Told } from "../core/reports.ts";
import type { Past } from "./past.ts";
import { committedRooms } from "./rooms.ts";
import type { OwnQuestion } from "./service.ts";

export interface AnswersHost {
  readonly past: Past;
  /** Null while the peer starts or stops: then there are no answers. */
  peer(): Peer | null;
  status(): Status;
}

export class Answers {
  readonly #host: AnswersHost;

  constructor(host: AnswersHost) {
    this.#host = host;
  }

  ask(question: OwnQuestion, answer: (told: Told) => void): void {
    const { past } = this.#host;
    const log = this.#host.peer()?.log;
    if (log === undefined) return;
    switch (question.what) {
      case "status":
        return answer(this.#host.status());
      case "rooms": {
        const last = [...committedRooms(log)].slice(0, ROOMS_TOLD_MAX);
        const nobodys = { joined: false, unread: 0 };
        return answer({
          event: "rooms",
          rooms: last.map(([room_id, last_seq_no]) => ({ room_id, last_seq_no, ...nobodys })),
        });
      }
      case "history": {
        const { room_id, count, text } = question;
        const wanted = { room: room_id, count, text, charsMax: HISTORY_CHARS_MAX };
        return past.search(wanted, log.commit, (messages) => answer({ event: "history", room_id, messages }));
      }
      case "place": {
        const { room_id, seq_no } = question;
        return past.place(room_id, seq_no, log.commit, (before) =>
          answer({ event: "place", room_id, before: log.tailAt(before) }),
        );
      }
    }
  }
}
