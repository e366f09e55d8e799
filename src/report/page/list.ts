/** What happened around the cursor, in words: a few rows that are filled anew as it moves. */
import { number } from "../numbers.ts";
import { seriesColor } from "../series.ts";
import type { ReportMessage } from "../sim-report.ts";
import type { Color } from "../theme.ts";
import { byId, element } from "./dom.ts";
import { type Item, type Run, timeOf } from "./run.ts";
import { firstAt } from "./search.ts";
import { eventNote, eventWords, messageWords, ms } from "./words.ts";

const ROWS = 30;
/** Of these, before the cursor. */
const PAST = 9;
/** Letters of a note. */
const NOTE_MAX = 160;

export class List {
  readonly #run: Run;
  readonly #around = byId("around");
  readonly #rows: readonly Row[];
  readonly #typeByName: ReadonlyMap<string, number>;
  /** What the rows are filled with: the same is not written twice. */
  #filled = "";

  /** `visit` is called with the time of what is clicked. */
  constructor(run: Run, visit: (t: number) => void) {
    this.#run = run;
    this.#typeByName = new Map(run.scene.types.map(({ name }, i) => [name, i]));
    this.#rows = Array.from({ length: ROWS }, () => new Row(visit));
    byId("list").append(...this.#rows.map((row) => row.box));
  }

  draw(cursor: number): void {
    const { items, shown } = this.#run;
    this.#around.textContent = ms(cursor);
    const now = firstAt(items, cursor, timeOf);
    const wanted = `${now} ${shown.join()}`;
    if (wanted === this.#filled) return;
    this.#filled = wanted;
    const found: Item[] = [];
    for (let i = now - 1; i >= 0 && found.length < PAST; i--) found.unshift(...this.#ifShown(items[i]));
    const past = found.length;
    for (let i = now; i < items.length && found.length < ROWS; i++) found.push(...this.#ifShown(items[i]));
    this.#rows.forEach((row, n) => {
      const item = found[n];
      row.box.hidden = item === undefined;
      row.box.className = n < past ? "past" : n === past ? "now" : "";
      if (item !== undefined) row.fill(item, this.#colorOf(item));
    });
  }

  #ifShown(item: Item | undefined): Item[] {
    if (item === undefined || ("frame" in item && this.#run.shown[this.#typeOf(item)] !== true)) return [];
    return [item];
  }
  #typeOf({ frame }: ReportMessage): number {
    return this.#typeByName.get(frame) as number;
  }
  #colorOf(item: Item): Color {
    if ("frame" in item) return this.#run.scene.types[this.#typeOf(item)]?.family ?? "other";
    return item.kind === "crash" || item.kind === "cut" ? "bad" : seriesColor(item.term);
  }
}

class Row {
  readonly box = element("div");
  readonly #time = element("time");
  readonly #bar = element("i");
  readonly #words = element("span");
  readonly #note = element("small");
  #atMs = 0;

  constructor(visit: (t: number) => void) {
    const text = element("p");
    text.append(this.#words, this.#note);
    this.box.append(this.#time, this.#bar, text);
    this.box.onclick = () => visit(this.#atMs);
  }

  fill(item: Item, color: Color): void {
    this.#atMs = timeOf(item);
    this.#time.textContent = number(this.#atMs, 1);
    const [words, note] = "frame" in item ? [messageWords(item), item.note] : [eventWords(item), eventNote(item)];
    this.#words.textContent = words;
    this.#note.textContent = note.slice(0, NOTE_MAX);
    this.#bar.style.setProperty("--c", `var(--${color})`);
  }
}
