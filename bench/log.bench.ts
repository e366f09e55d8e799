/** The log on disk: `bun bench/log.bench.ts [DIR]`. One unit is one message of 100 bytes, appended with 511 others. */
import { closeSync, fdatasyncSync, mkdtempSync, openSync, rmSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { systemClock } from "../src/adapters/clock.ts";
import { openDisk } from "../src/adapters/disk.ts";
import { openDirectory } from "../src/host/store/directory.ts";
import { bytesOf, chatLog } from "./entries.ts";
import { suite } from "./suite.ts";

const MESSAGES = 512;
const { genesis, chats } = chatLog(MESSAGES);
const bytes = bytesOf(chats);
const root = mkdtempSync(join(process.argv[2] ?? tmpdir(), "chatpeer-log-bench-"));
const fd = openSync(join(root, "control"), "w");
const events = { durable: () => {}, failed: () => {}, noted: () => {} };
const directory = openDirectory(openDisk(join(root, "log")), systemClock, { id: 1, founds: true, fsync: true, events });
const { store } = directory;
store.append([genesis]);

/** Back to the genesis: the same entries are appended each time. */
const before = () => {
  if (store.last > 1) store.truncate(2);
};

try {
  await suite(
    "append, into the page cache",
    { name: "write the same bytes", units: MESSAGES, run: () => void writeSync(fd, bytes, 0, bytes.length, 0) },
    { name: "log append", units: MESSAGES, before, run: () => store.append(chats) },
  );
  await suite(
    "append, durable",
    {
      name: "write the same bytes and fdatasync",
      units: MESSAGES,
      run: () => {
        writeSync(fd, bytes, 0, bytes.length, 0);
        fdatasyncSync(fd);
      },
    },
    {
      name: "log append and sync",
      units: MESSAGES,
      before,
      run: () => {
        store.append(chats);
        store.syncNow();
      },
    },
  );
} finally {
  directory.close();
  closeSync(fd);
  rmSync(root, { recursive: true, force: true });
}
