/** The `chatpeer` command: reads flags, runs a command, exits with its code once everything written has been read. */
import { homedir } from "node:os";
import { join, resolve } from "node:path";
import { cac } from "cac";
import packageJson from "../../package.json" with { type: "json" };
import { systemClock } from "../adapters/clock.ts";
import { platformPorts } from "../adapters/platform.ts";
import { checkTimings, DEFAULT_TIMINGS, PEER_ID_MAX } from "../core/config.ts";
import { type ChatOptions, runChat } from "./chat.ts";
import { CLIENT_COMMANDS, defineClients, isClientCommand } from "./client-flags.ts";
import { runClientCommand } from "./clients.ts";
import { printLog, verify } from "./files.ts";
import {
  address,
  checkFlags,
  duration,
  name,
  nearest,
  oneOf,
  rawFlag,
  rawFlags,
  seed,
  UsageError,
  wholeNumber,
} from "./flags.ts";
import { Output } from "./output.ts";
import { paintFor } from "./paint.ts";
import { recover } from "./recover.ts";
import { simulate } from "./sim.ts";
import { defineSim, readSim } from "./sim-flags.ts";
import { simWorker, WORKER } from "./sim-pool.ts";

const out = new Output(process.stdout);
const err = new Output(process.stderr);
const args = process.argv.slice(2);

/** Names of the commands, for `help` and for suggestions; the chat itself is the one without a name. */
const COMMANDS = [...CLIENT_COMMANDS, "verify", "log", "recover", "sim", "help"];

function buildCli() {
  const cli = cac("chatpeer");
  cli
    .command("", "Start a peer and chat")
    .option("--id <n>", `Peer id, unique in the cluster, 1 to ${PEER_ID_MAX}; the higher id wins an election`)
    .option("--host <host>", "Listen address", { default: "127.0.0.1" })
    .option("--port <port>", "Listen port, 0 for a free one (default: 6000 + id)")
    .option("--advertise <host:port>", "Address that others dial, where it differs")
    .option("--seed <id:host:port>", "A peer to join through; may be repeated (none: found a cluster)")
    .option("--name <name>", "Your name (default: peer_<id>)")
    .option("--room <room>", "The room to talk in", { default: "general" })
    .option("--data-dir <dir>", "This peer's data (default: in the XDG state directory, one folder per id)")
    .option("--headless", "No input: just be a member")
    .option("--json", "One JSON object per line on stdout; lines of stdin are messages or /commands")
    .option("--history <n>", "Messages shown at the start in a terminal", { default: 20 })
    .option("--no-receipts", "Tell nobody what you have read")
    .option("--heartbeat-interval <time>", "Between heartbeats of the leader", { default: "200ms" })
    .option("--leader-timeout <time>", "A leader not heard for so long is suspected", { default: "1200ms" })
    .option("--durability <fsync|os>", "What `sent` means: on the disks, or with the operating systems", {
      default: "fsync",
    })
    .option("--log-level <level>", "off, error, warn, info or debug (default: warn in a terminal, else info)")
    .option("--log-format <text|json>", "Log lines on stderr", { default: "text" });
  defineClients(cli);
  cli.command(
    "verify [...dirs]",
    "Compare the committed logs in data directories; exit 0 only if they are one history",
  );
  cli
    .command("log [dir]", "Print the history that a data directory holds")
    .option("--json", "One JSON object per message")
    .option("--room <room>", "Only this room")
    .option("--after <index>", "Only messages behind this log index", { default: 0 });
  cli
    .command("recover [dir]", "Go on alone with this directory's log after a majority of the voters is lost for good")
    .option("--force", "Do it; without, only say what would be done and what may be lost");
  defineSim(cli);
  cli.command("help [command]", "Explain a command");
  cli.help();
  cli.option("-v, --version", "Display version number");
  return cli;
}

async function main(): Promise<number> {
  checkRuntime();
  const cli = buildCli();
  if (args[0] === "help") return help(cli, args[1]);
  if (args[0] === WORKER) return simWorker(process.stdin, out);
  if (args.length === 1 && (args[0] === "--version" || args[0] === "-v")) {
    out.line(versionLine());
    return 0;
  }
  const { options } = cli.parse([process.execPath, "chatpeer", ...args], { run: false });
  if (options.help === true) return 0;
  // The parser only knows the command: it is lenient with flags, and what is misspelled must not be passed over.
  const { words, switches } = checkFlags(args, knownFlags(cli));
  const rest = cli.matchedCommandName === "" || cli.matchedCommandName === undefined ? words : words.slice(1);
  if (isClientCommand(cli.matchedCommandName)) {
    const streams = { input: process.stdin, output: process.stdout, error: process.stderr, out, err };
    return runClientCommand(cli.matchedCommandName, args, rest, switches, { ...streams, signals });
  }
  switch (cli.matchedCommandName) {
    case "verify":
      return verify(rest, out, err);
    case "log": {
      if (rest.length !== 1) throw new UsageError("log needs one data directory: chatpeer log DIR");
      const room = rawFlag(args, "room");
      const after = wholeNumber("--after", rawFlag(args, "after") ?? "0", 0, 999_999_999_999_999);
      return printLog(
        rest[0] as string,
        { json: switches.has("json"), room: room === undefined ? null : name("--room", room), after },
        out,
        err,
        paintFor(process.stdout),
      );
    }
    case "recover":
      return recover(rest, switches.has("force"), systemClock, out, err);
    case "sim":
      return simulate(readSim(args, rest, switches), out, paintFor(process.stdout));
    default:
      if (rest.length > 0) {
        const close = nearest(rest[0] as string, COMMANDS);
        throw new UsageError(
          `there is no command ${JSON.stringify(rest[0])}${close === null ? "" : `, did you mean ${close}?`}`,
        );
      }
      return chat(readOptions(switches));
  }
}

function versionLine(): string {
  const { bun, deno, node } = process.versions as Record<string, string | undefined>;
  const runtime = bun !== undefined ? `Bun ${bun}` : deno !== undefined ? `Deno ${deno}` : `Node.js ${node}`;
  return `chatpeer/${packageJson.version} ${process.platform}-${process.arch} (${runtime})`;
}

function help(cli: ReturnType<typeof buildCli>, command: string | undefined): number {
  if (command !== undefined && !cli.commands.some((c) => c.name === command)) {
    const close = nearest(command, COMMANDS);
    throw new UsageError(
      `there is no command ${JSON.stringify(command)}${close === null ? "" : `, did you mean ${close}?`}`,
    );
  }
  cli.parse([process.execPath, "chatpeer", ...(command === undefined ? [] : [command]), "--help"], { run: false });
  return 0;
}

/** Flags by name, as typed without dashes, and whether each takes a value. */
function knownFlags(cli: ReturnType<typeof buildCli>): ReadonlyMap<string, boolean> {
  const command = cli.matchedCommand ?? cli.commands.find((c) => c.name === "");
  const known = new Map<string, boolean>();
  for (const { rawName } of [...(command?.options ?? []), ...cli.globalCommand.options]) {
    for (const flag of rawName.split(/[ ,]+/)) {
      if (flag.startsWith("-")) known.set(flag.replace(/^--?/, ""), rawName.includes("<"));
    }
  }
  return known;
}

function readOptions(switches: ReadonlySet<string>): ChatOptions & { readonly dataDir: string } {
  const flag = (key: string) => rawFlag(args, key);
  const idText = flag("id");
  if (idText === undefined) throw new UsageError("--id is needed, a number that no other peer has: chatpeer --id 1");
  const id = wholeNumber("--id", idText, 1, PEER_ID_MAX);
  const portText = flag("port");
  const advertise = flag("advertise");
  const timings = {
    ...DEFAULT_TIMINGS,
    heartbeat: duration("--heartbeat-interval", flag("heartbeat-interval") ?? "200ms"),
    leaderTimeout: duration("--leader-timeout", flag("leader-timeout") ?? "1200ms"),
  };
  // Who is suspected and who abdicates are two sides of one time.
  timings.quorumCheck = timings.leaderTimeout;
  const wrong = checkTimings(timings);
  if (wrong !== null) throw new UsageError(wrong);
  const dataDir = flag("data-dir");
  if (dataDir === "") throw new UsageError("--data-dir needs a directory, not an empty text (is a variable unset?)");
  const json = switches.has("json");
  const headless = switches.has("headless");
  const mode = json ? "json" : headless ? "quiet" : process.stdin.isTTY === true ? "terminal" : "pipe";
  return {
    id,
    host: flag("host") ?? "127.0.0.1",
    port: portText === undefined ? 6000 + id : wholeNumber("--port", portText, 0, 65_535),
    advertise: advertise === undefined ? null : address("--advertise", advertise),
    seeds: rawFlags(args, "seed").map(seed),
    name: name("--name", flag("name") ?? `peer_${id}`),
    announces: !headless,
    receipts: !switches.has("no-receipts"),
    room: name("--room", flag("room") ?? "general"),
    dataDir: resolve(dataDir ?? join(stateDirectory(), "chatpeer", `peer-${id}`)),
    mode,
    headless,
    history: wholeNumber("--history", flag("history") ?? "20", 0, 100_000),
    timings,
    durability: oneOf("--durability", flag("durability") ?? "fsync", ["fsync", "os"]),
    logLevel: oneOf("--log-level", flag("log-level") ?? (mode === "terminal" || mode === "pipe" ? "warn" : "info"), [
      "off",
      "error",
      "warn",
      "info",
      "debug",
    ]),
    logFormat: oneOf("--log-format", flag("log-format") ?? "text", ["text", "json"]),
  };
}

function stateDirectory(): string {
  const xdg = process.env.XDG_STATE_HOME;
  return xdg?.startsWith("/") ? xdg : join(homedir(), ".local", "state");
}

function chat(options: ReturnType<typeof readOptions>): Promise<number> {
  if (!isLoopback(options.host)) {
    err.line(
      `chatpeer: warning: listening on ${options.host}: traffic is neither encrypted nor authenticated yet, anyone who reaches the port can read and write`,
    );
  }
  return runChat(
    platformPorts(options.dataDir),
    options,
    { input: process.stdin, output: process.stdout, error: process.stderr },
    signals,
  );
}

function signals(handler: (signal: string) => void): void {
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, () => handler(signal));
}

function isLoopback(host: string): boolean {
  return host === "localhost" || host === "::1" || /^127\./.test(host);
}

function checkRuntime(): void {
  const bun = process.versions.bun;
  const [major = 0, minor = 0, patch = 0] = (bun ?? process.versions.node).split(".").map(Number);
  const tooOld =
    bun === undefined ? major < 20 : major < 1 || (major === 1 && (minor < 4 || (minor === 4 && patch < 2)));
  if (tooOld)
    throw new UsageError(
      bun === undefined
        ? `Node.js 20 or later is needed, this is ${process.versions.node}`
        : `Bun 1.4.2 or later is needed (older ones lose bytes of sockets), this is ${bun}`,
    );
}

let code: number;
try {
  code = await main();
} catch (error) {
  if (!(error instanceof UsageError)) throw error;
  err.line(`chatpeer: ${error.message}\nTry: chatpeer --help`);
  code = 2;
}
await Promise.all([out.finished(), err.finished()]);
process.exit(code);
