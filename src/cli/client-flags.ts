/** Flags of the commands that use a peer running somewhere: `connect`, `send`, `tail`, `status`. */
import { userInfo } from "node:os";
import type { CAC } from "cac";
import type { Address } from "../host/peer-search.ts";
import type { TalkOptions } from "./chat.ts";
import { address, duration, name, rawFlag, UsageError, wholeNumber } from "./flags.ts";
import type { SendOptions, TailOptions } from "./one-shot.ts";

type Text = Omit<SendOptions, "text">;

export const CLIENT_COMMANDS = ["connect", "send", "tail", "status"] as const;

export function defineClients(cli: CAC): void {
  const room = (command: ReturnType<CAC["command"]>) =>
    command.option("--room <room>", "The room", { default: "general" });
  room(cli.command("connect <host:port>", "Chat through a peer that runs somewhere, without a log of your own"))
    .option("--name <name>", "Your name (default: the user's name on this machine)")
    .option("--json", "One JSON object per line on stdout; lines of stdin are messages or /commands")
    .option("--history <n>", "Messages shown at the start in a terminal", { default: 20 })
    .option("--no-receipts", "Tell nobody what you have read");
  room(
    cli.command("send <host:port> [text]", "Send one message (- or nothing: standard input) and wait until it is sent"),
  )
    .option("--name <name>", "Who says it (default: the user's name on this machine)")
    .option("--timeout <time>", "Exit code 3 if it is not known to be sent by then", { default: "10s" });
  room(cli.command("tail <host:port>", "Print messages: the last ten, or those since a number"))
    .option("--since <n>", "From this number (seq_no) on")
    .option("--follow", "Go on with what is said from now on")
    .option("--json", "One JSON object per message");
  cli
    .command("status <host:port>", "How a peer and its cluster are")
    .option("--json", "One JSON object")
    .option("--timeout <time>", "Exit code 1 without an answer by then", { default: "5s" });
}

export function readConnect(args: readonly string[], words: readonly string[], switches: ReadonlySet<string>) {
  const json = switches.has("json");
  const mode = json ? "json" : process.stdin.isTTY === true ? "terminal" : "pipe";
  const talk: TalkOptions = {
    name: readName(args),
    room: name("--room", rawFlag(args, "room") ?? "general"),
    dataDir: null,
    mode,
    headless: false,
    history: wholeNumber("--history", rawFlag(args, "history") ?? "20", 0, 500),
    logLevel: "off",
    logFormat: "text",
  };
  return { address: only("connect", words), talk, receipts: !switches.has("no-receipts") };
}

/** The text is null where standard input holds it. */
export function readSend(args: readonly string[], words: readonly string[]): { options: Text; text: string | null } {
  const [where, text, ...rest] = words;
  if (where === undefined || rest.length > 0)
    throw new UsageError('send needs an address and one text: chatpeer send 127.0.0.1:6001 "some words"');
  const fromInput = text === undefined || text === "-";
  if (text === undefined && process.stdin.isTTY === true)
    throw new UsageError("send needs a text, or - to read it from standard input");
  if (text === "") throw new UsageError("an empty message is not sent");
  const options = {
    address: address("the address", where),
    room: name("--room", rawFlag(args, "room") ?? "general"),
    name: readName(args),
    timeoutMs: duration("--timeout", rawFlag(args, "timeout") ?? "10s"),
  };
  return { options, text: fromInput ? null : text };
}

export function readTail(
  args: readonly string[],
  words: readonly string[],
  switches: ReadonlySet<string>,
): TailOptions {
  const since = rawFlag(args, "since");
  return {
    address: only("tail", words),
    room: name("--room", rawFlag(args, "room") ?? "general"),
    since: since === undefined ? null : wholeNumber("--since", since, 1, 999_999_999_999_999),
    follow: switches.has("follow"),
    json: switches.has("json"),
  };
}

export function readStatus(args: readonly string[], words: readonly string[], switches: ReadonlySet<string>) {
  const timeoutMs = duration("--timeout", rawFlag(args, "timeout") ?? "5s");
  return { address: only("status", words), json: switches.has("json"), timeoutMs };
}

function only(command: string, words: readonly string[]): Address {
  if (words.length !== 1) throw new UsageError(`${command} needs one address: chatpeer ${command} 127.0.0.1:6001`);
  return address("the address", words[0] as string);
}

function readName(args: readonly string[]): string {
  const given = rawFlag(args, "name");
  if (given !== undefined) return name("--name", given);
  try {
    return name("the user's name", userInfo().username);
  } catch {
    throw new UsageError("--name is needed: this machine knows no name of yours");
  }
}

/** Whether the command that was matched is one of these. */
export function isClientCommand(command: string | undefined): command is (typeof CLIENT_COMMANDS)[number] {
  return (CLIENT_COMMANDS as readonly (string | undefined)[]).includes(command);
}
