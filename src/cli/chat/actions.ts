/** What commands do: each asks the peer or the rooms, and answers through the face. */
import type { ErrorCode, NoticeCode } from "../../core/codes.ts";
import type { Told } from "../../core/reports.ts";
import { lastMessages } from "../../host/answers/pages.ts";
import type { Clock } from "../../host/contracts.ts";
import type { DeliveredMessage } from "../../host/events.ts";
import type { OwnQuestion, Service } from "../../host/service.ts";
import type { Face } from "../faces/face.ts";
import { Pace } from "../process/pace.ts";
import { confirmationLines, counted, memberRows, roomLines, statusLines, whoRows } from "../screen/answer-rows.ts";
import { visible } from "../screen/visible.ts";
import { accessRows, invitationRows } from "../trust/access-rows.ts";
import type { Order } from "../trust/order.ts";
import { type Asking, Unanswered } from "./asking.ts";
import type { Rooms } from "./chat-rooms.ts";
import type { Readers } from "./readers.ts";
import { saveRoom } from "./save-room.ts";
import { type Command, HELP, KEYS_HELP } from "./slash-commands.ts";

export interface Acting {
  readonly service: Service;
  readonly clock: Clock;
  readonly asking: Asking;
  readonly rooms: Rooms;
  readonly readers: Readers;
  readonly face: Face;
  /** There are keys to explain. */
  readonly keyboard: boolean;
  /** Messages that are shown of a room that is joined. */
  readonly history: number;
  notice(code: NoticeCode, message: string): void;
  refuse(message: string, code?: ErrorCode): void;
  renamed(name: string): void;
  /** Messages of one room were shown. */
  shown(messages: readonly DeliveredMessage[]): void;
  leave(): void;
}

/** Does every command but saying something. What takes a while gives a promise, which is never rejected. */
export function act(command: Exclude<Command, { do: "say" }>, acting: Acting): Promise<void> | void {
  const { service, rooms, face } = acting;
  switch (command.do) {
    case "status":
    case "peers": {
      const status = service.status();
      return face.answer([status], command.do === "status" ? statusLines(status) : memberRows(status));
    }
    case "rooms":
      return face.answer([{ event: "rooms", rooms: rooms.all }], roomLines(rooms.all));
    case "help":
      return help(acting);
    case "who":
      return asked(acting, { what: "who" }, (told) => {
        if (told.event === "who") face.answer([told], whoRows(told.people));
      });
    case "nick":
      return asked(acting, { what: "nick", user: command.name }, (told) => {
        acting.renamed(command.name);
        if (told.event === "notice") face.event(told);
      });
    case "confirmations":
      return asked(acting, { what: "confirmations", room_id: rooms.active }, (told) => {
        if (told.event !== "confirmations") return;
        const readers = told.readers.filter((r) => r.through >= (command.seqNo ?? 0));
        face.answer([{ ...told, readers }], confirmationLines({ ...told, readers }, command.seqNo));
      });
    case "read":
      return read(command.seqNo, acting);
    case "history":
      return showPast(acting, rooms.active, command.count, command.text);
    case "join":
      return join(command.room, acting);
    case "leave":
      return leaveRoom(command.room ?? rooms.active, acting);
    case "save":
      return save(command.file, acting);
    case "transfer":
      return service.transfer(command.id);
    case "evict":
      return service.evict(command.id);
    case "secure":
      if (service.secure === undefined) return acting.refuse("a client cannot secure a cluster: say so on a peer");
      return service.secure();
    case "invite":
      return invite(command.order, acting);
    case "revoke":
      return asked(acting, { what: "revoke", name: command.name }, (told) => {
        if (told.event === "notice") face.event(told);
      });
    case "access":
      return asked(acting, { what: "access" }, (told) => {
        if (told.event === "access") face.answer([told], accessRows(told, acting.clock.wall()));
      });
    case "quit":
      return acting.leave();
    case "wrong":
      return acting.refuse(command.message);
  }
}

function help({ face, keyboard }: Acting): void {
  const lines = keyboard ? [...HELP, ...KEYS_HELP] : HELP;
  face.answer(
    lines.map((message) => ({ event: "notice", code: "help", message })),
    lines,
  );
}

async function asked(
  { asking, refuse }: Acting,
  question: OwnQuestion,
  done: (told: Told) => void | Promise<void>,
): Promise<void> {
  try {
    const told = await asking.ask(question);
    if (told.event === "error") refuse(told.message, told.code);
    else await done(told);
  } catch (error) {
    unwaited(error);
  }
}

async function invite({ qr, lifeMs, ...order }: Order, acting: Acting): Promise<void> {
  const { face, clock } = acting;
  await asked(acting, { what: "invite", ...order, expires: clock.wall() + lifeMs }, async (told) => {
    if (told.event !== "invitation") return;
    const code = qr ? await (await import("../trust/qr.ts")).qrRows(told.invitation, (row) => row) : [];
    face.answer([told], [...invitationRows(told, clock.wall()), ...code]);
  });
}

async function showPast(acting: Acting, room: string, count: number, text = ""): Promise<void> {
  const { asking, readers, service, face } = acting;
  try {
    const messages = await lastMessages(asking, { room, through: service.delivered }, count, text);
    const told = await asking.ask({ what: "confirmations", room_id: room });
    if (told.event === "confirmations") readers.onConfirmations(told);
    const title = `history of ${room}${text === "" ? "" : ` with ${JSON.stringify(text)}`}`;
    face.excerpt(
      room,
      `${title}: ${messages.length === 0 ? "nothing" : counted(messages.length, "message")}`,
      messages,
    );
    if (text === "") acting.shown(messages);
  } catch (error) {
    unwaited(error);
  }
}

/** A peer that has stopped gives no answer, and that is no fault. */
function unwaited(error: unknown): void {
  if (!(error instanceof Unanswered)) throw error;
}

function join(room: string, acting: Acting): Promise<void> | void {
  const { rooms, notice, refuse, history } = acting;
  if (rooms.active === room) return notice("room", `you talk in ${room} already`);
  const shown = rooms.shows(room);
  if (!rooms.join(room)) return refuse(`${room} cannot be joined: /leave some of your rooms first`);
  notice("room", `you talk in ${room} now`);
  if (!shown && history > 0) return showPast(acting, room, history);
}

function read(seqNo: number, { service, rooms, notice, refuse }: Acting): void {
  const room = rooms.active;
  const last = rooms.all.find((r) => r.active)?.last_seq_no ?? 0;
  if (seqNo > last) return refuse(`${room} has no message ${seqNo} yet: its last one is ${last}`);
  service.confirmRead(room, seqNo);
  notice("read", `${room} is read through ${seqNo}`);
}

function leaveRoom(room: string, { rooms, notice, refuse }: Acting): void {
  if (!rooms.shows(room)) return refuse(`you are not in ${room}: /rooms lists them`);
  if (!rooms.leave(room)) return refuse(`${room} is the only room you are in: /join another one first, or /quit`);
  notice("room", `you left ${room}, and talk in ${rooms.active} now`);
}

async function save(file: string, { service, asking, rooms, face, notice, refuse }: Acting): Promise<void> {
  const room = rooms.active;
  const last = rooms.all.find((r) => r.active)?.last_seq_no ?? 0;
  const pace = new Pace(`saving ${visible(room)}`, "messages", performance.now());
  const onSaved = (count: number) => face.progress(pace.text(count, last, performance.now()));
  const saved = await saveRoom(asking, { room, through: service.delivered }, file, onSaved);
  face.progress(null);
  if (saved.ok) notice("saved", `${counted(saved.count, "message")} of ${room} saved in ${saved.path}`);
  else refuse(`the history of ${room} was not saved: ${saved.message}`);
}
