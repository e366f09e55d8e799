/** Events and states as lines for people: pure functions. Everything that others chose is made visible first. */
import type { Told } from "../core/reports.ts";
import type { DeliveredMessage, HostEvent, LogRecord, Status } from "../host/events.ts";
import type { Paint } from "./paint.ts";
import { visible } from "./sanitize.ts";

/** `[seq=42] alice: Hello` */
export function messageLine(message: DeliveredMessage, paint: Paint): string {
  return `${paint.dim(`[seq=${message.seq_no}]`)} ${paint.bold(visible(message.user))}: ${visible(message.payload)}`;
}

/** The line for an event that people want to see, or null. `verbose` also shows what only matters while watching. */
export function eventLine(event: HostEvent | Told, paint: Paint): string | null {
  switch (event.event) {
    case "message":
      return messageLine(event, paint);
    case "role":
      if (event.leader_id === null)
        return event.role === "candidate" ? paint.dim(`-- no leader: electing (term ${event.term})`) : null;
      return paint.dim(
        event.role === "leader"
          ? `-- this peer leads (term ${event.term})`
          : `-- peer ${event.leader_id} leads (term ${event.term})`,
      );
    case "unsent":
      return paint.dim(`[waiting] ${visible(event.user)}: ${visible(event.payload)}`);
    case "member":
      return paint.dim(
        `-- peer ${event.id} ${event.state === "alive" ? `is here (${event.role})` : event.state === "unreachable" ? "is gone" : event.state}`,
      );
    case "notice":
      return event.code === "leading" || event.code === "abdicated" ? null : paint.dim(`-- ${visible(event.message)}`);
    case "error":
      return paint.red(`error: ${visible(event.message)}`);
    default:
      return null;
  }
}

export function statusLines(status: Status): string[] {
  const leader =
    status.leader_id === null
      ? "no leader"
      : status.leader_id === status.id
        ? "this peer leads"
        : `peer ${status.leader_id} leads`;
  return [
    `peer ${status.id}: ${status.role}, ${leader}, term ${status.term}, ${status.quorum ? "a majority is here" : "no majority: messages wait"}`,
    `log: entries ${status.first_index} to ${status.last_index}, committed through ${status.commit_index}; own messages waiting: ${status.pending}`,
  ];
}

export function memberLines(status: Status): string[] {
  if (status.members.length === 0) return ["no members known yet: waiting for a seed"];
  return status.members.map((m) => {
    const marks = [m.id === status.id ? "this peer" : m.state, m.id === status.leader_id ? "leads" : ""].filter(
      (s) => s !== "",
    );
    const lag = m.lag === null ? "" : `, ${m.lag} entries behind`;
    return `peer ${m.id}  ${visible(m.host)}:${m.port}  ${m.role}, ${marks.join(", ")}${lag}`;
  });
}

/** One line of the operator's log, as text or JSON. */
export function logLine(record: LogRecord, format: "text" | "json"): string {
  const { time, level, peer, role, term, index, message } = record;
  if (format === "json")
    return JSON.stringify({ time: new Date(time).toISOString(), level, peer, role, term, index, message });
  return `${new Date(time).toISOString()} ${level.padEnd(5)} peer=${peer} role=${role} term=${term} index=${index ?? "-"} ${visible(message)}`;
}
