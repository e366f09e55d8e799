/** The `chatpeer` command: finds the command, reads its flags, runs it, exits with its code once all that was written is read. */
import { standardStream } from "../adapters/standard-stream.ts";
import { crashLines, endOnCrash } from "./process/crash.ts";
import { Output } from "./process/output.ts";
import { runtimeName, runtimeTooOld, VERSION } from "./process/runtime.ts";
import { paintFor } from "./screen/paint.ts";
import { visible } from "./screen/visible.ts";
import { WORKER } from "./sim/sim-worker.ts";
import { COMMANDS } from "./usage/catalog.ts";
import { fullName, WRONG_USAGE } from "./usage/command.ts";
import { CommandLine } from "./usage/command-line.ts";
import { UsageError } from "./usage/flag-values.ts";
import { commandHelp } from "./usage/help.ts";
import { configFileOf, gatherSettings } from "./usage/settings.ts";

const [stdout, stderr] = [standardStream(1), standardStream(2)];
const out = new Output(stdout);
const err = new Output(stderr);
const args = process.argv.slice(2);
const commandLine = new CommandLine(COMMANDS);

async function main(): Promise<number> {
  const tooOld = runtimeTooOld();
  if (tooOld !== null) throw new UsageError(tooOld);
  if (args[0] === WORKER) return (await import("./sim/sim-pool.ts")).simWorker(process.stdin, out);
  const { command, words, flags, wants } = commandLine.read(args);
  if (wants === "help") {
    for (const line of commandHelp(command, COMMANDS)) out.line(line);
    return 0;
  }
  if (wants === "version") {
    out.line(`chatpeer/${VERSION} ${process.platform}-${process.arch} (${runtimeName()})`);
    return 0;
  }
  const everywhere = COMMANDS.flatMap((c) => c.flags);
  const file = configFileOf(command.flags, flags, process.env);
  const filed = file === null ? null : (await import("./usage/config-file.ts")).readConfigFile(file, command.flags);
  const settings = gatherSettings(command.flags, flags, process.env, everywhere, filed);
  return command.run({ settings, words, out, err, paint: paintFor(stdout) });
}

endOnCrash(stderr);

let code: number;
try {
  code = await main();
} catch (error) {
  const wrongUsage = error instanceof UsageError;
  const said = wrongUsage
    ? `chatpeer: ${error.message}\nTry: ${fullName(commandLine.asked)} --help`.split("\n")
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
