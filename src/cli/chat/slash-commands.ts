/** Lines that begin with a slash, at the terminal, through a pipe and in `--json` alike. A command is one row of the table. */
import { HISTORY_TEXT_CHARS_MAX, PEER_ID_MAX } from "../../core/config.ts";
import { nearest } from "../../nearest.ts";
import { type Order, orderFrom } from "../trust/order.ts";
import { name as readName, UsageError } from "../usage/flag-values.ts";

type Bare = "status" | "peers" | "who" | "rooms" | "access" | "secure" | "help" | "quit";

export type Command =
  | { readonly do: "say"; readonly text: string }
  | { readonly do: Bare }
  /** The last `count` messages; with a text, those that contain it. */
  | { readonly do: "history"; readonly count: number; readonly text: string }
  | { readonly do: "join"; readonly room: string }
  /** null: the room one talks in. */
  | { readonly do: "leave"; readonly room: string | null }
  | { readonly do: "nick"; readonly name: string }
  /** The people who have read one message, or (null) how far everybody has read. */
  | { readonly do: "confirmations"; readonly seqNo: number | null }
  | { readonly do: "read"; readonly seqNo: number }
  | { readonly do: "save"; readonly file: string }
  /** 0: the leader chooses. */
  | { readonly do: "transfer"; readonly id: number }
  | { readonly do: "evict"; readonly id: number }
  | { readonly do: "invite"; readonly order: Order }
  /** Of a token, or of an invitation. */
  | { readonly do: "revoke"; readonly name: string }
  | { readonly do: "wrong"; readonly message: string };

interface Row {
  readonly name: string;
  /** The argument as `/help` shows it; empty where there is none. */
  readonly argument: string;
  readonly explained: string;
  /** `argument` is "" where none is given. */
  read(argument: string): Command;
}

const HISTORY_COUNT = 20;
export const HISTORY_COUNT_MAX = 10_000;

const TABLE: readonly Row[] = [
  bare("status", "who leads, whether a majority is here, what waits"),
  bare("peers", "the members, where they are, how far behind"),
  bare("who", "who is here, when last heard, how far away and behind"),
  {
    ...{
      name: "/history",
      argument: "[N] [TEXT]",
      explained: `the last N messages (${HISTORY_COUNT}), or those with TEXT`,
    },
    read: readHistory,
  },
  bare("rooms", "all rooms, and what is unread in them"),
  {
    ...{ name: "/join", argument: "ROOM", explained: "talk in a room, and see what is said there" },
    read: (room) => withName("/join", room, "a room", "general", (known) => ({ do: "join", room: known })),
  },
  {
    ...{ name: "/leave", argument: "[ROOM]", explained: "see no more of a room (of this one), only count it" },
    read: (room) =>
      room === ""
        ? { do: "leave", room: null }
        : withName("/leave", room, "a room", "general", (known) => ({ do: "leave", room: known })),
  },
  {
    ...{ name: "/nick", argument: "NAME", explained: "take another name" },
    read: (name) => withName("/nick", name, "a name", "carol", (known) => ({ do: "nick", name: known })),
  },
  {
    ...{
      name: "/confirmations",
      argument: "[MESSAGE]",
      explained: "who has read how far here, or a message (its number)",
    },
    read: (number) => (number === "" ? { do: "confirmations", seqNo: null } : withNumber("confirmations", number)),
  },
  {
    ...{ name: "/read", argument: "MESSAGE", explained: "confirm that you have read through there" },
    read: (number) => withNumber("read", number),
  },
  {
    ...{ name: "/save", argument: "FILE", explained: "write this room's history to a new file, as text" },
    read: (file) => (file === "" ? wrong("/save needs a file, like /save chat.txt") : { do: "save", file }),
  },
  {
    ...{ name: "/transfer", argument: "[ID]", explained: "hand the lead to a peer (to the highest fit one)" },
    read: (id) => (id === "" ? { do: "transfer", id: 0 } : withPeer("transfer", id)),
  },
  {
    ...{ name: "/evict", argument: "ID", explained: "put a peer out, dead or alive; its id is free again" },
    read: (id) => withPeer("evict", id),
  },
  {
    ...{
      name: "/invite",
      argument: "member|client […]",
      explained: "let in: NAME, read|write|admin, uses N, for 24h, qr",
    },
    read: (argument) => checked(() => ({ do: "invite", order: orderFrom(argument) })),
  },
  bare("access", "who may come in: members' keys, tokens, invitations"),
  {
    ...{
      name: "/revoke",
      argument: "NAME",
      explained: "take back a token, or an invitation (see /access)",
    },
    read: (name) =>
      withName("/revoke", name, "the name of a token or an invitation", "bob", (known) => ({
        do: "revoke",
        name: known,
      })),
  },
  bare("secure", "make this plain cluster a secured one, for good"),
  bare("help", "these commands, and the keys"),
  bare("quit", "leave: hand over, say goodbye, go"),
];

/** The names that Tab completes. */
export const COMMAND_NAMES = TABLE.map((row) => row.name);

const USAGE_COLUMNS = 26;

/** Each command as it is typed, and what it does. */
export const COMMANDS_EXPLAINED: readonly (readonly [string, string])[] = [
  ...TABLE.map((row) => [`${row.name} ${row.argument}`.trimEnd(), row.explained] as const),
  ["//text", "say a text that begins with a slash"],
];

export const HELP = COMMANDS_EXPLAINED.map(([typed, explained]) => typed.padEnd(USAGE_COLUMNS) + explained);

/** What the keyboard does in the terminal, besides typing. */
export const KEYS_HELP = [
  "Tab completes; Up and Ctrl-R go back in what you said; Alt-Enter: a new line",
  "Ctrl-C clears the line, twice it quits; Ctrl-L clears the screen; Ctrl-Z stops",
];

export function readCommand(line: string): Command {
  if (!line.startsWith("/")) return { do: "say", text: line };
  if (line.startsWith("//")) return { do: "say", text: line.slice(1) };
  const { name = "", argument = "" } = /^(?<name>\S+)\s*(?<argument>[\s\S]*?)\s*$/.exec(line)?.groups ?? {};
  const row = TABLE.find((r) => r.name === name);
  if (row !== undefined) return row.read(argument);
  const close = nearest(name, COMMAND_NAMES);
  return wrong(
    `there is no command ${name}${close === null ? "" : `, did you mean ${close}?`} (/help lists them; // sends a text that begins with a slash)`,
  );
}

function bare(name: Bare, explained: string): Row {
  const read = (argument: string): Command => (argument === "" ? { do: name } : wrong(`/${name} takes no argument`));
  return { name: `/${name}`, argument: "", explained, read };
}

function readHistory(argument: string): Command {
  const { digits, text = "" } = /^(?<digits>[0-9]+(?!\S))?\s*(?<text>[\s\S]*)$/.exec(argument)?.groups ?? {};
  const count = digits === undefined ? HISTORY_COUNT : Number(digits);
  if (count < 1 || count > HISTORY_COUNT_MAX)
    return wrong(`/history needs a number from 1 to ${HISTORY_COUNT_MAX}, like /history 50, and not ${digits}`);
  if (text.length > HISTORY_TEXT_CHARS_MAX)
    return wrong(`/history looks for at most ${HISTORY_TEXT_CHARS_MAX} characters, not ${text.length}`);
  return { do: "history", count, text };
}

function withPeer(what: "transfer" | "evict", argument: string): Command {
  if (/\s/.test(argument)) return wrong(`/${what} takes at most one argument`);
  const id = /^[0-9]{1,6}$/.test(argument) ? Number(argument) : 0;
  if (id < 1 || id > PEER_ID_MAX) return wrong(`/${what} needs a peer id, like /${what} 2`);
  return { do: what, id };
}

function withNumber(what: "confirmations" | "read", argument: string): Command {
  const seqNo = /^[0-9]{1,15}$/.test(argument) ? Number(argument) : 0;
  return seqNo > 0 ? { do: what, seqNo } : wrong(`/${what} takes the number of a message, like /${what} 42`);
}

function withName(
  command: string,
  text: string,
  what: string,
  example: string,
  done: (name: string) => Command,
): Command {
  if (text === "") return wrong(`${command} needs ${what}, like ${command} ${example}`);
  return checked(() => done(readName(what, text)));
}

function checked(read: () => Command): Command {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    return wrong(error.message);
  }
}

function wrong(message: string): Command {
  return { do: "wrong", message };
}
