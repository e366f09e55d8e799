/** The colours of every page of a run, light and dark, and the style of what all pages have. */

/** Each colour in a light and in a dark page. */
const COLORS = {
  bg: ["#f6f7f9", "#0f141b"],
  panel: ["#ffffff", "#171d26"],
  ink: ["#1b2330", "#e8edf4"],
  soft: ["#5b6675", "#a3aebd"],
  faint: ["#98a2b0", "#6c7889"],
  line: ["#dfe3e9", "#2a3340"],
  row: ["#f3f5f8", "#1b222d"],
  accent: ["#2563eb", "#6ea8ff"],
  bad: ["#d92d20", "#ff6b5e"],
  good: ["#12805c", "#3ccf97"],
  unsure: ["#b25e09", "#f5a742"],
  // A series: terms, peers.
  c0: ["#a6afbc", "#5c6777"],
  c1: ["#2f6fde", "#5b96ff"],
  c2: ["#e07a00", "#ff9f38"],
  c3: ["#15966a", "#35c690"],
  c4: ["#8a53e6", "#ab84ff"],
  c5: ["#0b97b5", "#35c3e0"],
  c6: ["#d43f8d", "#ff73b5"],
  c7: ["#808a00", "#c3cc3c"],
  c8: ["#a2562a", "#d48c60"],
  // Families of frames.
  beat: ["#8b95a3", "#8492a6"],
  order: ["#2456c9", "#7ea6ff"],
  ack: ["#6386cc", "#7f9bd4"],
  vote: ["#c2257a", "#ff71b4"],
  chat: ["#16835c", "#4fd6a0"],
  catch: ["#b86e00", "#f2b04c"],
  join: ["#0c8495", "#45cfe0"],
  other: ["#69707c", "#98a2b1"],
} as const satisfies Record<string, readonly [light: string, dark: string]>;

/** The name of a colour: `--NAME` in a style sheet. */
export type Color = keyof typeof COLORS;

const variables = (shade: 0 | 1): string =>
  Object.entries(COLORS)
    .map(([name, shades]) => `--${name}: ${shades[shade]};`)
    .join(" ");

export const BASE_STYLE = `
:root { color-scheme: light dark; ${variables(0)} }
@media (prefers-color-scheme: dark) { :root { ${variables(1)} } }
* { box-sizing: border-box; }
body { background: var(--bg); color: var(--ink); font-family: system-ui, -apple-system, "Segoe UI", Roboto, "Liberation Sans", sans-serif; }
.card { background: var(--panel); border: 1px solid var(--line); border-radius: 10px; }
.badge { padding: 5px 12px; border-radius: 7px; font-weight: 700; letter-spacing: .06em; color: var(--panel); background: var(--unsure); }
.badge.good { background: var(--good); } .badge.bad { background: var(--bad); }
`;
