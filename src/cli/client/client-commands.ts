/** `connect`, `send`, `tail` and `status`: commands that use a peer running somewhere. */
import { platformVisit } from "../../adapters/platform.ts";
import { standardStream } from "../../adapters/standard-stream.ts";
import { ClientHost } from "../../host/client/client-host.ts";
import { refuseText } from "../../host/net/admission.ts";
import { talk } from "../chat/talk.ts";
import { onSignals } from "../process/signals.ts";
import type { Command } from "../usage/command.ts";
import { address, name, UsageError } from "../usage/flag-values.ts";
import type { Settings } from "../usage/settings.ts";
import {
  CONNECT_FLAGS,
  machineName,
  readConnect,
  readSend,
  readStatus,
  readTail,
  SEND_FLAGS,
  STATUS_FLAGS,
  TAIL_FLAGS,
} from "./client-flags.ts";

const INTERRUPTED = 130;

export const CONNECT: Command = {
  name: "connect",
  words: "[HOST:PORT]",
  purpose: "chat through a peer that runs somewhere, without a log of your own",
  about: ["Without an address, in a terminal, it asks for what it needs."],
  flags: CONNECT_FLAGS,
  examples: [{ command: "chatpeer connect 10.0.0.1:6001 --name bob", what: "As bob, in the room general" }],
  exits: { 0: "left in good order", 1: "it could not go on: stderr says why", [INTERRUPTED]: "interrupted" },
  async run({ settings, words }) {
    if (words.length > 0 || settings.on("json") || process.stdin.isTTY !== true || standardStream(1).isTTY !== true)
      return connect(settings, words);
    const answers = await askConnect(settings);
    if (answers === null) return INTERRUPTED;
    const [where = "", userName = ""] = answers;
    return connect(settings.with(new Map([["name", [userName]]])), [where]);
  },
};

export const SEND: Command = {
  name: "send",
  words: "HOST:PORT [TEXT|-]",
  purpose: "send one message, and wait until it is sent",
  flags: SEND_FLAGS,
  examples: [
    { command: 'chatpeer send 10.0.0.1:6001 "the build is done"', what: "One message" },
    { command: "uptime | chatpeer send 10.0.0.1:6001 -", what: "The text of standard input" },
  ],
  exits: {
    0: "it is sent: durable on a majority",
    1: "it was not taken: stderr says why",
    3: "not known by --timeout, or the peer died first: stderr says which",
  },
  async run({ settings, words, err }) {
    const { options, text: typed } = readSend(settings, words);
    const { readMessage, send } = await import("./one-shot.ts");
    const text = typed ?? (await readMessage(process.stdin));
    const refused = refuseText(options.room, text);
    if (refused !== null) throw new UsageError(refused.message);
    return send(platformVisit(), { ...options, text }, err);
  },
};

export const TAIL: Command = {
  name: "tail",
  words: "HOST:PORT",
  purpose: "print messages of a room: the last ten, or those since a number",
  flags: TAIL_FLAGS,
  examples: [
    { command: "chatpeer tail 10.0.0.1:6001 --follow --json", what: "For a program, with new messages as they come" },
  ],
  exits: { 0: "printed", 1: "the peer cannot be reached, or is lost: stderr says why" },
  async run({ settings, words, out, err, paint }) {
    const { tail } = await import("./one-shot.ts");
    return tail(platformVisit(), readTail(settings, words), out, err, paint, onSignals);
  },
};

export const STATUS: Command = {
  name: "status",
  words: "HOST:PORT",
  purpose: "say how a peer and its cluster are",
  flags: STATUS_FLAGS,
  examples: [{ command: "chatpeer status 10.0.0.1:6001 --json", what: "For a program" }],
  exits: { 0: "told", 1: "no answer: stderr says why" },
  async run({ settings, words, out, err }) {
    const { status } = await import("./one-shot.ts");
    return status(platformVisit(), readStatus(settings, words), out, err);
  },
};

function connect(settings: Settings, words: readonly string[]): Promise<number> {
  const { address: where, receipts, talk: options } = readConnect(settings, words);
  const { name, room } = options;
  const { clock, network } = platformVisit();
  return talk(
    clock,
    (listener) =>
      new ClientHost(
        { clock, network },
        { addresses: [where], name, room, since: null, receipts, follow: true },
        listener,
      ),
    { ...options, senderId: null },
    { input: process.stdin, output: standardStream(1), error: standardStream(2) },
    onSignals,
  );
}

async function askConnect(settings: Settings): Promise<readonly string[] | null> {
  const { ask } = await import("../process/ask.ts");
  return ask(
    [
      {
        text: "Address of a peer, HOST:PORT",
        propose: () => "127.0.0.1:6001",
        check: (answer) => address("the address", answer),
      },
      {
        text: "Your name",
        propose: () => settings.text("name") ?? machineName(),
        check: (answer) => name("the name", answer),
      },
    ],
    process.stdin,
    standardStream(1),
  );
}
