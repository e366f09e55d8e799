/**
 * A process for the lock's tests: takes the directory given, says what came of it in one word on a line, and stays
 * until its standard input ends. Its path is also run by Node, as bundled JavaScript.
 */
import { openDisk } from "../../src/adapters/disk.ts";
import { PortError } from "../../src/host/contracts.ts";

try {
  openDisk(process.argv[2] as string).lock();
  process.stdout.write("locked\n");
} catch (error) {
  if (!(error instanceof PortError)) throw error;
  process.stdout.write(`${error.code}\n`);
}
process.stdin.resume();
process.stdin.on("end", () => process.exit(0));
