// A ledger that counts every message exactly once, whenever it is killed: what messages do (here: the sum) and the index of
// the last one are kept in one step. After a crash the last few messages may come again; their index tells them.
import { readFileSync, renameSync, writeFileSync } from "node:fs";
import { createPeer } from "chatpeer";

const LEDGER = "./data/ledger.json";

const peer = await createPeer({ id: 1, dataDir: "./data/ledger-peer" });
let { index, sum } = read();
for await (const message of peer.messages) {
  if (message.index <= index) continue; // it counts already
  index = message.index;
  sum += Number(message.payload);
  // A rename is all or nothing. In a database: one transaction.
  writeFileSync(`${LEDGER}.new`, JSON.stringify({ index, sum }));
  renameSync(`${LEDGER}.new`, LEDGER);
}

function read() {
  try {
    return JSON.parse(readFileSync(LEDGER, "utf8"));
  } catch (error) {
    if (error.code !== "ENOENT") throw error;
    return { index: 0, sum: 0 };
  }
}
