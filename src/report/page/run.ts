/** The run laid out for drawing: flat arrays by time, since one picture may look at all of them. */
import type { Family, Scene, Stretch } from "../scene.ts";
import type { ReportEvent, ReportEventKind, ReportMessage, SimReport } from "../sim-report.ts";
import { firstAt } from "./search.ts";

export type Item = ReportEvent | ReportMessage;

/** What happens to one peer at one moment. */
export type MarkKind = Exclude<ReportEventKind, "role" | "cut" | "heal">;
export type Mark = ReportEvent & { readonly kind: MarkKind };

/** Arrays that begin with the messages have one value for each of them. */
export interface Run {
  readonly report: SimReport;
  readonly scene: Scene;
  readonly failed: boolean;
  /** Of the messages, in milliseconds. */
  readonly sent: Float64Array;
  readonly arrived: Float64Array;
  /**
   * The latest arrival among the messages up to here: it tells where a window's first arrow is without looking at all
   * arrows.
   */
  readonly latest: Float64Array;
  /** The rows of the messages' peers. */
  readonly from: Uint16Array;
  readonly to: Uint16Array;
  /** The messages' places among `scene.types`, and among `families`. */
  readonly typeOf: Uint16Array;
  readonly familyOf: Uint8Array;
  readonly families: readonly Family[];
  /** A list for each peer. */
  readonly marks: readonly (readonly Mark[])[];
  /** Events and messages. */
  readonly items: readonly Item[];
  /** For each type, whether its arrows are drawn. Everything else here stays the same. */
  readonly shown: boolean[];
}

/** A lost message ends somewhere on its way: it is drawn up to this share of the usual time. */
export const LOST_SHARE = 0.6;

export function layOut(report: SimReport, scene: Scene): Run {
  const { peers, events, messages, verdict } = report;
  const { types, usualMs } = scene;
  const rowOf = new Map(peers.map((peer, row) => [peer, row]));
  const typeByName = new Map(types.map(({ name }, i) => [name, i]));
  const families = [...new Set(types.map((type) => type.family))];
  const familyOfType = types.map((type) => families.indexOf(type.family));
  const typeOf = Uint16Array.from(messages, (m) => typeByName.get(m.frame) ?? 0);
  const arrived = Float64Array.from(messages, (m) => m.arrivedMs ?? m.sentMs + usualMs * LOST_SHARE);
  let latest = 0;
  return {
    ...{ report, scene, failed: verdict.result === "FAIL" },
    sent: Float64Array.from(messages, (m) => m.sentMs),
    arrived,
    latest: arrived.map((at) => (latest = Math.max(latest, at))),
    from: Uint16Array.from(messages, (m) => rowOf.get(m.from) ?? 0),
    to: Uint16Array.from(messages, (m) => rowOf.get(m.to) ?? 0),
    typeOf,
    familyOf: Uint8Array.from(typeOf, (type) => familyOfType[type] as number),
    families,
    marks: peers.map((peer) => events.filter(isMark).filter((e) => e.peer === peer)),
    items: [...events, ...messages].sort((a, b) => timeOf(a) - timeOf(b)),
    shown: types.map((type) => type.shown),
  };
}

export const timeOf = (item: Item): number => ("atMs" in item ? item.atMs : item.sentMs);

const isMark = (e: ReportEvent): e is Mark =>
  e.peer !== 0 && e.kind !== "cut" && e.kind !== "heal" && e.kind !== "role";

/** The state of a row's peer at `t`; undefined in a run without time. */
export function stretchAt({ scene }: Run, row: number, t: number): Stretch | undefined {
  const line = scene.lifelines[row] ?? [];
  return line[
    Math.min(
      line.length - 1,
      firstAt(line, t, (s) => s.t1),
    )
  ];
}
