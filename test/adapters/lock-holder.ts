/**
 * A process for the lock's tests: takes the directory given, says what came of it in one word on a line, and renews its
 * lease whenever a line comes on standard input, until that ends. Its path is also run by Node, as bundled JavaScript.
 */
import { openDisk } from "../../src/adapters/disk.ts";
import { PortError } from "../../src/host/contracts.ts";

const disk = openDisk(process.argv[2] as string);

function told(work: () => string): void {
  let word: string;
  try {
    word = work();
  } catch (error) {
    if (!(error instanceof PortError)) throw error;
    word = error.code;
  }
  process.stdout.write(`${word}\n`);
}

told(() => {
  const holder = disk.lock();
  return holder === null ? "locked" : `unseen: ${holder.who}`;
});
process.stdin.on("data", () => told(() => disk.renewLock()?.code ?? "renewed"));
process.stdin.on("end", () => process.exit(0));
