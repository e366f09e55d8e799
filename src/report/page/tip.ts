/** What is under the pointer, in words beside it. */
import { byId, element } from "./dom.ts";
import type { Hit } from "./near.ts";
import type { Run } from "./run.ts";
import type { View } from "./time-view.ts";
import { eventNote, eventWords, messageFate, ms } from "./words.ts";

export class Tip {
  readonly #box = byId("tip");
  readonly #run: Run;

  constructor(run: Run) {
    this.#run = run;
  }

  show(hit: Hit | null, { pointer, width, height }: View): void {
    const box = this.#box;
    box.hidden = hit === null || pointer === null;
    if (hit === null || pointer === null) return;
    const [first = "", ...more] = this.#lines(hit).filter((line) => line !== "");
    box.replaceChildren(element("b", first), ...more.map((line) => element("span", line)));
    const right = pointer.px + 18;
    box.style.left = `${right + box.offsetWidth > width ? pointer.px - box.offsetWidth - 12 : right}px`;
    box.style.top = `${Math.max(4, Math.min(height - box.offsetHeight - 4, pointer.py + 14))}px`;
  }

  #lines(hit: Hit): string[] {
    if (hit.kind === "mark") return [eventWords(hit.event), eventNote(hit.event), `at ${ms(hit.event.atMs)}`];
    const m = this.#run.report.messages[hit.i];
    if (m === undefined) return [];
    return [
      `${m.frame}  ${m.from} → ${m.to}`,
      m.term > 0 ? `term ${m.term}` : "",
      m.note,
      `sent ${ms(m.sentMs)}`,
      messageFate(m),
    ];
  }
}
