/** Flags of the commands that use a peer running somewhere: `connect`, `send`, `tail`, `status`, and how they are read. */
import { readFileSync } from "node:fs";
import { userInfo } from "node:os";
import type { Address } from "../../core/address.ts";
import { BELLS, CHAT_FLAGS, readHistory, readMode } from "../chat/chat-options.ts";
import type { TalkOptions } from "../chat/talk-options.ts";
import type { Flag } from "../usage/flag.ts";
import { address, duration, name, UsageError } from "../usage/flag-values.ts";
import type { Settings } from "../usage/settings.ts";
import type { SendOptions, TailOptions } from "./one-shot.ts";

type Text = Omit<SendOptions, "text">;

export interface Connect {
  readonly address: Address;
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

/** Flags that mean the same as to a peer. */
const AS_PEERS = ["json", "history", "bell", "no-receipts"];

export const CONNECT_FLAGS: readonly Flag[] = [
  NAME,
  ROOM,
  ...CHAT_FLAGS.filter((flag) => AS_PEERS.includes(flag.name)),
];
export const SEND_FLAGS: readonly Flag[] = [
  ROOM,
  NAME,
  { name: "timeout", value: "TIME", what: "Exit code 3 if the message is not known to be sent by then", preset: "10s" },
];
export const TAIL_FLAGS: readonly Flag[] = [
  ROOM,
  { name: "since", value: "N", what: "From this number (seq_no) on", otherwise: "the last ten" },
  { name: "follow", value: null, what: "Go on with new messages" },
  { name: "json", value: null, what: "One JSON object per message" },
];
export const STATUS_FLAGS: readonly Flag[] = [
  { name: "json", value: null, what: "One JSON object" },
  { name: "timeout", value: "TIME", what: "Exit code 1 without an answer by then", preset: "5s" },
];

export function readConnect(settings: Settings, words: readonly string[]): Connect {
  return {
    address: only("connect", words),
    receipts: !settings.on("no-receipts"),
    talk: {
      name: readName(settings),
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

/** The text is null where standard input holds it. */
export function readSend(settings: Settings, words: readonly string[]): { options: Text; text: string | null } {
  const [where, text, ...rest] = words;
  if (where === undefined || rest.length > 0)
    throw new UsageError('send needs an address and one text: chatpeer send 127.0.0.1:6001 "some words"');
  const fromInput = text === undefined || text === "-";
  if (text === undefined && process.stdin.isTTY === true)
    throw new UsageError("send needs a text, or - to read it from standard input");
  const options = {
    address: address("the address", where),
    room: readRoom(settings),
    name: readName(settings),
    timeoutMs: readTimeout(settings),
  };
  return { options, text: fromInput ? null : text };
}

export function readTail(settings: Settings, words: readonly string[]): TailOptions {
  return {
    address: only("tail", words),
    room: readRoom(settings),
    since: settings.number("since", 1, SEQ_NO_MAX) ?? null,
    follow: settings.on("follow"),
    json: settings.on("json"),
  };
}

export function readStatus(settings: Settings, words: readonly string[]) {
  return { address: only("status", words), json: settings.on("json"), timeoutMs: readTimeout(settings) };
}

function only(command: string, words: readonly string[]): Address {
  if (words.length !== 1) throw new UsageError(`${command} needs one address: chatpeer ${command} 127.0.0.1:6001`);
  return address("the address", words[0] as string);
}

function readRoom(settings: Settings): string {
  return name(settings.label("room"), settings.text("room") as string);
}

function readTimeout(settings: Settings): number {
  return duration("--timeout", settings.text("timeout") as string);
}

function readName(settings: Settings): string {
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
