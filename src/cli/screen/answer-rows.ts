/** What commands answer, as rows for people: pure functions. Everything that others chose is made visible. */
import { place } from "../../core/address.ts";
import { DISK_SLOW_MS } from "../../core/config.ts";
import type { Confirmations, WhoRow } from "../../core/reports.ts";
import type { MemberStatus, Status } from "../../host/events.ts";
import type { RoomState } from "../chat/chat-rooms.ts";
import { timeSpan } from "../process/pace.ts";
import { visible } from "./visible.ts";

/** A line, or cells that stand under those of the other rows. How wide a cell is, who shows it knows. */
export type Row = string | readonly string[];

/** `1 entry`, `2 entries` */
export function counted(count: number, one: string, many = `${one}s`): string {
  return `${count} ${count === 1 ? one : many}`;
}

export function statusLines(status: Status): string[] {
  const leader =
    status.leader_id === null ? "no leader" : leadsHere(status) ? "this peer leads" : `peer ${status.leader_id} leads`;
  const { first_index, last_index, commit_index, pending } = status;
  const client = status.id === 0 ? "client, at no peer now" : `client of peer ${status.id}`;
  const who = status.role === "client" ? client : `peer ${status.id}: ${status.role}`;
  return [
    `${who}, ${leader}, term ${status.term}, ${status.quorum ? "a majority is here" : "no majority: messages wait"}`,
    `log: entries ${first_index} to ${last_index}, committed through ${commit_index}; ${pending === 0 ? "nothing" : counted(pending, "own message")} waiting`,
    ...status.twins.map(({ id, at }) => `peer ${id} runs twice, at ${at.map(place).join(" and ")}: neither counts`),
    ...(status.waiting === null ? [] : [visible(status.waiting.message)]),
    ...status.troubles.map(({ message }) => `trouble: ${visible(message)}`),
    ...(status.disk_ms < DISK_SLOW_MS ? [] : [`disk: slow, ${status.disk_ms} ms for a sync`]),
  ];
}

/** The peer that is asked leads, and not only the one that a client is at. */
export function leadsHere({ id, leader_id, role }: Status): boolean {
  return leader_id === id && role !== "client";
}

export function memberRows(status: Status): Row[] {
  if (status.members.length === 0) return ["no members known yet: waiting for a seed"];
  return status.members.map((member) => [
    `peer ${member.id}`,
    `${visible(member.host)}:${member.port}`,
    memberMarks(member, status).join(", "),
  ]);
}

function memberMarks({ id, role, state, lag }: MemberStatus, status: Status): string[] {
  if (role === "left") return [id === status.id ? "this peer, left" : "left"];
  return [
    role,
    id !== status.id ? state : status.role === "client" ? `${state}, serves this client` : "this peer",
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

/** `bob (client of peer 2)  heard now, round trip 0.4 ms, 2 entries behind` */
export function whoRows(people: readonly WhoRow[]): Row[] {
  return people.map((row) => [whoIs(row), whatIsKnown(row).join(", ")]);
}

/**
 * A peer that was asked and is silent does not say which people are at it. A person who is at no answering peer is at
 * one of the silent ones.
 */
function whoIs({ user, peer_id, client, lag }: WhoRow): string {
  if (user === "") return `peer ${peer_id}, ${lag === null ? "no answer" : "nobody at it"}`;
  if (peer_id === null) return visible(user);
  return `${visible(user)} (${client ? "client of " : ""}peer ${peer_id})`;
}

function whatIsKnown({ user, peer_id, heard_ms, round_trip_ms, lag }: WhoRow): string[] {
  if (user !== "" && peer_id === null) return ["at no peer that answers"];
  return [
    heard_ms === null ? "not heard yet" : heard_ms < 1000 ? "heard now" : `heard ${timeSpan(heard_ms)} ago`,
    // The peer that is asked has no round trip to itself.
    ...(round_trip_ms === null || round_trip_ms === 0 ? [] : [`round trip ${round_trip_ms.toFixed(1)} ms`]),
    ...(lag === null ? [] : [`${counted(lag, "entry", "entries")} behind`]),
  ];
}

/** The people who have read a whole room, or one of its messages. */
export function confirmationLines({ room_id, readers }: Confirmations, seqNo: number | null): string[] {
  const room = visible(room_id);
  if (readers.length === 0)
    return [
      seqNo === null ? `nobody has confirmed anything in ${room} yet` : `nobody has read ${seqNo} of ${room} yet`,
    ];
  if (seqNo === null) return readers.map(({ user, through }) => `${visible(user)} has read ${room} through ${through}`);
  return [`${seqNo} of ${room} is read by ${readers.map((r) => visible(r.user)).join(", ")}`];
}
