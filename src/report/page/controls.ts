/** Keys, buttons and the choice of types: all that moves the view without the diagram. */
import { byId } from "./dom.ts";
import type { Picture } from "./picture.ts";
import { type Run, timeOf } from "./run.ts";
import { firstAt } from "./search.ts";
import type { View } from "./time-view.ts";

const PAN = 0.12;
const ZOOM = 0.7;

export function watchKeys(run: Run, view: View): void {
  const zoomIn = (): void => view.zoom(ZOOM);
  const zoomOut = (): void => view.zoom(1 / ZOOM);
  const fit = (): void => view.wholeRun();
  const previous = (): void => step(run, view, -1);
  const next = (): void => step(run, view, 1);
  const keys = new Map<string, () => void>([
    ["ArrowLeft", () => view.pan(-PAN)],
    ["ArrowRight", () => view.pan(PAN)],
    ["+", zoomIn],
    ["=", zoomIn],
    ["-", zoomOut],
    ["0", fit],
    ["[", previous],
    ["]", next],
    ["Escape", () => view.letGo()],
  ]);
  addEventListener("keydown", (e) => {
    const act = keys.get(e.key);
    if (act === undefined || e.ctrlKey || e.metaKey || e.altKey) return;
    e.preventDefault();
    act();
  });
  byId("in").onclick = zoomIn;
  byId("out").onclick = zoomOut;
  byId("fit").onclick = fit;
  byId("prev").onclick = previous;
  byId("next").onclick = next;
  for (const button of document.querySelectorAll<HTMLButtonElement>("#steps button"))
    button.onclick = () => view.visit(view.within(Number(button.value)));
}

/** Pins the cursor to the next event before or after it. */
function step({ report: { events } }: Run, view: View, direction: 1 | -1): void {
  let i = firstAt(events, view.cursor, timeOf) - (direction < 0 ? 1 : 0);
  while (events[i]?.atMs === view.cursor) i += direction;
  const event = events[i];
  if (event === undefined) return;
  if (event.atMs < view.t0 || event.atMs > view.t1) view.visit(event.atMs);
  else view.pin(event.atMs);
}

/** The boxes stand in the order of the types. */
export function watchTypes({ shown }: Run, picture: Picture): void {
  const boxes = [...document.querySelectorAll<HTMLInputElement>("#filters input")];
  const choose = (isShown: (box: HTMLInputElement) => boolean): void => {
    boxes.forEach((box, i) => {
      box.checked = shown[i] = isShown(box);
    });
    picture.refreshAll();
  };
  for (const box of boxes) box.onchange = () => choose((b) => b.checked);
  byId("all").onclick = () => choose(() => true);
  byId("none").onclick = () => choose(() => false);
}
