/** `chatpeer join`: with an invitation nothing else need be known. The id, the address and the directory are found. */
import { standardStream } from "../../adapters/standard-stream.ts";
import { CHAT, chatInvited } from "../chat/chat-command.ts";
import { CHAT_FLAGS } from "../chat/chat-options.ts";
import { machineName } from "../client/client-flags.ts";
import type { Question } from "../process/ask.ts";
import type { Command } from "../usage/command.ts";
import { name as readName, UsageError } from "../usage/flag-values.ts";
import { INVITE_VARIABLE } from "../usage/secrets.ts";
import type { Settings } from "../usage/settings.ts";
import { givenInvitation, invitationQuestion, understood } from "./invited.ts";

/** Flags that say what the invitation says, or the opposite of it. */
const NOT_OF_THE_INVITED = ["seed", "secure", "insecure"];
const INTERRUPTED = 130;

export const JOIN: Command = {
  name: "join",
  words: "",
  purpose: "join a secured cluster by an invitation, and chat",
  about: [
    `It asks for the invitation, or takes it from --invite-file or ${INVITE_VARIABLE}; it is never an argument. The id, the address and the directory are found where they are not given. A directory that has joined before goes on, and needs the invitation no more.`,
  ],
  flags: CHAT_FLAGS.filter(({ name }) => !NOT_OF_THE_INVITED.includes(name)),
  examples: [
    { command: "chatpeer join", what: "It asks for the invitation" },
    { command: "chatpeer join --invite-file ./invitation --headless", what: "A member without a keyboard" },
    { command: "chatpeer join --invite-file - < ./invitation", what: "From standard input" },
  ],
  exits: CHAT.exits,
  async run({ settings: own, words, err }) {
    const settings = own.of(CHAT_FLAGS);
    if (words.length > 0) throw new UsageError("join takes no words: it asks for the invitation");
    const given = await givenInvitation(settings, "member");
    if (given !== null) return chatInvited(settings, given, err);
    if (settings.on("json") || process.stdin.isTTY !== true || standardStream(1).isTTY !== true)
      throw new UsageError(`join needs an invitation: --invite-file FILE (- is standard input), or ${INVITE_VARIABLE}`);
    const { ask } = await import("../process/ask.ts");
    const answers = await ask([invitationQuestion("member"), nameQuestion(settings)], process.stdin, standardStream(1));
    if (answers === null) return INTERRUPTED;
    const [text = "", name = ""] = answers;
    return chatInvited(settings.with(new Map([["name", [name]]])), understood("this", text, "member"), err);
  },
};

function nameQuestion(settings: Settings): Question {
  return {
    text: "Your name",
    propose: () => settings.text("name") ?? machineName(),
    check: (answer) => readName("the name", answer),
  };
}
