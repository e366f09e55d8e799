/** `chatpeer config`: what is in force for a peer that is started so, and where each value comes from. */
import { CHAT_FLAGS, readChatOptions } from "../chat/chat-options.ts";
import { visible } from "../screen/visible.ts";
import type { Command } from "./command.ts";
import { type Flag, maySet } from "./flag.ts";
import { UsageError } from "./flag-values.ts";
import { CONFIG as CONFIG_FLAG, type Settings } from "./settings.ts";

/** Here it means another thing than to a peer, whose files may hold it all the same. */
const PRINT: Flag = {
  name: "print",
  value: null,
  what: "Print every setting that is in force, and its source",
  setting: "switch",
};
const PEER_FLAGS = CHAT_FLAGS.filter(({ name }) => name !== PRINT.name);

export const CONFIG: Command = {
  name: "config",
  words: "",
  purpose: "check the settings that a peer would be started with, and say where each comes from",
  about: ["Takes the flags of chatpeer itself. What it prints is a configuration file again."],
  flags: [...PEER_FLAGS, PRINT],
  examples: [
    { command: "chatpeer config --config docs/node1.yml --print", what: "What the file says, and what is default" },
    {
      command: "CHATPEER_ID=7 chatpeer config --name bob --print > me.yml",
      what: "Make a file of flags and variables",
    },
  ],
  exits: { 0: "a peer could be started with these settings" },
  run({ settings, words, out }) {
    if (words.length > 0) throw new UsageError(`config takes only flags: chatpeer config --config ${words[0]}`);
    const { id, name, dataDir } = readChatOptions(settings);
    if (settings.on("print")) for (const line of settingLines(settings)) out.line(line);
    else out.line(`in order: peer ${id}, ${visible(name)}, data in ${visible(dataDir)} (--print prints all settings)`);
    return 0;
  },
};

/** As lines of a configuration file, each with its source as a comment. Throws UsageError. */
export function settingLines(settings: Settings): string[] {
  const { port, name, dataDir, logLevel, advertise } = readChatOptions(settings);
  const computed: Record<string, string> = {
    ...{ port: `${port}`, name, "log-level": logLevel },
    ...(advertise === null ? {} : { advertise: `${advertise.host}:${advertise.port}` }),
  };
  return PEER_FLAGS.filter((flag) => maySet(flag) && flag.name !== CONFIG_FLAG).flatMap((flag) => {
    const source = `# ${visible(settings.from(flag.name))}`;
    if (flag.repeats && settings.given(flag.name))
      return [`${flag.name}: ${source}`, ...settings.texts(flag.name).map((text) => `  - ${asYaml(text)}`)];
    const text = flag.name === "data-dir" ? dataDir : (settings.text(flag.name) ?? computed[flag.name]);
    if (text !== undefined) return `${flag.name}: ${asYaml(typed(flag, text))} ${source}`;
    return flag.setting === "switch" ? `${flag.name}: false ${source}` : `# ${flag.name}: ${flag.otherwise ?? "none"}`;
  });
}

/** As it is written in a file. */
function typed({ setting }: Flag, text: string): string | number | boolean {
  if (setting === "switch") return text === "true";
  return (setting === "number" || setting === "time") && /^[0-9]+$/.test(text) ? Number(text) : text;
}

/** JSON is YAML, too. What a terminal would obey or not show is escaped. */
function asYaml(value: string | number | boolean): string {
  return JSON.stringify(value).replace(UNSEEN, (unseen) => unseen.split("").map(escaped).join(""));
}

function escaped(unit: string): string {
  return `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`;
}

const UNSEEN = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu;
