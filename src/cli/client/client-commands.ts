/** `connect`, `send`, `tail` and `status`: commands that use a peer running somewhere. */
import { standardStream } from "../../adapters/standard-stream.ts";
import type { Address } from "../../core/address.ts";
import { ClientHost } from "../../host/client/client-host.ts";
import { refuseText } from "../../host/net/admission.ts";
import { isInvitation } from "../../wire/invitation.ts";
import { talk } from "../chat/talk.ts";
import { onSignals } from "../process/signals.ts";
import { standardInput } from "../process/standard-input.ts";
import { keptCredentials, OWN_DIRECTORY, TOKEN_FILE } from "../trust/credentials.ts";
import { givenInvitation, understood } from "../trust/invited.ts";
import { type Visit, visitGiven, visitWith } from "../trust/visit.ts";
import type { Command } from "../usage/command.ts";
import { address, name, UsageError } from "../usage/flag-values.ts";
import { INVITE_VARIABLE } from "../usage/secrets.ts";
import type { Settings } from "../usage/settings.ts";
import {
  CONNECT_FLAGS,
  machineName,
  readConnect,
  readName,
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
  about: [
    `Of a secured cluster it needs an invitation, once: it asks for it, or takes it from --invite-file or ${INVITE_VARIABLE}. What it gets for it is kept (--token-file says where), and used the next time.`,
    "Without an address, in a terminal, it asks for what it needs.",
  ],
  flags: CONNECT_FLAGS,
  examples: [{ command: "chatpeer connect 10.0.0.1:6001 --name bob", what: "As bob, in the room general" }],
  exits: { 0: "left in good order", 1: "it could not go on: stderr says why", [INTERRUPTED]: "interrupted" },
  async run({ settings, words, err }) {
    const { visitInvited } = await import("../trust/redeem.ts");
    const invitation = await givenInvitation(settings, "client");
    if (invitation !== null) return connectFirst(settings, await visitInvited(settings, invitation, err));
    const kept = words.length === 0 && !isGiven(settings) ? keptCredentials() : null;
    if (kept !== null) return connect(settings, await visitWith(kept, null));
    if (words.length > 0 || isGiven(settings) || settings.on("json") || !isPerson())
      return connect(settings, await visitGiven("connect", settings, words));
    const answers = await askConnect(settings);
    if (answers === null) return INTERRUPTED;
    const [way = "", userName = ""] = answers;
    const named = settings.with(new Map([["name", [userName]]]));
    if (!isInvitation(way)) return connect(named, await visitGiven("connect", named, [way]));
    return connectFirst(named, await visitInvited(named, understood("this", way, "client"), err));
  },
};

export const SEND: Command = {
  name: "send",
  words: "[HOST:PORT] [TEXT|-]",
  purpose: "send one message, and wait until it is sent",
  flags: SEND_FLAGS,
  examples: [
    { command: 'chatpeer send 10.0.0.1:6001 "the build is done"', what: "One message" },
    {
      command: 'chatpeer send --token-file ./cron.token "done"',
      what: "In a secured cluster, with a token of one's own",
    },
    { command: "uptime | chatpeer send 10.0.0.1:6001 -", what: "The text of standard input" },
  ],
  exits: {
    0: "it is sent: durable on a majority",
    1: "it was not taken: stderr says why",
    3: "not known by --timeout, or the peer died first: stderr says which",
  },
  async run({ settings, words, err }) {
    const { options, text: typed, where } = readSend(settings, words);
    const { readMessage, send } = await import("./one-shot.ts");
    const { ports, addresses, name: own } = await visitGiven("send", settings, where);
    const text = typed ?? (await readMessage(process.stdin));
    const refused = refuseText(options.room, text);
    if (refused !== null) throw new UsageError(refused.message);
    const name = own ?? options.name ?? readName(settings);
    return send(ports, { ...options, name, address: addresses[0] as Address, text }, err);
  },
};

export const TAIL: Command = {
  name: "tail",
  words: "[HOST:PORT]",
  purpose: "print messages of a room: the last ten, or those since a number",
  flags: TAIL_FLAGS,
  examples: [
    { command: "chatpeer tail 10.0.0.1:6001 --follow --json", what: "For a program, with new messages as they come" },
  ],
  exits: { 0: "printed", 1: "the peer cannot be reached, or is lost: stderr says why" },
  async run({ settings, words, out, err, paint }) {
    const { tail } = await import("./one-shot.ts");
    const { ports, ...where } = await visitGiven("tail", settings, words);
    return tail(ports, { ...where, ...readTail(settings) }, out, err, paint, onSignals);
  },
};

export const STATUS: Command = {
  name: "status",
  words: "[HOST:PORT]",
  purpose: "say how a peer and its cluster are",
  flags: STATUS_FLAGS,
  examples: [
    { command: "chatpeer status 10.0.0.1:6001 --json", what: "For a program" },
    { command: "chatpeer status --data-dir ./data/peer1", what: "Of a secured cluster, on the machine of a peer" },
  ],
  exits: { 0: "told", 1: "no answer: stderr says why" },
  async run({ settings, words, out, err }) {
    const { status } = await import("./one-shot.ts");
    const { ports, addresses } = await visitGiven("status", settings, words);
    return status(ports, { address: addresses[0] as Address, ...readStatus(settings) }, out, err);
  },
};

function connectFirst(settings: Settings, visit: Visit | null): number | Promise<number> {
  return visit === null ? 1 : connect(settings, visit);
}

function connect(settings: Settings, { ports, addresses, access, name: own }: Visit): Promise<number> {
  const { receipts, talk: options } = readConnect(settings, own);
  const { name, room } = options;
  const shared = { addresses, name, room, since: null, receipts, follow: true };
  return talk(
    ports.clock,
    (listener) => new ClientHost(ports, access === null ? shared : { ...shared, access }, listener),
    { ...options, senderId: null },
    { input: standardInput(), output: standardStream(1), error: standardStream(2) },
    onSignals,
  );
}

/** What lets one in is. */
function isGiven(settings: Settings): boolean {
  return settings.given(TOKEN_FILE.name) || settings.given(OWN_DIRECTORY.name);
}

function isPerson(): boolean {
  return process.stdin.isTTY === true && standardStream(1).isTTY === true;
}

async function askConnect(settings: Settings): Promise<readonly string[] | null> {
  const { ask } = await import("../process/ask.ts");
  return ask(
    [
      {
        text: "An invitation (it is not shown); or HOST:PORT, a peer of a plain cluster",
        propose: () => "127.0.0.1:6001",
        check: (answer) =>
          isInvitation(answer) ? understood("this", answer, "client") : address("the address", answer),
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
