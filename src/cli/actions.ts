/** What commands do: each asks the peer or the rooms, and answers through the face. */
import type { DeliveredMessage } from "../host/events.ts";
import { type Host, HostError } from "../host/host.ts";
import { counted, memberLines, roomLines, statusLines } from "./answers.ts";
import { type Command, HELP, KEYS_HELP } from "./commands.ts";
import type { Face } from "./faces/face.ts";
import { lastMessages } from "./past.ts";
import type { Rooms } from "./rooms.ts";
import { saveRoom } from "./save.ts";

export interface Acting {
  readonly host: Host;
  readonly rooms: Rooms;
  readonly face: Face;
  /** There are keys to explain. */
  readonly keyboard: boolean;
  /** Messages that are shown of a room that is joined. */
  readonly history: number;
  notice(code: string, message: string): void;
  refuse(message: string): void;
  leave(): void;
}

/** Everything but saying something. What takes a while gives a promise, which is never rejected. */
export function act(command: Exclude<Command, { do: "say" }>, acting: Acting): Promise<void> | void {
  const { host, rooms, face } = acting;
  switch (command.do) {
    case "status":
    case "peers": {
      const status = host.status();
      return face.answer([status], command.do === "status" ? statusLines(status) : memberLines(status));
    }
    case "rooms":
      return face.answer([{ event: "rooms", rooms: rooms.all }], roomLines(rooms.all));
    case "help": {
      const lines = acting.keyboard ? [...HELP, ...KEYS_HELP] : HELP;
      return face.answer(
        lines.map((message) => ({ event: "notice", code: "help", message })),
        lines,
      );
    }
    case "history": {
      const { active } = rooms;
      const { count, text } = command;
      return showPast(
        acting,
        `history of ${active}${text === "" ? "" : ` with ${JSON.stringify(text)}`}`,
        count,
        (m) => {
          return m.room_id === active && contains(m, text);
        },
      );
    }
    case "join":
      return join(command.room, acting);
    case "leave":
      return leaveRoom(command.room ?? rooms.active, acting);
    case "save":
      return save(command.file, acting);
    case "transfer":
      return host.transfer(command.id);
    case "evict":
      return host.evict(command.id);
    case "quit":
      return acting.leave();
    case "wrong":
      return acting.refuse(command.message);
  }
}

async function showPast(
  { host, face }: Acting,
  title: string,
  count: number,
  wanted: (message: DeliveredMessage) => boolean,
): Promise<void> {
  try {
    const messages = await lastMessages(host, count, wanted);
    face.excerpt(`${title}: ${messages.length === 0 ? "nothing" : counted(messages.length, "message")}`, messages);
  } catch (error) {
    // Nobody waits for the answer of a peer that stops.
    if (!(error instanceof HostError)) throw error;
  }
}

function contains({ user, payload }: DeliveredMessage, text: string): boolean {
  const small = text.toLowerCase();
  return payload.toLowerCase().includes(small) || user.toLowerCase().includes(small);
}

function join(room: string, acting: Acting): Promise<void> | void {
  const { rooms, notice, history } = acting;
  if (rooms.active === room) return notice("room", `you talk in ${room} already`);
  const shown = rooms.shows(room);
  rooms.join(room);
  notice("room", `you talk in ${room} now`);
  if (!shown && history > 0) return showPast(acting, `history of ${room}`, history, (m) => m.room_id === room);
}

function leaveRoom(room: string, { rooms, notice, refuse }: Acting): void {
  if (!rooms.shows(room)) return refuse(`you are not in ${room}: /rooms lists them`);
  if (!rooms.leave(room)) return refuse(`${room} is the only room you are in: /join another one first, or /quit`);
  notice("room", `you left ${room}, and talk in ${rooms.active} now`);
}

async function save(file: string, { host, rooms, notice, refuse }: Acting): Promise<void> {
  const room = rooms.active;
  const saved = await saveRoom(host, room, file);
  if (saved.ok) notice("saved", `${counted(saved.count, "message")} of ${room} saved in ${saved.path}`);
  else refuse(`the history of ${room} was not saved: ${saved.message}`);
}
