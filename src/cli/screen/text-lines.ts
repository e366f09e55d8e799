/** Messages, events and log records as one line each, for people: pure functions. Everything that others chose is made visible. */
import type { SystemNote } from "../../core/reports.ts";
import type { DeliveredMessage, HostEvent, LogRecord } from "../../host/events.ts";
import type { Paint } from "./paint.ts";
import { visible } from "./visible.ts";

/** `[seq=42] alice: Hello` */
export function messageLine(message: DeliveredMessage, paint: Paint): string {
  return `${paint.dim(`[seq=${message.seq_no}]`)} ${paint.bold(visible(message.user))}: ${visible(message.payload)}`;
}

/** What is told besides messages, safe to show. */
export interface Note {
  readonly text: string;
  readonly tone: "dim" | "red";
}

export function note(text: string): Note {
  return { text: `-- ${visible(text)}`, tone: "dim" };
}

/** Of an event that people want to hear of, else null. Messages, roles and what waits have renderers of their own. */
export function noteOf(event: HostEvent): Note | null {
  switch (event.event) {
    case "member": {
      const { id, state, role } = event;
      return note(
        `peer ${id} ${state === "alive" ? `is here (${role})` : state === "unreachable" ? "is gone" : state}`,
      );
    }
    case "system":
      return note(systemText(event));
    case "notice":
      return event.code === "leading" || event.code === "abdicated" ? null : note(event.message);
    case "twins":
    case "error":
      return { text: `error: ${visible(event.message)}`, tone: "red" };
    default:
      return null;
  }
}

function systemText({ user, change, was }: SystemNote): string {
  switch (change) {
    case "joined":
      return `${user} is here`;
    case "left":
      return `${user} has left`;
    case "gone":
      return `${user} is gone: not a word for a minute`;
    case "renamed":
      return `${was} is ${user} now`;
  }
}

/** One line of the operator's log, as text or JSON. */
export function logLine(record: LogRecord, format: "text" | "json"): string {
  const { time, level, peer, role, term, index, message } = record;
  if (format === "json")
    return JSON.stringify({ time: new Date(time).toISOString(), level, peer, role, term, index, message });
  return `${new Date(time).toISOString()} ${level.padEnd(5)} peer=${peer} role=${role} term=${term} index=${index ?? "-"} ${visible(message)}`;
}
