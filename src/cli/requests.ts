/**
 * Commands about rooms, people and the past, in the terminal and in `--json` alike: how they are read, what they ask of
 * the service, and what is printed for a script or said to a person.
 */
import { HISTORY_MESSAGES_MAX } from "../core/config.ts";
import type { RoomStatus, SystemNote, Told, WhoRow } from "../core/reports.ts";
import type { HostEvent } from "../host/events.ts";
import type { Service } from "../host/service.ts";
import type { Paint } from "./paint.ts";
import { messageLine } from "./render.ts";
import { visible } from "./sanitize.ts";

export type Request =
  | { readonly do: "rooms" }
  | { readonly do: "join"; readonly room: string }
  | { readonly do: "leave" }
  | { readonly do: "who" }
  | { readonly do: "nick"; readonly user: string }
  /** Null: the whole room; else who has read this message. */
  | { readonly do: "confirmations"; readonly seqNo: number | null }
  | { readonly do: "read"; readonly seqNo: number }
  | { readonly do: "history"; readonly count: number; readonly text: string };

export const REQUEST_NAMES = ["/rooms", "/join", "/leave", "/who", "/nick", "/confirmations", "/read", "/history"];

export const REQUEST_HELP = [
  "/rooms          every room, and what is unread in it",
  "/join ROOM      talk in this room from now on",
  "/leave          leave this room, for another one that was joined",
  "/who            who is here, when last heard, how far away, how far behind",
  "/nick NAME      another name",
  "/confirmations [N]  who has read how far in this room (or message N)",
  "/read N         confirm that this room is read through message N",
  "/history [N] [TEXT]  the last N messages here (that hold TEXT)",
];

const HISTORY_SHOWN = 20;

/** The request in a line, what is wrong with it in words, or null if it is none of these commands. */
export function readRequest(line: string): Request | { readonly do: "wrong"; readonly message: string } | null {
  const [name, rest = ""] = splitOnce(line.trim());
  switch (name) {
    case "/rooms":
    case "/who":
    case "/leave":
      return rest === "" ? { do: name.slice(1) as "rooms" } : { do: "wrong", message: `${name} takes no argument` };
    case "/join":
      return rest === ""
        ? { do: "wrong", message: "/join needs a room, like /join attic" }
        : { do: "join", room: rest };
    case "/nick":
      return rest === ""
        ? { do: "wrong", message: "/nick needs a name, like /nick carol" }
        : { do: "nick", user: rest };
    case "/confirmations":
    case "/read": {
      const seqNo = /^[0-9]{1,15}$/.test(rest) ? Number(rest) : null;
      if (name === "/confirmations" && (rest === "" || seqNo !== null)) return { do: "confirmations", seqNo };
      if (name === "/read" && seqNo !== null && seqNo > 0) return { do: "read", seqNo };
      return { do: "wrong", message: `${name} takes the number of a message, like ${name} 42` };
    }
    case "/history": {
      const [first, text = ""] = splitOnce(rest);
      if (first === "" || !/^[0-9]{1,6}$/.test(first)) return { do: "history", count: HISTORY_SHOWN, text: rest };
      return { do: "history", count: Math.min(Math.max(1, Number(first)), HISTORY_MESSAGES_MAX), text };
    }
    default:
      return null;
  }
}

/** Carries a request out; returns the room that is talked in from now on. */
export function carryOut(
  request: Request,
  service: Service,
  room: string,
  print: (event: Told | HostEvent) => void,
): string {
  switch (request.do) {
    case "rooms":
      print({ event: "rooms", rooms: service.rooms.list() });
      return room;
    case "join":
      if (service.rooms.join(request.room)) return request.room;
      print({
        event: "error",
        code: "bad-room",
        message: `${JSON.stringify(request.room)} cannot be joined: a room's name has 1 to 64 bytes and no control characters`,
      });
      return room;
    case "leave": {
      const others = service.rooms.list().filter((r) => r.joined && r.room_id !== room);
      const next = others[0];
      if (next === undefined) {
        print({
          event: "error",
          code: "last-room",
          message: "this is the only room you are in: /join another one first, or /quit",
        });
        return room;
      }
      service.rooms.leave(room);
      return next.room_id;
    }
    case "who":
      service.ask({ what: "who" }, print);
      return room;
    case "nick":
      service.ask({ what: "nick", user: request.user }, print);
      return room;
    case "confirmations": {
      const through = request.seqNo ?? 1;
      service.ask({ what: "confirmations", room_id: room }, (told) =>
        print(
          told.event === "confirmations"
            ? { ...told, readers: told.readers.filter((r) => r.through >= through) }
            : told,
        ),
      );
      return room;
    }
    case "read":
      service.confirmRead(room, request.seqNo);
      return room;
    case "history": {
      const { count, text } = request;
      service.ask({ what: "history", room_id: room, count, text }, print);
      return room;
    }
  }
}

/** What was told about rooms and people, as lines for a person; null for everything else. */
export function toldLines(told: Told | HostEvent, paint: Paint): string[] | null {
  switch (told.event) {
    case "rooms":
      return told.rooms.map(roomLine);
    case "room":
      return [paint.dim(`-- ${told.joined ? "now also in" : "left"} #${visible(told.room_id)}`)];
    case "history":
      return told.messages.length === 0
        ? [paint.dim("-- nothing found")]
        : told.messages.map((message) => messageLine(message, paint));
    case "system":
      return [paint.dim(`-- ${systemText(told)}`)];
    case "who":
      return told.people.map(whoLine);
    case "confirmations":
      return told.readers.length === 0
        ? [paint.dim("-- nobody has confirmed anything here")]
        : told.readers.map(({ user, through }) => `${visible(user)} has read through ${through}`);
    case "read":
    case "here":
    case "place":
      return [];
    default:
      return null;
  }
}

function systemText({ user, change, was }: SystemNote): string {
  switch (change) {
    case "joined":
      return `${visible(user)} is here`;
    case "left":
      return `${visible(user)} has left`;
    case "gone":
      return `${visible(user)} is gone`;
    case "renamed":
      return `${visible(was)} is ${visible(user)} now`;
  }
}

function whoLine({ user, peer_id, client, heard_ms, round_trip_ms, lag }: WhoRow): string {
  const who = user === "" ? `peer ${peer_id}` : visible(user);
  const where =
    peer_id === null ? "" : client ? ` (client of peer ${peer_id})` : user === "" ? "" : ` (peer ${peer_id})`;
  const heard =
    heard_ms === null ? "not heard" : heard_ms < 1000 ? "here" : `last heard ${Math.round(heard_ms / 1000)} s ago`;
  const trip = round_trip_ms === null ? "" : `, round trip ${round_trip_ms.toFixed(1)} ms`;
  return `${who}${where}  ${heard}${trip}${lag === null ? "" : `, ${lag} entries behind`}`;
}

function roomLine({ room_id, last_seq_no, joined, unread }: RoomStatus): string {
  const marks = [joined ? "joined" : "", unread > 0 ? `${unread} unread` : ""].filter((mark) => mark !== "");
  return `#${visible(room_id)}  ${last_seq_no} messages${marks.length === 0 ? "" : `, ${marks.join(", ")}`}`;
}

function splitOnce(text: string): [string, string?] {
  const space = text.search(/\s/);
  return space < 0 ? [text] : [text.slice(0, space), text.slice(space).trim()];
}
