/** Questions to a peer as promises: one that stops before it answers rejects them with Unanswered. */
import type { Told } from "../../core/reports.ts";
import type { OwnQuestion, Service } from "../../host/service.ts";

export class Unanswered extends Error {
  override readonly name = "Unanswered";
}

export class Asking {
  readonly #service: Pick<Service, "ask">;
  readonly #open = new Set<() => void>();
  #stopped = false;

  constructor(service: Pick<Service, "ask">) {
    this.#service = service;
  }

  ask(question: OwnQuestion): Promise<Told> {
    return new Promise((resolve, reject) => {
      const give = () => reject(new Unanswered("the peer stopped before it answered"));
      if (this.#stopped) return give();
      this.#open.add(give);
      this.#service.ask(question, (told) => {
        this.#open.delete(give);
        resolve(told);
      });
    });
  }

  /** No answers come any more. */
  stop(): void {
    this.#stopped = true;
    for (const give of this.#open) give();
    this.#open.clear();
  }
}
