/** Flags of the commands that use a peer running somewhere: `connect`, `send`, `tail`, `status`, and how they are read. */
import { readFileSync } from "node:fs";
import { userInfo } from "node:os";
import { BELLS, CHAT_FLAGS, readHistory, readMode } from "../chat/chat-options.ts";
import type { TalkOptions } from "../chat/talk-options.ts";
import { OWN_DIRECTORY, TOKEN_FILE } from "../trust/credentials.ts";
import { INVITE_FILE } from "../trust/invited.ts";
import type { Flag } from "../usage/flag.ts";
import { duration, name, UsageError } from "../usage/flag-values.ts";
import type { Settings } from "../usage/settings.ts";
import type { SendOptions, TailOptions } from "./one-shot.ts";

type Text = Omit<SendOptions, "text" | "address" | "name"> & { readonly name: string | null };

export interface Connect {
  /** The others are told what was read. */
  readonly receipts: boolean;
  readonly talk: TalkOptions;
}

const SEQ_NO_MAX = 999_999_999_999_999;

const ROOM: Flag = { name: "room", value: "ROOM", what: "The room", preset: "general", setting: "text" };
const NAME: Flag = {
  name: "name",
  value: "NAME",
  what: "Your name, shown with your messages",
  otherwise: "the user's name on this machine",
  setting: "text",
};

/** What lets one into a secured cluster. */
const WAYS_IN = [TOKEN_FILE, OWN_DIRECTORY];
/** Flags that mean the same as to a peer. */
const AS_PEERS = ["json", "history", "bell", "no-receipts"];

export const CONNECT_FLAGS: readonly Flag[] = [
  INVITE_FILE,
  ...WAYS_IN,
  NAME,
  ROOM,
  ...CHAT_FLAGS.filter((flag) => AS_PEERS.includes(flag.name)),
];
export const SEND_FLAGS: readonly Flag[] = [
  ...WAYS_IN,
  ROOM,
  NAME,
  { name: "timeout", value: "TIME", what: "Exit code 3 if the message is not known to be sent by then", preset: "10s" },
];
export const TAIL_FLAGS: readonly Flag[] = [
  ...WAYS_IN,
  ROOM,
  { name: "since", value: "N", what: "From this number (seq_no) on", otherwise: "the last ten" },
  { name: "follow", value: null, what: "Go on with new messages" },
  { name: "json", value: null, what: "One JSON object per message" },
];
export const STATUS_FLAGS: readonly Flag[] = [
  ...WAYS_IN,
  { name: "json", value: null, what: "One JSON object" },
  { name: "timeout", value: "TIME", what: "Exit code 1 without an answer by then", preset: "5s" },
];

/** `name`: that of the token. */
export function readConnect(settings: Settings, name: string | null): Connect {
  return {
    receipts: !settings.on("no-receipts"),
    talk: {
      name: name ?? readName(settings),
      room: readRoom(settings),
      dataDir: null,
      mode: readMode(settings, false),
      headless: false,
      prints: true,
      history: readHistory(settings),
      bell: settings.choice("bell", BELLS) ?? "mention",
      logLevel: "off",
      logFormat: "text",
    },
  };
}

export interface Sending {
  readonly options: Text;
  /** null where standard input holds it. */
  readonly text: string | null;
  /** The words before the text. */
  readonly where: readonly string[];
}

export function readSend(settings: Settings, words: readonly string[]): Sending {
  // A token says where its peers are.
  const knowsWhere = WAYS_IN.some(({ name }) => settings.given(name));
  const where = words.slice(0, knowsWhere ? words.length - 1 : 1);
  const [text, ...rest] = words.slice(where.length);
  if ((where.length === 0 && !knowsWhere) || where.length > 1 || rest.length > 0)
    throw new UsageError('send needs an address and one text: chatpeer send 127.0.0.1:6001 "some words"');
  const fromInput = text === undefined || text === "-";
  if (text === undefined && process.stdin.isTTY === true)
    throw new UsageError("send needs a text, or - to read it from standard input");
  const options = {
    room: readRoom(settings),
    name: settings.given("name") ? readName(settings) : null,
    timeoutMs: readTimeout(settings),
  };
  return { options, text: fromInput ? null : text, where };
}

export function readTail(settings: Settings): Omit<TailOptions, "addresses" | "access"> {
  return {
    room: readRoom(settings),
    since: settings.number("since", 1, SEQ_NO_MAX) ?? null,
    follow: settings.on("follow"),
    json: settings.on("json"),
  };
}

export function readStatus(settings: Settings) {
  return { json: settings.on("json"), timeoutMs: readTimeout(settings) };
}

function readRoom(settings: Settings): string {
  return name(settings.label("room"), settings.text("room") as string);
}

function readTimeout(settings: Settings): number {
  return duration("--timeout", settings.text("timeout") as string);
}

export function readName(settings: Settings): string {
  const given = settings.text("name");
  if (given !== undefined) return name(settings.label("name"), given);
  const own = machineName();
  if (own === null) throw new UsageError("--name is needed: this machine knows no name of yours");
  return own;
}

/** What the user is called on this machine, if that can be a name. */
export function machineName(): string | null {
  try {
    const known = userInfo().username;
    // Bun knows nothing but $USER, which is not set in containers or under cron.
    return name("the user's name", known === "unknown" ? accountName() : known);
  } catch {
    return null;
  }
}

/** Throws where there are no such accounts. */
function accountName(): string {
  const accounts = readFileSync("/etc/passwd", "utf8")
    .split("\n")
    .map((line) => line.split(":"));
  return accounts.find(([, , id]) => id === `${process.getuid?.()}`)?.[0] ?? "";
}
