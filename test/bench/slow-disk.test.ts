import { expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { slowSync } from "../../bench/slow-disk.ts";
import { openDisk } from "../../src/adapters/disk.ts";

const SLOW_MS = 40;

test("a slow disk's sync is done so much later, for files opened before too, and as fast as it is when that is over", async () => {
  const root = mkdtempSync(join(tmpdir(), "chatpeer-slow-"));
  const file = openDisk(root).open("x", "create");
  const synced = () => new Promise<unknown>((resolve) => file.sync(resolve));
  slowSync(SLOW_MS);
  file.write(0, new Uint8Array([1]));
  const began = performance.now();
  expect(await synced()).toBeNull();
  expect(performance.now() - began).toBeGreaterThanOrEqual(SLOW_MS - 1);
  // Of two that are asked for behind it, the one of a closed file says nothing.
  const other = openDisk(root).open("y", "create");
  let said = false;
  other.sync(() => {
    said = true;
  });
  other.close();
  await synced();
  await synced();
  expect(said).toBe(false);
  slowSync(0);
  expect(await synced()).toBeNull();
  file.close();
  rmSync(root, { recursive: true });
});
