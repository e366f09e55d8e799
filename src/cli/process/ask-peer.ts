/** What `chatpeer` without arguments asks for, in a terminal: enough to start a peer, with proposals that work. */
import type { Readable, Writable } from "node:stream";
import { platformVisit } from "../../adapters/platform.ts";
import { PEER_ID_MAX } from "../../core/config.ts";
import { dataDirectory } from "../chat/chat-options.ts";
import { greet } from "../doctor/greeting.ts";
import { portIsFree } from "../doctor/port.ts";
import { askStatus } from "../doctor/standing.ts";
import { name, seed, UsageError, wholeNumber } from "../usage/flag-values.ts";
import type { Settings } from "../usage/settings.ts";
import { isLoopback, outsideAddress } from "./addresses.ts";
import { ask, type Question } from "./ask.ts";

/** How many ids are tried, from 1 on. */
const IDS_TRIED_MAX = 20;
/** Typed to found a cluster. It has to be typed, so that one Enter too many never founds a second cluster by mistake. */
const FOUND = "found";
/** A peer on this machine answers at once. */
const GREETING_MS_MAX = 500;
/** A peer on another machine may take longer; a person waits for it. */
const STATUS_MS_MAX = 2000;

/** The flags that say the same, as typed; null where the person left. */
export async function askPeer(settings: Settings, input: Readable, output: Writable): Promise<string[] | null> {
  output.write("No settings were given. Enter takes what stands in brackets; Ctrl-C leaves.\n");
  const answers = await ask(questions(settings), input, output);
  if (answers === null) return null;
  const [seedText = "", id = "", userName = "", host = ""] = answers;
  output.write(`data is kept in ${dataDirectory(settings, Number(id))}\n`);
  const flags = ["--id", id, "--name", userName];
  if (seedText !== FOUND && seedText !== settings.texts("seed")[0]) flags.push("--seed", seedText);
  if (host !== settings.text("host")) flags.push("--host", host);
  output.write(`the same without questions: chatpeer ${flags.map(shellWord).join(" ")}\n\n`);
  return flags;
}

function questions(settings: Settings): readonly Question[] {
  return [
    {
      text: `A peer to join through, ID:HOST:PORT; or the word ${FOUND}, where this is the first one of a new cluster`,
      propose: async () => settings.texts("seed")[0] ?? (await seedHere()),
      check: (answer) => answer === FOUND || seed("the peer to join through", answer),
    },
    {
      text: "Id of this peer, a number that no other has",
      propose: async ([seedText = FOUND]) => freeId(seedText),
      check: (answer) => wholeNumber("the id", answer, 1, PEER_ID_MAX),
    },
    {
      text: "Your name",
      propose: ([, id]) => settings.text("name") ?? `peer_${id}`,
      check: (answer) => name("the name", answer),
    },
    {
      text: "Address of this machine that the others reach",
      propose: ([seedText = FOUND]) => addressFor(seedText, settings.text("host") as string),
      check: (answer) => {
        if (/[\s/]/.test(answer))
          throw new UsageError(`an address is a name or a number like 192.168.1.5, not ${answer}`);
      },
    },
  ];
}

/** The lowest id that no member has and whose usual port is free here; null where nobody says who the members are. */
async function freeId(seedText: string): Promise<string | null> {
  const ports = platformVisit();
  const members =
    seedText === FOUND
      ? []
      : (await askStatus(ports, seed("the peer to join through", seedText), STATUS_MS_MAX))?.members;
  if (members === undefined) return null;
  // Members that have left are in the list, too.
  const taken = members.map((m) => m.id);
  for (let id = 1; id <= PEER_ID_MAX; id++)
    if (!taken.includes(id) && (id > IDS_TRIED_MAX || (await portIsFree(ports.network, "127.0.0.1", 6000 + id))))
      return `${id}`;
  return null;
}

/** A peer that runs on this machine, or null. */
async function seedHere(): Promise<string | null> {
  const ports = platformVisit();
  for (let id = 1; id <= IDS_TRIED_MAX; id++) {
    const port = 6000 + id;
    if (await portIsFree(ports.network, "127.0.0.1", port)) continue;
    const greeting = await greet(ports, { host: "127.0.0.1", port }, GREETING_MS_MAX);
    if (greeting.result === "peer") return `${greeting.hello.id}:127.0.0.1:${port}`;
  }
  return null;
}

/** A peer that joins through another machine is dialled from there, so its address must be one that reaches it. */
function addressFor(seedText: string, configured: string): string {
  if (seedText === FOUND || isLoopback(seed("the peer to join through", seedText).host)) return configured;
  return outsideAddress() ?? configured;
}

function shellWord(text: string): string {
  return /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}
