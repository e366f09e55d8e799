/**
 * Commands about rooms, people and the past, in the terminal and in `--json` alike: how they are read, what they ask of
 * the service, and what is printed for a script or said to a person.
 */
import { HISTORY_MESSAGES_MAX } from "../core/config.ts";
import type { RoomStatus, Told } from "../core/reports.ts";
import type { HostEvent } from "../host/events.ts";
import type { Service } from "../host/service.ts";
import type { Paint } from "./paint.ts";
import { messageLine } from "./render.ts";
import { visible } from "./sanitize.ts";

export type Request =
  | { readonly do: "rooms" }
  | { readonly do: "join"; readonly room: string }
  | { readonly do: "leave" }
  | { readonly do: "history"; readonly count: number; readonly text: string };

export const REQUEST_NAMES = ["/rooms", "/join", "/leave", "/history"];

export const REQUEST_HELP = [
  "/rooms          every room, and what is unread in it",
  "/join ROOM      talk in this room from now on",
  "/leave          leave this room, for another one that was joined",
  "/history [N] [TEXT]  the last N messages here (that hold TEXT)",
];

const HISTORY_SHOWN = 20;

/** The request in a line, what is wrong with it in words, or null if it is none of these commands. */
export function readRequest(line: string): Request | { readonly do: "wrong"; readonly message: string } | null {
  const [name, rest = ""] = splitOnce(line.trim());
  switch (name) {
    case "/rooms":
    case "/leave":
      return rest === "" ? { do: name.slice(1) as "rooms" } : { do: "wrong", message: `${name} takes no argument` };
    case "/join":
      return rest === ""
        ? { do: "wrong", message: "/join needs a room, like /join attic" }
        : { do: "join", room: rest };
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
    case "history": {
      const { count, text } = request;
      service.ask({ what: "history", room_id: room, count, text }, print);
      return room;
    }
  }
}

/** What was told, as lines for a person. */
export function toldLines(told: Told | HostEvent, paint: Paint): string[] {
  switch (told.event) {
    case "rooms":
      return told.rooms.map(roomLine);
    case "room":
      return [paint.dim(`-- ${told.joined ? "now also in" : "left"} #${visible(told.room_id)}`)];
    case "history":
      return told.messages.length === 0
        ? [paint.dim("-- nothing found")]
        : told.messages.map((message) => messageLine(message, paint));
    default:
      return [];
  }
}

function roomLine({ room_id, last_seq_no, joined, unread }: RoomStatus): string {
  const marks = [joined ? "joined" : "", unread > 0 ? `${unread} unread` : ""].filter((mark) => mark !== "");
  return `#${visible(room_id)}  ${last_seq_no} messages${marks.length === 0 ? "" : `, ${marks.join(", ")}`}`;
}

function splitOnce(text: string): [string, string?] {
  const space = text.search(/\s/);
  return space < 0 ? [text] : [text.slice(0, space), text.slice(space).trim()];
}
