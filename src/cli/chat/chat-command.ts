/** `chatpeer --id N …`, the command without a name: start a peer and chat. */
import { platformPorts } from "../../adapters/platform.ts";
import { standardStream } from "../../adapters/standard-stream.ts";
import type { Invitation } from "../../wire/invitation.ts";
import { isUnspecified } from "../process/addresses.ts";
import type { Output } from "../process/output.ts";
import { onSignals } from "../process/signals.ts";
import { standardInput } from "../process/standard-input.ts";
import { givenInvitation } from "../trust/invited.ts";
import { idsTaken } from "../trust/look.ts";
import { withPlace } from "../trust/own-place.ts";
import type { Command } from "../usage/command.ts";
import { CommandLine } from "../usage/command-line.ts";
import { UsageError } from "../usage/flag-values.ts";
import type { Settings } from "../usage/settings.ts";
import { CHAT_FLAGS, readChatOptions } from "./chat-options.ts";
import { runChat } from "./talk.ts";
import type { ChatOptions } from "./talk-options.ts";

const INTERRUPTED = 130;

export const CHAT: Command = {
  name: "",
  words: "",
  purpose: "start a peer and chat",
  about: [
    "Without arguments, in a terminal, it asks for what it needs. Every flag can also be set by an environment variable (--data-dir is CHATPEER_DATA_DIR) or in a file (--config); flags win over the environment, and that over the file.",
    "Lines that are typed are messages; in the chat, /help lists the commands.",
  ],
  flags: CHAT_FLAGS,
  examples: [
    { command: "chatpeer --id 1", what: "The first peer founds a cluster" },
    { command: "chatpeer --id 2 --name bob --seed 1:127.0.0.1:6001", what: "The others join through any peer" },
    {
      command: "chatpeer --id 1 --host 10.0.0.1",
      what: "Beyond loopback it founds a secured one; others need an invitation",
    },
    { command: "chatpeer --config docs/node1.yml --headless", what: "Only be a member, set by a file" },
  ],
  exits: {
    0: "it left in good order",
    1: "it could not start, or had to stop: stderr says why and what to do",
    [INTERRUPTED]: "interrupted at the questions, or a second time while leaving",
  },
  async run({ settings, words, err }) {
    if (words.length > 0) throw new UsageError(`${JSON.stringify(words[0])} is no flag (a command would stand first)`);
    const invitation = await givenInvitation(settings, "member");
    if (invitation !== null) return chatInvited(settings, invitation, err);
    if (!mayAsk(settings)) return chat(readChatOptions(settings), err);
    const { askPeer } = await import("../process/ask-peer.ts");
    const answers = await askPeer(settings, process.stdin, standardStream(1));
    if (answers === null) return INTERRUPTED;
    const answered = settings.with(new CommandLine([CHAT]).read(answers.flags).flags);
    return chat(readChatOptions(answered, answers.invitation), err);
  },
};

/** Joins, or goes on where it has joined already. Throws UsageError. */
export async function chatInvited(settings: Settings, invitation: Invitation, err: Output): Promise<number> {
  const placed = await withPlace(settings, invitation, () => idsTaken(invitation));
  const options = readChatOptions(placed, invitation);
  if (!settings.given("id") && !options.headless)
    err.line(`chatpeer: this is peer ${options.id}; next time: chatpeer --id ${options.id} --host ${options.host}`);
  return chat(options, err);
}

/** A person is at the terminal, and something that is needed was not given. */
function mayAsk(settings: Settings): boolean {
  const scripted = settings.given("id") || settings.on("headless") || settings.on("json");
  return !scripted && process.stdin.isTTY === true && standardStream(1).isTTY === true;
}

function chat(options: ChatOptions, err: Output): Promise<number> {
  if (isUnspecified(options.host) && options.advertise !== null)
    err.line(`chatpeer: the others are told to dial ${options.advertise.host}:${options.advertise.port} (--advertise)`);
  return runChat(
    platformPorts(options.dataDir),
    options,
    { input: standardInput(), output: standardStream(1), error: standardStream(2) },
    onSignals,
  );
}
