/** What commands answer, as lines for people: pure functions. Everything that others chose is made visible. */
import type { MemberStatus, Status } from "../host/events.ts";
import type { RoomState } from "./rooms.ts";
import { visible } from "./sanitize.ts";

/** `1 entry`, `2 entries` */
export function counted(count: number, one: string, many = `${one}s`): string {
  return `${count} ${count === 1 ? one : many}`;
}

export function statusLines(status: Status): string[] {
  const leader =
    status.leader_id === null
      ? "no leader"
      : status.leader_id === status.id
        ? "this peer leads"
        : `peer ${status.leader_id} leads`;
  const { first_index, last_index, commit_index, pending } = status;
  return [
    `peer ${status.id}: ${status.role}, ${leader}, term ${status.term}, ${status.quorum ? "a majority is here" : "no majority: messages wait"}`,
    `log: entries ${first_index} to ${last_index}, committed through ${commit_index}; ${pending === 0 ? "nothing" : counted(pending, "own message")} waiting`,
  ];
}

export function memberLines(status: Status): string[] {
  if (status.members.length === 0) return ["no members known yet: waiting for a seed"];
  return status.members.map(
    (member) => `peer ${member.id}  ${visible(member.host)}:${member.port}  ${memberMarks(member, status).join(", ")}`,
  );
}

function memberMarks({ id, role, state, lag }: MemberStatus, status: Status): string[] {
  if (role === "left") return [id === status.id ? "this peer, left" : "left"];
  return [
    role,
    id === status.id ? "this peer" : state,
    ...(id === status.leader_id ? ["leads"] : []),
    ...(lag === null ? [] : [`${counted(lag, "entry", "entries")} behind`]),
  ];
}

export function roomLines(rooms: readonly RoomState[]): string[] {
  return rooms.map(({ room_id, joined, active, last_seq_no, unread }) => {
    const marks = active ? ", you talk here" : joined ? ", joined" : unread > 0 ? `, ${unread} unread` : "";
    const messages = last_seq_no === 0 ? "no message seen yet" : counted(last_seq_no, "message");
    return `${visible(room_id)}: ${messages}${marks}`;
  });
}
