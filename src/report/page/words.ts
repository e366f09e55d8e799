/** Events and messages in words. */
import { number } from "../numbers.ts";
import type { ReportEvent, ReportMessage } from "../sim-report.ts";
import type { MarkKind } from "./run.ts";

export const ms = (t: number): string => `${number(t, 1)} ms`;

const VERBS: Record<Exclude<MarkKind, "notice">, string> = {
  ...{ start: "starts", crash: "crashes", stop: "stops", pause: "is paused", resume: "goes on", fault: "has a fault" },
  ...{ submit: "submits", commit: "commits", deliver: "delivers", sent: "shows as sent" },
};

export function eventWords(e: ReportEvent): string {
  const who = e.peer === 0 ? "network" : `peer ${e.peer}`;
  if (e.kind === "notice") return `${who}:`;
  if (e.kind === "role") return `${who} is ${e.role}, term ${e.term}`;
  if (e.kind === "cut" || e.kind === "heal")
    return `network: ${e.kind}${e.to > 0 ? ` ${e.peer} → ${e.to}` : e.peer > 0 ? ` ${who}` : ""}`;
  return `${who} ${VERBS[e.kind]}${e.index > 0 ? ` ${e.index}` : ""}`;
}

/** The rest of the sentence that the words begin. */
export function eventNote(e: ReportEvent): string {
  const said = eventWords(e).replace(/^(peer \d+|network):? /, "");
  return e.note.startsWith(said) ? e.note.slice(said.length).replace(/^[\s,=]+/, "") : e.note;
}

export function messageWords({ from, to, frame, arrivedMs }: ReportMessage): string {
  return `${from} → ${to} ${frame}${arrivedMs === null ? " (lost)" : ""}`;
}

export function messageFate({ sentMs, arrivedMs }: ReportMessage): string {
  return arrivedMs === null ? "never arrives" : `arrives ${ms(arrivedMs)} (+${number(arrivedMs - sentMs, 1)})`;
}
