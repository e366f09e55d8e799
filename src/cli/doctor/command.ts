/** `chatpeer doctor`: why peers cannot meet, or whether this machine is fit to run one. */
import { existsSync } from "node:fs";
import { openDisk } from "../../adapters/disk.ts";
import { PEER_ID_MAX } from "../../core/config.ts";
import { HostError, type Identity, readIdentity } from "../../host/directory.ts";
import { CHAT_FLAGS, dataDirectory } from "../chat-options.ts";
import { address, duration, UsageError } from "../flags.ts";
import { runtimeName, runtimeTooOld } from "../runtime.ts";
import { visible } from "../sanitize.ts";
import type { Command } from "../usage/command.ts";
import type { Settings } from "../usage/settings.ts";
import type { Finding } from "./finding.ts";
import type { Own } from "./peers.ts";

/** Of the peer that is to run here. */
const OF_THE_PEER = CHAT_FLAGS.filter((flag) => ["id", "host", "port", "data-dir"].includes(flag.name));

export const DOCTOR: Command = {
  name: "doctor",
  words: "[HOST:PORT...]",
  purpose: "say why peers cannot meet; without addresses, whether this machine is fit to run one",
  about: [
    "It connects to each address, hears who answers, and says nothing itself. With --id or --data-dir it also says whether that peer could join there.",
  ],
  flags: [
    ...OF_THE_PEER,
    { name: "timeout", value: "TIME", what: "How long an address may take to answer", preset: "3s" },
    { name: "json", value: null, what: "One JSON object per finding: about, ok, code, message" },
  ],
  examples: [
    { command: "chatpeer doctor 10.0.0.1:6001 10.0.0.2:6002", what: "Can these two meet, seen from here?" },
    {
      command: "chatpeer doctor 10.0.0.1:6001 --data-dir ./data/peer2",
      what: "Could the peer of this directory join there?",
    },
    { command: "chatpeer doctor", what: "Runtime, data directory, port, limits and clock of this machine" },
  ],
  exits: { 0: "all is well", 1: "something is wrong: it is said what, and what to do" },
  async run({ settings, words, out, paint }) {
    const findings = words.length === 0 ? await machine(settings) : await peers(settings, words);
    const width = Math.max(...findings.map(({ about }) => about.length));
    for (const finding of findings) {
      const { ok, about, message } = finding;
      const badge = ok ? "ok     " : paint.red("problem");
      out.line(
        settings.on("json")
          ? JSON.stringify(finding)
          : `${badge}  ${visible(about).padEnd(width)}  ${visible(message)}`,
      );
    }
    return findings.every(({ ok }) => ok) ? 0 : 1;
  },
};

async function peers(settings: Settings, words: readonly string[]): Promise<Finding[]> {
  const addresses = words.map((word) => address("an address", word));
  const timeoutMs = duration("--timeout", settings.text("timeout") as string);
  const own = ownPeer(settings);
  const { judgePeers, lookAt } = await import("./peers.ts");
  const seen = await Promise.all(addresses.map((a) => lookAt(a, timeoutMs)));
  return judgePeers(seen, own, timeoutMs);
}

function ownPeer(settings: Settings): Own | null {
  const id = settings.number("id", 1, PEER_ID_MAX);
  const directory = settings.given("data-dir") ? dataDirectory(settings, id ?? 0) : null;
  const identity = directory === null ? null : identityIn(directory);
  if (identity === null) return id === undefined ? null : { id, inc: null, clusterId: null };
  if (id !== undefined && id !== identity.id)
    throw new UsageError(`${directory} is the directory of peer ${identity.id}, not of peer ${id}`);
  return { id: identity.id, inc: identity.inc, clusterId: identity.cluster_id };
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
  const { judgeMachine } = await import("./machine.ts");
  const id = settings.number("id", 1, PEER_ID_MAX) ?? 1;
  return judgeMachine({
    id,
    dataDir: dataDirectory(settings, id),
    host: settings.text("host") as string,
    port: settings.number("port", 0, 65_535) ?? 6000 + id,
    tooOld: runtimeTooOld(),
    runtime: runtimeName(),
  });
}
