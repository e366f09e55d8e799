/** The `chatpeer` command: finds the command, reads its flags, runs it, exits with its code once all that was written is read. */
import { standardStream } from "../adapters/standard-stream.ts";
import { CHAT } from "./chat/chat-command.ts";
import { crashLines, endOnCrash } from "./process/crash.ts";
import { Output } from "./process/output.ts";
import { runtimeName, runtimeTooOld, VERSION } from "./process/runtime.ts";
import { paintFor } from "./screen/paint.ts";
import { visible } from "./screen/sanitize.ts";
import { WORKER } from "./sim/sim-worker.ts";
import { readArguments } from "./usage/arguments.ts";
import { COMMANDS, findCommand } from "./usage/catalog.ts";
import { type Command, fullName, VERSION_FLAG, WRONG_USAGE } from "./usage/command.ts";
import { UsageError } from "./usage/flags.ts";
import { commandHelp } from "./usage/help.ts";
import { configFileOf, gatherSettings } from "./usage/settings.ts";

const [stdout, stderr] = [standardStream(1), standardStream(2)];
const out = new Output(stdout);
const err = new Output(stderr);
const [first, ...others] = process.argv.slice(2);
/** What is asked for; errors say how to read about it. */
let asked: Command = CHAT;

async function main(): Promise<number> {
  const tooOld = runtimeTooOld();
  if (tooOld !== null) throw new UsageError(tooOld);
  if (first === WORKER) return (await import("./sim/sim-pool.ts")).simWorker(process.stdin, out);
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
    out.line(`chatpeer/${VERSION} ${process.platform}-${process.arch} (${runtimeName()})`);
    return 0;
  }
  const everywhere = COMMANDS.flatMap((command) => command.flags);
  const file = configFileOf(asked.flags, given.flags, process.env);
  const filed = file === null ? null : (await import("./usage/config-file.ts")).readConfigFile(file, asked.flags);
  const settings = gatherSettings(asked.flags, given.flags, process.env, everywhere, filed);
  return asked.run({ settings, words: given.words, out, err, paint: paintFor(stdout) });
}

endOnCrash(stderr);

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
err.hasten();
await err.finished();
process.exit(code);
