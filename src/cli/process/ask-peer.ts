/** What `chatpeer` without arguments asks for, in a terminal: enough to start a peer, with proposals that work. */
import type { Readable, Writable } from "node:stream";
import { platformVisit } from "../../adapters/platform.ts";
import { isLoopback } from "../../core/address.ts";
import { PEER_ID_MAX } from "../../core/config.ts";
import { type Invitation, isInvitation } from "../../wire/invitation.ts";
import { dataDirectory } from "../chat/chat-options.ts";
import { greet } from "../doctor/greeting.ts";
import { portIsFree } from "../doctor/port.ts";
import { askStatus } from "../doctor/standing.ts";
import { understood } from "../trust/invited.ts";
import { idsTaken } from "../trust/look.ts";
import { freeId, withPlace } from "../trust/own-place.ts";
import { name, seed, UsageError, wholeNumber } from "../usage/flag-values.ts";
import type { Settings } from "../usage/settings.ts";
import { addressFacing } from "./addresses.ts";
import { ask, type Question } from "./ask.ts";

/** How many ids are tried, from 1 on. */
const IDS_TRIED_MAX = 20;
/** Typed to found a cluster. It has to be typed, so that one Enter too many never founds a second cluster by mistake. */
const FOUND = "found";
/** A peer on this machine answers at once. */
const GREETING_MS_MAX = 500;
/** A peer on another machine may take longer; a person waits for it. */
const STATUS_MS_MAX = 2000;

const INTRODUCTION = [
  "No settings were given. Enter takes what stands in brackets; Ctrl-C leaves.",
  "To join, paste an invitation (/invite on a peer makes one; it is not shown here).",
  `The first peer of a new cluster types ${FOUND}. A plain cluster is joined through any of`,
  "its peers: ID:HOST:PORT.",
];

export interface Answers {
  /** That say the same, as typed. */
  readonly flags: readonly string[];
  readonly invitation: Invitation | null;
}

/** null where the person left. */
export async function askPeer(settings: Settings, input: Readable, output: Writable): Promise<Answers | null> {
  for (const line of INTRODUCTION) output.write(`${line}\n`);
  const answers = await ask(questions(settings), input, output);
  if (answers === null) return null;
  const [way = "", id = "", userName = "", host = ""] = answers;
  const invitation = isInvitation(way) ? understood("this", way, "member") : null;
  output.write(`data is kept in ${dataDirectory(settings, Number(id))}\n`);
  const flags = ["--id", id, "--name", userName];
  if (invitation === null && way !== FOUND && way !== settings.texts("seed")[0]) flags.push("--seed", way);
  if (host !== settings.text("host")) flags.push("--host", host);
  const again = invitation === null ? "the same without questions" : "next time, without an invitation";
  output.write(`${again}: chatpeer ${flags.map(shellWord).join(" ")}\n\n`);
  return { flags, invitation };
}

function questions(settings: Settings): readonly Question[] {
  return [
    {
      text: `An invitation, the word ${FOUND}, or ID:HOST:PORT`,
      propose: async () => settings.texts("seed")[0] ?? (await seedHere()),
      check: (answer) => {
        if (isInvitation(answer)) understood("this", answer, "member");
        else if (answer !== FOUND) seed("the peer to join through", answer);
      },
    },
    {
      text: "Id of this peer, a number that no other has",
      propose: async ([way = FOUND]) => proposedId(settings, way),
      check: (answer) => wholeNumber("the id", answer, 1, PEER_ID_MAX),
    },
    {
      text: "Your name",
      propose: ([, id]) => settings.text("name") ?? `peer_${id}`,
      check: (answer) => name("the name", answer),
    },
    {
      text: "Address of this machine that the others reach",
      propose: ([way = FOUND]) => addressFor(way, settings.text("host") as string),
      check: (answer) => {
        if (/[\s/]/.test(answer))
          throw new UsageError(`an address is a name or a number like 192.168.1.5, not ${answer}`);
      },
    },
  ];
}

/** null where nobody says who the members are. */
async function proposedId(settings: Settings, way: string): Promise<string | null> {
  if (isInvitation(way)) {
    const invitation = understood("this", way, "member");
    return (await withPlace(settings, invitation, () => idsTaken(invitation))).text("id") ?? null;
  }
  if (way === FOUND) return `${await freeId(settings, [])}`;
  const status = await askStatus(platformVisit(), seed("the peer to join through", way), STATUS_MS_MAX);
  // Members that have left are in the list, too.
  return status === null
    ? null
    : `${await freeId(
        settings,
        status.members.map(({ id }) => id),
      )}`;
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
function addressFor(way: string, configured: string): string {
  if (way === FOUND) return configured;
  const hosts = isInvitation(way)
    ? understood("this", way, "member").addresses.map(({ host }) => host)
    : [seed("the peer to join through", way).host];
  return hosts.every(isLoopback) ? configured : (addressFacing(hosts) ?? configured);
}

function shellWord(text: string): string {
  return /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}
