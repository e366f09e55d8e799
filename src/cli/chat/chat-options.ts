/** What can be set of a peer, and how that is read. */
import { join, resolve } from "node:path";
import { standardStream } from "../../adapters/standard-stream.ts";
import { isLoopback } from "../../core/address.ts";
import { checkTimings, DEFAULT_TIMINGS, PEER_ID_MAX } from "../../core/config.ts";
import type { Invitation } from "../../wire/invitation.ts";
import { isUnspecified, outsideAddress } from "../process/addresses.ts";
import { inHome } from "../process/home.ts";
import { INVITE_FILE } from "../trust/invited.ts";
import type { Flag } from "../usage/flag.ts";
import { address, duration, name, seed, UsageError } from "../usage/flag-values.ts";
import type { Settings } from "../usage/settings.ts";
import { HISTORY_COUNT_MAX } from "./slash-commands.ts";
import type { ChatOptions, Mode } from "./talk-options.ts";

const LOG_LEVELS = ["off", "error", "warn", "info", "debug"] as const;
const LOG_FORMATS = ["text", "json"] as const;
const DURABILITIES = ["fsync", "os"] as const;
export const BELLS = ["off", "mention", "all"] as const;
/** Messages shown at the start to a person. */
const HISTORY = 20;

/** Of one start only, so that it stands in no file: a lock that is always taken is none. */
export const TAKE_LOCK: Flag = {
  name: "take-lock",
  value: null,
  what: "The process that has the data directory, on another machine or in another container, is dead: do not wait 10 s to see",
};

export const CHAT_FLAGS: readonly Flag[] = [
  {
    name: "id",
    value: "N",
    what: `Peer id, unique in the cluster, 1 to ${PEER_ID_MAX}; the higher id wins an election`,
    setting: "number",
    alsoKeys: ["node_id", "peer_id"],
  },
  {
    name: "host",
    value: "HOST",
    what: "Listen address; what is founded beyond loopback is secured",
    preset: "127.0.0.1",
    setting: "text",
  },
  { name: "port", value: "PORT", what: "Listen port, 0 for a free one", otherwise: "6000 + id", setting: "number" },
  {
    name: "advertise",
    value: "HOST:PORT",
    what: "The address that others dial, if it differs (NAT, proxy)",
    otherwise: "host and port; where the host is 0.0.0.0, this machine's first address",
    setting: "text",
  },
  {
    name: "seed",
    value: "ID:HOST:PORT",
    what: "A peer of a plain cluster to join through, retried for ever; without one, and without an invitation, an empty directory founds a cluster",
    repeats: true,
    setting: "seeds",
    alsoKeys: ["seeds", "seed_nodes", "seed_peers"],
  },
  INVITE_FILE,
  {
    name: "secure",
    value: null,
    what: "What is founded on loopback is secured, too: TLS, and nobody comes in without an invitation",
    setting: "switch",
  },
  {
    name: "insecure",
    value: null,
    what: "A plain cluster may be reached from other machines: whoever reaches the port reads, writes and forges",
    setting: "switch",
  },
  {
    name: "name",
    value: "NAME",
    what: "Your name, shown with your messages",
    otherwise: "peer_<id>",
    setting: "text",
    alsoKeys: ["username", "user"],
  },
  {
    name: "room",
    value: "ROOM",
    what: "The room to talk in; every room has its own numbering",
    preset: "general",
    setting: "text",
    alsoKeys: ["room_id"],
  },
  {
    name: "data-dir",
    value: "DIR",
    what: "This peer's directory, relative to the current one",
    otherwise: "$XDG_STATE_HOME/chatpeer/peer-<id>",
    completes: "directory",
    setting: "text",
    alsoKeys: ["log_dir"],
  },
  TAKE_LOCK,
  { name: "headless", value: null, what: "No input and no messages: only be a member", setting: "switch" },
  { name: "print", value: null, what: "Print messages with --headless, too", setting: "switch" },
  {
    name: "json",
    value: null,
    what: "One JSON object per line on stdout; lines of stdin are messages or /commands",
    setting: "switch",
  },
  {
    name: "history",
    value: "N",
    what: "Messages shown at the start",
    otherwise: `${HISTORY} in a terminal, else 0`,
    setting: "number",
  },
  {
    name: "bell",
    value: "off|mention|all",
    what: "Ring for messages that name you (`@alice`, or `alice` as a word), for all, or for none",
    choices: BELLS,
    preset: "mention",
    setting: "text",
  },
  { name: "no-receipts", value: null, what: "Tell nobody what you have read", setting: "switch" },
  {
    name: "heartbeat-interval",
    value: "TIME",
    what: "Between heartbeats of the leader",
    preset: "200ms",
    setting: "time",
    alsoKeys: ["heartbeat_interval_ms"],
  },
  {
    name: "leader-timeout",
    value: "TIME",
    what: "Silence after which a leader is suspected, at least three heartbeats (a closed connection is acted on at once)",
    preset: "1200ms",
    setting: "time",
    alsoKeys: ["leader_timeout_ms"],
  },
  {
    name: "durability",
    value: "fsync|os",
    what: "What `sent` means: on the disks of a majority, or handed to their operating systems (faster, unsafe when machines lose power)",
    choices: DURABILITIES,
    preset: "fsync",
    setting: "text",
  },
  {
    name: "log-level",
    value: "LEVEL",
    what: "What is told on stderr",
    choices: LOG_LEVELS,
    otherwise: "warn in a terminal, else info",
    setting: "text",
  },
  {
    name: "log-format",
    value: "text|json",
    what: "Log lines on stderr",
    choices: LOG_FORMATS,
    preset: "text",
    setting: "text",
  },
  {
    name: "config",
    value: "FILE",
    what: "Read settings from a YAML or JSON file whose keys are these flags; environment and flags win over it",
    completes: "file",
    setting: "text",
  },
];

/** Throws UsageError. */
export function readChatOptions(settings: Settings, invitation: Invitation | null = null): ChatOptions {
  const id = settings.number("id", 1, PEER_ID_MAX);
  if (id === undefined) throw new UsageError("--id is needed, a number that no other peer has: chatpeer --id 1");
  const headless = settings.on("headless");
  const mode = readMode(settings, headless);
  const address = readAddress(settings, id);
  return {
    id,
    ...address,
    ...readTrust(settings, address.host, invitation),
    seeds: settings.texts("seed").map((text) => seed(settings.label("seed"), text)),
    name: name(settings.label("name"), settings.text("name") ?? `peer_${id}`),
    announces: !headless,
    receipts: !settings.on("no-receipts"),
    room: name(settings.label("room"), settings.text("room") as string),
    dataDir: dataDirectory(settings, id),
    mode,
    headless,
    prints: !headless || settings.on("print"),
    history: readHistory(settings),
    bell: settings.choice("bell", BELLS) ?? "mention",
    timings: readTimings(settings),
    durability: settings.choice("durability", DURABILITIES) ?? "fsync",
    takesLock: settings.on(TAKE_LOCK.name),
    logLevel: settings.choice("log-level", LOG_LEVELS) ?? (mode === "terminal" || mode === "pipe" ? "warn" : "info"),
    logFormat: settings.choice("log-format", LOG_FORMATS) ?? "text",
  };
}

/** Whether what is founded, or joined, is secured. Throws UsageError. */
function readTrust(settings: Settings, host: string, invitation: Invitation | null) {
  const [secure, insecure] = [settings.on("secure"), settings.on("insecure")];
  if (secure && insecure)
    throw new UsageError(`${settings.label("secure")} and ${settings.label("insecure")} say the opposite: choose one`);
  if (invitation === null) return { secured: secure || (!insecure && !isLoopback(host)), insecure };
  if (insecure) throw new UsageError(`an invitation is for a secured cluster: leave out ${settings.label("insecure")}`);
  if (settings.given("seed"))
    throw new UsageError(`the invitation says where the others are: leave out ${settings.label("seed")}`);
  return { secured: true, insecure, invitation };
}

/** Where a peer listens, and what the others dial. Throws UsageError. */
export function readAddress(settings: Settings, id: number): Pick<ChatOptions, "host" | "port" | "advertise"> {
  const host = settings.text("host") as string;
  const port = settings.number("port", 0, 65_535) ?? 6000 + id;
  return { host, port, advertise: readAdvertise(settings, host, port) };
}

/** How it talks: with the screen where there is a terminal that understands it. */
export function readMode(settings: Settings, headless: boolean): Mode {
  if (settings.on("json")) return "json";
  if (headless) return "quiet";
  return isPerson() && process.env.TERM !== "dumb" ? "terminal" : "pipe";
}

export function readHistory(settings: Settings): number {
  return settings.number("history", 0, HISTORY_COUNT_MAX) ?? (isPerson() ? HISTORY : 0);
}

function isPerson(): boolean {
  return process.stdin.isTTY === true && standardStream(1).isTTY === true;
}

/** "All addresses" cannot be dialled: a peer that listens on them tells the others one of them. */
function readAdvertise(settings: Settings, host: string, port: number): ChatOptions["advertise"] {
  const advertise = settings.text("advertise");
  if (advertise !== undefined) return address(settings.label("advertise"), advertise);
  // A peer that takes any free port does not know its port yet.
  return isUnspecified(host) && port !== 0 ? { host: outsideAddress() ?? "127.0.0.1", port } : null;
}

/** Where a peer keeps its data, as an absolute path. Throws UsageError. */
export function dataDirectory(settings: Settings, id: number): string {
  const directory = settings.text("data-dir");
  if (directory === "")
    throw new UsageError(`${settings.label("data-dir")} needs a directory, not an empty text (is a variable unset?)`);
  return resolve(directory ?? join(peersDirectory(), `peer-${id}`));
}

/** Where peers are that are told no place of their own. Throws UsageError. */
export function peersDirectory(): string {
  return join(stateDirectory(), "chatpeer");
}

function readTimings(settings: Settings): ChatOptions["timings"] {
  const time = (name: string) => duration(settings.label(name), settings.text(name) as string);
  const leaderTimeout = time("leader-timeout");
  // One timeout decides both when a leader is suspected and when a leader abdicates.
  const timings = {
    ...DEFAULT_TIMINGS,
    heartbeat: time("heartbeat-interval"),
    leaderTimeout,
    quorumCheck: leaderTimeout,
  };
  const wrong = checkTimings(timings);
  if (wrong === null) return timings;
  const sources = ["leader-timeout", "heartbeat-interval"].map((name) => `--${name}: ${settings.from(name)}`);
  throw new UsageError(`${wrong} (${sources.join(", ")})`);
}

function stateDirectory(): string {
  const xdg = process.env.XDG_STATE_HOME;
  return xdg?.startsWith("/")
    ? xdg
    : inHome("say where this peer's data is kept with --data-dir DIR", ".local", "state");
}
