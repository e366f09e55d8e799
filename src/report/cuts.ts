/** When which peers cannot reach which. */
import type { SimReport } from "./sim-report.ts";

/** A time in which the same pairs are cut: in words, and as bands between two rows. */
export interface Cut {
  readonly t0: number;
  readonly t1: number;
  readonly text: string;
  readonly bands: readonly { readonly a: number; readonly b: number; readonly both: boolean; readonly text: string }[];
}

/** Directed pairs of peers, as `from>to`. */
type Pairs = ReadonlySet<string>;

export function cutsOf({ peers, events }: SimReport, endMs: number): Cut[] {
  const cuts: Cut[] = [];
  const open = new Set<string>();
  let since = 0;
  const end = (at: number): void => {
    if (at > since && open.size > 0) cuts.push({ t0: since, t1: at, ...describe(peers, open) });
    since = at;
  };
  for (const e of events) {
    if (e.kind !== "cut" && e.kind !== "heal") continue;
    end(e.atMs);
    for (const from of peers) {
      for (const to of peers) {
        const whole = e.to === 0 && (e.peer === 0 || from === e.peer || to === e.peer);
        if (from === to || !(whole || (from === e.peer && to === e.to))) continue;
        if (e.kind === "cut") open.add(`${from}>${to}`);
        else open.delete(`${from}>${to}`);
      }
    }
  }
  end(endMs);
  return cuts;
}

/** A cut that splits the peers into groups is told as groups; any other one as its pairs. */
function describe(peers: readonly number[], open: Pairs): Pick<Cut, "text" | "bands"> {
  const cut = (a: number, b: number): boolean => open.has(`${peers[a]}>${peers[b]}`);
  const any = (a: number, b: number): boolean => cut(a, b) || cut(b, a);
  const group = peers.map((_, row) => row);
  const pairs = peers.flatMap((_, a) => peers.flatMap((_, b) => (a < b ? [[a, b] as const] : [])));
  for (const [a, b] of pairs) {
    const [keep, drop] = [group[a] as number, group[b] as number];
    if (!any(a, b)) group.forEach((g, row) => void (g === drop && group.splice(row, 1, keep)));
  }
  const words = (a: number, b: number): string =>
    `${peers[a]} ${cut(a, b) && cut(b, a) ? "⇹" : cut(a, b) ? "↛" : "↚"} ${peers[b]}`;
  const broken = pairs.filter(([a, b]) => any(a, b));
  const splits = pairs.every(([a, b]) => (group[a] === group[b] ? !any(a, b) : cut(a, b) && cut(b, a)));
  const sides = [...new Set(group)].map((g) => `{${peers.filter((_, row) => group[row] === g).join(" ")}}`);
  const list = broken.map(([a, b]) => words(a, b));
  // A wall between neighbours already tells of the pairs beyond it.
  const walled = (a: number, b: number): boolean =>
    b > a + 1 && pairs.some(([k, l]) => l === k + 1 && k >= a && l <= b && any(k, l));
  return {
    text: splits ? sides.join(" ⇹ ") : list.slice(0, 4).join(", ") + (list.length > 4 ? " …" : ""),
    bands: broken
      .filter(([a, b]) => !walled(a, b))
      .map(([a, b]) => ({ a, b, both: cut(a, b) && cut(b, a), text: words(a, b) })),
  };
}
