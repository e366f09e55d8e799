/** `chatpeer doctor`: why peers cannot meet, or whether this machine is fit to run one. */
import { existsSync } from "node:fs";
import { openDisk } from "../../adapters/disk.ts";
import { platformVisit, securedVisit } from "../../adapters/platform.ts";
import { sameAddress } from "../../core/address.ts";
import { PEER_ID_MAX } from "../../core/config.ts";
import { type Identity, readIdentity } from "../../host/store/identity.ts";
import { readProgress } from "../../host/store/progress-file.ts";
import { lookAtLog } from "../../host/store/recovery.ts";
import { HostError } from "../../host/store/unusable.ts";
import { CHAT_FLAGS, dataDirectory, readAddress } from "../chat/chat-options.ts";
import { runtimeName, runtimeTooOld } from "../process/runtime.ts";
import { visible } from "../screen/visible.ts";
import { givenText, INVITE_FILE } from "../trust/invited.ts";
import { look } from "../trust/look.ts";
import type { Command } from "../usage/command.ts";
import { address, duration, seed, UsageError } from "../usage/flag-values.ts";
import type { Settings } from "../usage/settings.ts";
import type { Finding } from "./finding.ts";
import type { Knowledge, Known } from "./judge-members.ts";
import type { Own } from "./peers.ts";

/** Flags that describe the peer that is to run here. */
const OF_THE_PEER = CHAT_FLAGS.filter((flag) =>
  ["id", "host", "port", "advertise", "seed", "data-dir", "config"].includes(flag.name),
);

export const DOCTOR: Command = {
  name: "doctor",
  words: "[HOST:PORT...]",
  purpose: "say why peers cannot meet; without addresses, whether this machine is fit to run one",
  about: [
    "It connects to each address, hears who answers, and asks what that peer waits for and what it cannot write. Of a peer of a secured cluster it hears nothing but its key, which it compares with what the log of --data-dir or the invitation says. Whether an invitation can be used it asks without using it. With --id or --data-dir it also says whether that peer could join there, and whether the others are where its log and its --seeds say.",
  ],
  flags: [
    ...OF_THE_PEER,
    INVITE_FILE,
    { name: "timeout", value: "TIME", what: "How long an address may take to answer", preset: "3s" },
    { name: "json", value: null, what: "One JSON object per finding: about, ok, code, message" },
  ],
  examples: [
    { command: "chatpeer doctor 10.0.0.1:6001 10.0.0.2:6002", what: "Can these two meet, seen from here?" },
    {
      command: "chatpeer doctor 10.0.0.1:6001 --data-dir ./data/peer2",
      what: "Could the peer of this directory join there?",
    },
    {
      command: "chatpeer doctor --data-dir ./data/peer2 --id 2 --seed 1:10.0.0.7:6001",
      what: "After addresses have changed: where is each peer?",
    },
    {
      command: "chatpeer doctor --invite-file ./invitation",
      what: "Can it be used, and are its peers who they should be?",
    },
    { command: "chatpeer doctor", what: "Runtime, data directory, port, limits and clock of this machine" },
  ],
  exits: { 0: "all is well", 1: "something is wrong: it is said what, and what to do" },
  async run({ settings, words, out, paint }) {
    const found = await findings(settings, words);
    const width = Math.max(...found.map(({ about }) => about.length));
    for (const finding of found) {
      const { ok, about, message } = finding;
      const badge = ok ? "ok     " : paint.red("problem");
      out.line(
        settings.on("json")
          ? JSON.stringify(finding)
          : `${badge}  ${visible(about).padEnd(width)}  ${visible(message)}`,
      );
    }
    return found.every(({ ok }) => ok) ? 0 : 1;
  },
};

async function findings(settings: Settings, words: readonly string[]): Promise<Finding[]> {
  const addresses = words.map((word) => address("an address", word));
  const timeoutMs = duration("--timeout", settings.text("timeout") as string);
  const own = ownPeer(settings);
  const known = knowledge(settings, own);
  const { judgePeers, lookAt } = await import("./peers.ts");
  const { judgeMembers } = await import("./judge-members.ts");
  const { greet } = await import("./greeting.ts");
  const { judgeInvitation } = await import("./judge-invitation.ts");
  const { askStatus, judgeStanding } = await import("./standing.ts");
  const ports = { ...platformVisit(), secured: async () => (await securedVisit()).network };
  const seen = await Promise.all(addresses.map((a) => lookAt(ports, a, timeoutMs)));
  const others = [...known.members, ...known.seeds].filter(({ id }) => id !== known.id).map((k) => k.address);
  const unasked = others.filter((a, i) => others.findIndex((b) => sameAddress(a, b)) === i);
  const asked = unasked
    .filter((a) => !addresses.some((b) => sameAddress(a, b)))
    .map(async (a) => ({ address: a, greeting: await greet(ports, a, timeoutMs) }));
  const standing = seen.map(async ({ address: a, greeting }) => {
    const isMember = greeting.result === "peer" && greeting.hello.cluster_id !== null;
    const status = isMember ? await askStatus(ports, a, timeoutMs) : null;
    return status === null ? [] : judgeStanding(a, status);
  });
  const given = await givenText(settings);
  const invited =
    given === null
      ? []
      : await judgeInvitation(given.text, own?.clusterId ?? null, {
          look,
          greet: (address) => greet(ports, address, timeoutMs),
          timeoutMs,
        });
  return [
    ...invited,
    ...(words.length === 0 && given === null ? await machine(settings) : judgePeers(seen, own, timeoutMs)),
    ...(await Promise.all(standing)).flat(),
    ...judgeMembers(known, [...seen, ...(await Promise.all(asked))], timeoutMs),
  ];
}

function ownPeer(settings: Settings): OwnDirectory | null {
  const id = settings.number("id", 1, PEER_ID_MAX);
  const directory = settings.given("data-dir") || id !== undefined ? dataDirectory(settings, id ?? 0) : null;
  const identity = directory === null ? null : identityIn(directory);
  if (directory === null || identity === null)
    return id === undefined ? null : { id, inc: null, clusterId: null, directory: null };
  if (id !== undefined && id !== identity.id)
    throw new UsageError(`${directory} is the directory of peer ${identity.id}, not of peer ${id}`);
  return { id: identity.id, inc: identity.inc, clusterId: identity.cluster_id, directory };
}

interface OwnDirectory extends Own {
  readonly directory: string | null;
}

/** What the peer knows of addresses, by its log and its seeds. */
function knowledge(settings: Settings, own: OwnDirectory | null): Knowledge {
  const id = own?.id ?? 0;
  const { port, advertise, host } = readAddress(settings, id);
  const members = own?.directory == null ? [] : membersIn(own.directory);
  return {
    id,
    members,
    seeds: settings.texts("seed").map((text) => {
      const named = seed(settings.label("seed"), text);
      return { id: named.id, inc: null, address: { host: named.host, port: named.port } };
    }),
    own: members.find((m) => m.id === id && m.inc === own?.inc)?.address ?? null,
    at: advertise ?? (port === 0 ? null : { host, port }),
  };
}

function membersIn(directory: string): Known[] {
  const disk = openDisk(directory);
  const members = lookAtLog(disk, readProgress(disk).commit).newest?.configuration.members ?? [];
  return members
    .filter((m) => m.role !== "left")
    .map(({ id, inc, host, port, key }) => ({ id, inc, address: { host, port }, ...(key !== undefined && { key }) }));
}

function identityIn(directory: string): Identity | null {
  if (!existsSync(directory)) return null;
  try {
    return readIdentity(openDisk(directory));
  } catch (error) {
    if (!(error instanceof HostError)) throw error;
    throw new UsageError(`${directory}: ${error.message}`);
  }
}

async function machine(settings: Settings): Promise<Finding[]> {
  const { judgeMachine } = await import("./judge-machine.ts");
  const id = settings.number("id", 1, PEER_ID_MAX) ?? 1;
  const { host, port } = readAddress(settings, id);
  return judgeMachine({
    id,
    dataDir: dataDirectory(settings, id),
    host,
    port,
    tooOld: runtimeTooOld(),
    runtime: runtimeName(),
  });
}
