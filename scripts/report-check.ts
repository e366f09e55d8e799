/**
 * Opens a report of 50,000 things in a headless Chromium and measures how it feels to use: the time until the first
 * picture, and the pictures per second while the overview is scrubbed, the diagram dragged and zoomed by real input.
 * Exits 1 where a figure misses its bound, 2 where there is no Chromium. `--screenshots DIR` also keeps what it looks
 * like. CHROMIUM names the browser; else the usual names are tried.
 */
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { reportHtml } from "../src/report/report-html.ts";
import { Browser } from "./report-check/browser.ts";
import { leaderCrash, partition, swarm } from "./report-check/made-runs.ts";

const ITEMS = 50_000;
const OPEN_MS_MAX = 3000;
const FRAMES_PER_SECOND_MIN = 30;
const SCRUB_MS = 3000;
const BROWSERS = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome", "msedge"];

interface Pace {
  readonly perSecond: number;
  readonly slowestMs: number;
}

/** The pictures while hands move as fast as the page takes it: only frames whose window moved are counted. */
async function pace(browser: Browser, move: (n: number) => Promise<unknown>): Promise<Pace> {
  await browser.evaluate(`{
    const frames = (window.paced = []);
    const box = document.getElementById("window");
    let before = "";
    const watch = (now) => {
      const place = box.style.transform + box.style.width;
      if (place !== before) frames.push(now);
      before = place;
      if (window.paced === frames) requestAnimationFrame(watch);
    };
    requestAnimationFrame(watch);
  }`);
  const began = performance.now();
  for (let n = 0; performance.now() - began < SCRUB_MS; n++) await move(n);
  const frames = await browser.evaluate<number[]>("{ const frames = window.paced; window.paced = null; frames }");
  const gaps = frames.slice(1).map((now, i) => now - (frames[i] as number));
  return { perSecond: (gaps.length * 1000) / gaps.reduce((a, b) => a + b, 1e-9), slowestMs: Math.max(...gaps) };
}

/** To and fro between two places, always moving. */
const swing = (n: number, low: number, high: number): number =>
  low + (high - low) * Math.abs(((n / 60) % 2) - (n % 120 < 60 ? 0 : 2));

async function measure(browser: Browser, folder: string): Promise<boolean> {
  const report = swarm(ITEMS);
  const path = join(folder, "swarm.html");
  await Bun.write(path, reportHtml(report));
  await browser.call("Emulation.setDeviceMetricsOverride", {
    width: 1440,
    height: 900,
    deviceScaleFactor: 1,
    mobile: false,
  });
  let fine = true;
  const say = (what: string, value: string, ok: boolean): void => {
    console.log(`${ok ? "ok    " : "MISSED"}  ${what.padEnd(44)} ${value}`);
    fine &&= ok;
  };
  const things = report.events.length + report.messages.length;
  console.log(`${things} events and messages, ${(Bun.file(path).size / 1e6).toFixed(1)} MB of HTML, 1440 × 900`);
  const opened = await browser.visit(`file://${path}`);
  say("opens", `${opened.toFixed(0)} ms (at most ${OPEN_MS_MAX})`, opened < OPEN_MS_MAX);

  const drag = async (name: string, y: number, low: number, high: number): Promise<void> => {
    await browser.mouse("mousePressed", low, y, { button: "left", buttons: 1, clickCount: 1 });
    const { perSecond, slowestMs } = await pace(browser, (n) =>
      browser.mouse("mouseMoved", swing(n, low, high), y, { button: "left", buttons: 1 }),
    );
    await browser.mouse("mouseReleased", high, y, { button: "left", clickCount: 1 });
    const value = `${perSecond.toFixed(1)} frames/s, slowest ${slowestMs.toFixed(0)} ms (at least ${FRAMES_PER_SECOND_MIN}/s)`;
    say(name, value, perSecond >= FRAMES_PER_SECOND_MIN);
  };
  const box = async (id: string) =>
    browser.evaluate<{ x: number; y: number; width: number; height: number }>(
      `{ const { x, y, width, height } = document.getElementById(${JSON.stringify(id)}).getBoundingClientRect(); ({ x, y, width, height }) }`,
    );
  const strip = await box("overview");
  const middle = strip.y + strip.height / 2;
  const [left, wide] = [strip.x, strip.width];
  await drag("scrubs the overview as opened", middle, left + wide * 0.3, left + wide * 0.7);
  await browser.evaluate("document.getElementById('all').click()");
  await drag("the same, every type of message shown", middle, left + wide * 0.3, left + wide * 0.7);
  // Nearly the whole run in view: hundreds of arrows on each pixel's column, and still movable. From here on the ways are
  // short, since a window that stands at the end of the run draws nothing and would spoil the figure.
  await browser.evaluate("document.getElementById('fit').click()");
  await Bun.sleep(600);
  await browser.evaluate("document.getElementById('in').click()");
  await drag("the same, seven tenths of the run in view", middle, left + wide * 0.46, left + wide * 0.54);
  const plot = await box("plot");
  await drag("drags the diagram", plot.y + plot.height / 2, plot.x + plot.width * 0.5, plot.x + plot.width * 0.6);
  // Not waiting for each turn's answer: that comes a picture later and would halve the pace by itself.
  const { perSecond, slowestMs } = await pace(browser, (n) => {
    const turn = { deltaX: 0, deltaY: n % 24 < 12 ? -100 : 100 };
    browser.mouse("mouseWheel", plot.x + plot.width / 2, plot.y + 200, turn).catch(() => {});
    return Bun.sleep(12);
  });
  say(
    "zooms by wheel",
    `${perSecond.toFixed(1)} frames/s, slowest ${slowestMs.toFixed(0)} ms`,
    perSecond >= FRAMES_PER_SECOND_MIN,
  );
  return fine;
}

async function photograph(browser: Browser, folder: string): Promise<void> {
  const reports = { crash: leaderCrash(), partition: partition(), swarm: swarm(ITEMS) };
  await browser.call("Emulation.setDeviceMetricsOverride", {
    width: 1440,
    height: 900,
    deviceScaleFactor: 1,
    mobile: false,
  });
  for (const [name, report] of Object.entries(reports)) {
    const path = join(folder, `${name}.html`);
    await Bun.write(path, reportHtml(report));
    for (const theme of ["light", "dark"]) {
      await browser.call("Emulation.setEmulatedMedia", { features: [{ name: "prefers-color-scheme", value: theme }] });
      await browser.visit(`file://${path}`);
      const { data } = await browser.call("Page.captureScreenshot", { format: "png" });
      await Bun.write(join(folder, `${name}-${theme}.png`), Buffer.from(String(data), "base64"));
    }
  }
}

if (import.meta.main) {
  const executable = process.env.CHROMIUM ?? BROWSERS.map((name) => Bun.which(name)).find((found) => found !== null);
  if (executable === undefined || executable === null) {
    console.error(`there is no Chromium here (tried ${BROWSERS.join(", ")}): install one, or name it in CHROMIUM`);
    process.exit(2);
  }
  const flag = process.argv.indexOf("--screenshots");
  const folder =
    flag < 0 ? mkdtempSync(join(tmpdir(), "chatpeer-report-")) : resolve(process.argv[flag + 1] ?? "screenshots");
  mkdirSync(folder, { recursive: true });
  const browser = await Browser.open(executable);
  let fine = false;
  try {
    if (flag >= 0) await photograph(browser, folder);
    fine = await measure(browser, folder);
  } finally {
    await browser.close();
    if (flag < 0) rmSync(folder, { recursive: true, force: true });
  }
  process.exit(fine ? 0 : 1);
}
