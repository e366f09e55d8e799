/** The `chatpeer` command: finds the command, reads its flags, runs it, exits with its code once all that was written is read. */
import { writeSync } from "node:fs";
import packageJson from "../../package.json" with { type: "json" };
import { COMMANDS, findCommand } from "./catalog.ts";
import { CHAT } from "./chat-command.ts";
import { crashLines } from "./crash.ts";
import { UsageError } from "./flags.ts";
import { Output } from "./output.ts";
import { paintFor } from "./paint.ts";
import { runtimeName, runtimeTooOld } from "./runtime.ts";
import { visible } from "./sanitize.ts";
import { WORKER } from "./sim-command.ts";
import { readArguments } from "./usage/arguments.ts";
import { type Command, fullName, VERSION_FLAG, WRONG_USAGE } from "./usage/command.ts";
import { commandHelp } from "./usage/help.ts";
import { configFileOf, gatherSettings } from "./usage/settings.ts";

/** File descriptor: what is written to it directly is there before the process ends. */
const STDERR = 2;
const out = new Output(process.stdout);
const err = new Output(process.stderr);
const [first, ...others] = process.argv.slice(2);
/** What is asked for; errors say how to read about it. */
let asked: Command = CHAT;

async function main(): Promise<number> {
  const tooOld = runtimeTooOld();
  if (tooOld !== null) throw new UsageError(tooOld);
  if (first === WORKER) return (await import("./sim-pool.ts")).simWorker(process.stdin, out);
  const named = first !== undefined && !first.startsWith("-");
  if (named) asked = findCommand(first);
  const args = named || first === undefined ? others : [first, ...others];
  const flags = asked === CHAT ? [...asked.flags, VERSION_FLAG] : asked.flags;
  const given = readArguments(args, flags);
  if (given.flags.has("help")) {
    for (const line of commandHelp(asked, COMMANDS)) out.line(line);
    return 0;
  }
  if (given.flags.has(VERSION_FLAG.name)) {
    out.line(`chatpeer/${packageJson.version} ${process.platform}-${process.arch} (${runtimeName()})`);
    return 0;
  }
  const everywhere = COMMANDS.flatMap((command) => command.flags);
  const file = configFileOf(asked.flags, given.flags, process.env);
  const filed = file === null ? null : (await import("./usage/config-file.ts")).readConfigFile(file, asked.flags);
  const settings = gatherSettings(asked.flags, given.flags, process.env, everywhere, filed);
  return asked.run({ settings, words: given.words, out, err, paint: paintFor(process.stdout) });
}

for (const fault of ["uncaughtException", "unhandledRejection"])
  process.on(fault, (error: unknown) => {
    // Behind whoever puts the terminal in order at the exit.
    process.on("exit", () => writeSync(STDERR, `${crashLines(error).join("\n")}\n`));
    process.exit(1);
  });

let code: number;
try {
  code = await main();
} catch (error) {
  const wrongUsage = error instanceof UsageError;
  const said = wrongUsage
    ? `chatpeer: ${error.message}\nTry: ${fullName(asked)} --help`.split("\n")
    : crashLines(error);
  for (const line of said) err.line(visible(line));
  code = wrongUsage ? WRONG_USAGE : 1;
}
await out.finished();
if (out.failure !== null) {
  err.line(`chatpeer: not everything was written: ${visible(out.failure)}`);
  code ||= 1;
}
await err.finished();
process.exit(code);
