/**
 * Keeps the questions of a client until they are answered. When its peer dies, they are asked again at the next one.
 */
import type { Ask } from "../../core/client-frames.ts";
import { QUESTIONS_MAX, READS_WAITING_MAX } from "../../core/config.ts";
import type { Millis } from "../../core/ids.ts";
import type { Told } from "../../core/reports.ts";
import { refuseQuestion } from "../answers/questions.ts";
import type { OwnQuestion } from "../service.ts";

/** Its peer passes on each read at most once a second, so telling it more often is of no use. */
const CONFIRM_MS = 1000;

export class ClientQuestions {
  readonly #write: (frame: Ask) => void;
  readonly #underWay = new Map<number, { readonly question: OwnQuestion; readonly answer: (told: Told) => void }>();
  #nextRequest = 1;
  /** What was read and not confirmed yet, by room. */
  readonly #reads = new Map<string, number>();
  #confirmAt = 0;

  /** `write` drops a frame while no peer serves the client. */
  constructor(write: (frame: Ask) => void) {
    this.#write = write;
  }

  ask(question: OwnQuestion, answer: (told: Told) => void): void {
    const refused = refuseQuestion(question);
    if (refused !== null) return answer(refused);
    if (this.#underWay.size >= QUESTIONS_MAX)
      return answer({ event: "error", code: "busy", message: "too many questions wait for an answer: try again" });
    const request = this.#nextRequest++;
    this.#underWay.set(request, { question, answer });
    this.#write({ type: "ASK", request, question });
  }

  /** Another peer serves the client now: asks every open question again. */
  askAgain(): void {
    for (const [request, { question }] of this.#underWay) this.#write({ type: "ASK", request, question });
  }

  onAnswer(request: number, told: Told): void {
    const asked = this.#underWay.get(request);
    this.#underWay.delete(request);
    asked?.answer(told);
  }

  /** The room was read through this number. It is sent when `confirmReads` is called. */
  noteRead(room: string, seqNo: number): void {
    if (this.#reads.size < READS_WAITING_MAX) this.#reads.set(room, Math.max(seqNo, this.#reads.get(room) ?? 0));
  }

  /** Sends what was read; called while a peer serves the client. */
  confirmReads(now: Millis): void {
    if (this.#reads.size === 0 || now < this.#confirmAt) return;
    this.#confirmAt = now + CONFIRM_MS;
    for (const [room_id, through] of this.#reads) {
      if (this.#underWay.size >= QUESTIONS_MAX / 2) return;
      this.#reads.delete(room_id);
      this.ask({ what: "read", room_id, through }, () => {});
    }
  }
}
