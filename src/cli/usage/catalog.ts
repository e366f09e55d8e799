/** Every command of the program. What is made of all of them (help, completions, manual) is made from this list. */
import { CHAT } from "../chat/chat-command.ts";
import { CONNECT, SEND, STATUS, TAIL } from "../client/client-commands.ts";
import { LOG, VERIFY } from "../directory/read-directory.ts";
import { RECOVER } from "../directory/recover.ts";
import { DOCTOR } from "../doctor/doctor-command.ts";
import { SIM } from "../sim/sim-command.ts";
import { ACCESS, EVICT, INVITE, REVOKE } from "../trust/access-commands.ts";
import { JOIN } from "../trust/join-command.ts";
import { type Command, findCommand } from "./command.ts";
import { completionsCommand } from "./completions.ts";
import { CONFIG } from "./config-command.ts";
import { UsageError } from "./flag-values.ts";
import { commandHelp } from "./help.ts";
import { manCommand } from "./manual.ts";

const COMPLETIONS = completionsCommand(() => COMMANDS);
const MAN = manCommand(() => COMMANDS);
const EXPLAINED: readonly [Command, ...Command[]] = [
  CHAT,
  JOIN,
  INVITE,
  ACCESS,
  EVICT,
  REVOKE,
  CONNECT,
  SEND,
  TAIL,
  STATUS,
  VERIFY,
  LOG,
  RECOVER,
  SIM,
  CONFIG,
  DOCTOR,
  COMPLETIONS,
  MAN,
];

const HELP: Command = {
  name: "help",
  words: "[COMMAND]",
  completes: EXPLAINED.map(({ name }) => name).filter((name) => name !== ""),
  purpose: "explain a command",
  flags: [],
  examples: [{ command: "chatpeer help verify", what: "The same as chatpeer verify --help" }],
  exits: { 0: "explained" },
  run({ words: [name = "", ...more], out }) {
    if (more.length > 0) throw new UsageError("help explains one command: chatpeer help verify");
    for (const line of commandHelp(findCommand(name, COMMANDS), COMMANDS)) out.line(line);
    return 0;
  },
};

export const COMMANDS: readonly [Command, ...Command[]] = [...EXPLAINED, HELP];
