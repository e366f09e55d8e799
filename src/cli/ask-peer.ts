/** What `chatpeer` without arguments asks for, in a terminal: enough to start a peer, with proposals that work. */
import type { Readable, Writable } from "node:stream";
import { PEER_ID_MAX } from "../core/config.ts";
import { isLoopback, outsideAddress } from "./addresses.ts";
import { ask, type Question } from "./ask.ts";
import { dataDirectory } from "./chat-options.ts";
import { greet } from "./doctor/greeting.ts";
import { portIsFree } from "./doctor/port.ts";
import { name, seed, UsageError, wholeNumber } from "./flags.ts";
import type { Settings } from "./usage/settings.ts";

/** Of the ids that could be proposed, so many are tried. */
const IDS_TRIED_MAX = 20;
/** Typed, and shown, where no peer is to be joined. */
const NONE = "none";
/** A peer on this machine answers at once. */
const GREETING_MS_MAX = 500;

/** The flags that say the same, as typed; null where the person left. */
export async function askPeer(settings: Settings, input: Readable, output: Writable): Promise<string[] | null> {
  output.write("No settings were given. Enter takes what stands in brackets; Ctrl-C leaves.\n");
  const answers = await ask(questions(settings), input, output);
  if (answers === null) return null;
  const [id = "", userName = "", seedText = "", host = ""] = answers;
  output.write(`data is kept in ${dataDirectory(settings, Number(id))}\n`);
  const flags = ["--id", id, "--name", userName];
  if (seedText !== NONE && seedText !== settings.texts("seed")[0]) flags.push("--seed", seedText);
  if (host !== settings.text("host")) flags.push("--host", host);
  output.write(`the same without questions: chatpeer ${flags.map(shellWord).join(" ")}\n\n`);
  return flags;
}

function questions(settings: Settings): readonly Question[] {
  return [
    {
      text: "Id of this peer, a number that no other has",
      propose: async () => `${await freeId()}`,
      check: (answer) => wholeNumber("the id", answer, 1, PEER_ID_MAX),
    },
    {
      text: "Your name",
      propose: ([id]) => settings.text("name") ?? `peer_${id}`,
      check: (answer) => name("the name", answer),
    },
    {
      text: "A peer to join through, ID:HOST:PORT, or none: found a cluster",
      propose: async ([id]) => settings.texts("seed")[0] ?? (await seedHere(Number(id))),
      check: (answer) => answer === NONE || seed("the peer to join through", answer),
    },
    {
      text: "Address of this machine that the others reach",
      propose: ([, , seedText = NONE]) => addressFor(seedText, settings.text("host") as string),
      check: (answer) => {
        if (/[\s/]/.test(answer))
          throw new UsageError(`an address is a name or a number like 192.168.1.5, not ${answer}`);
      },
    },
  ];
}

/** The lowest id whose usual port is free here. */
async function freeId(): Promise<number> {
  for (let id = 1; id <= IDS_TRIED_MAX; id++) if (await portIsFree("127.0.0.1", 6000 + id)) return id;
  return IDS_TRIED_MAX + 1;
}

/** A peer that runs on this machine. */
async function seedHere(own: number): Promise<string> {
  for (let id = 1; id <= IDS_TRIED_MAX; id++) {
    const port = 6000 + id;
    if (id === own || (await portIsFree("127.0.0.1", port))) continue;
    const greeting = await greet("127.0.0.1", port, GREETING_MS_MAX);
    if (greeting.result === "peer" && greeting.hello.id !== own) return `${greeting.hello.id}:127.0.0.1:${port}`;
  }
  return NONE;
}

/** Whoever joins through another machine is dialled by the others there. */
function addressFor(seedText: string, configured: string): string {
  if (seedText === NONE || isLoopback(seed("the peer to join through", seedText).host)) return configured;
  return outsideAddress() ?? configured;
}

function shellWord(text: string): string {
  return /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}
