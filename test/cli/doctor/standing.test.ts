/** How a peer that answers `chatpeer doctor` fares, in its own words. */
import { afterAll, expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { platformVisit } from "../../../src/adapters/platform.ts";
import { askStatus, judgeStanding } from "../../../src/cli/doctor/standing.ts";
import { createPeer } from "../../../src/index.ts";

const TIMEOUT_MS = 2000;
const PORTS = platformVisit();

const root = mkdtempSync(join(tmpdir(), "chatpeer-standing-"));
afterAll(() => rmSync(root, { recursive: true, force: true }));

test("it says itself whom it waits for and what it cannot write; one that does not answer is no finding", async () => {
  const alone = await createPeer({ id: 6, port: 0, dataDir: join(root, "six") });
  const address = { host: "127.0.0.1", port: alone.port };
  try {
    const status = await askStatus(PORTS, address, TIMEOUT_MS);
    if (status === null) throw new Error("it runs");
    expect(judgeStanding(address, status)).toMatchObject([
      { ok: false, code: "waiting", message: expect.stringContaining("alone in it") },
    ]);
    const message = "cannot write the log";
    const troubled = { ...status, waiting: null, troubles: [{ file: "log", message, since: 0 }] };
    expect(judgeStanding(address, troubled)).toMatchObject([{ code: "trouble", message }]);
  } finally {
    await alone.close();
  }
  expect(await askStatus(PORTS, address, TIMEOUT_MS)).toBeNull();
});
