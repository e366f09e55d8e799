/**
 * The page of a simulated run: reads what the page carries, draws it, and follows hands. `scripts/page-script.ts` makes one
 * string of it. Text of others reaches the page only as textContent and on the canvas, never as markup.
 */

import { watchKeys, watchTypes } from "./controls.ts";
import { byId } from "./dom.ts";
import { watchOverview, watchPlot } from "./hands.ts";
import { List } from "./list.ts";
import { Picture } from "./picture.ts";
import { layOut } from "./run.ts";
import { View } from "./time-view.ts";

const read = (id: string) => JSON.parse(byId(id).textContent);
const run = layOut(read("data"), read("scene"));
const view: View = new View(run, {
  changed: () => picture.refresh(),
  flies: () => !matchMedia("(prefers-reduced-motion: reduce)").matches,
});
const picture: Picture = new Picture(run, view, new List(run, (t) => view.visit(t)));

watchPlot(run, view, picture);
watchOverview(view);
watchKeys(run, view);
watchTypes(run, picture);
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => picture.retheme());

// The address may ask for a stretch: report.html#1200-1450.
const [, from, to] = /^#([0-9.]+)-([0-9.]+)$/.exec(location.hash) ?? [];
const { start } = run.scene;
view.show(Number(from ?? start.t0), Number(to ?? start.t1));
picture.resize();
new ResizeObserver(() => picture.resize()).observe(byId("plot"));
performance.mark("drawn");
