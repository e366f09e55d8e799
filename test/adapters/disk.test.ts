import { expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { constants, tmpdir } from "node:os";
import { join } from "node:path";
import { openDisk } from "../../src/adapters/disk.ts";
import { fileError } from "../../src/adapters/system-errors.ts";
import { PortError } from "../../src/host/contracts.ts";
import { diskContract } from "../host/store/disk-contract.ts";

diskContract("the disk on node:fs", () => {
  const root = mkdtempSync(join(tmpdir(), "chatpeer-disk-"));
  return {
    disk: openDisk(join(root, "made", "on", "demand")),
    async settle(done) {
      while (!done()) await new Promise((resolve) => setImmediate(resolve));
    },
    cleanUp: () => rmSync(root, { recursive: true, force: true }),
  };
});

test("a full device is ENOSPC, with the path and the reason in words", () => {
  const disk = openDisk("/dev");
  const full = disk.open("full", "existing");
  try {
    full.write(0, new Uint8Array(10));
    throw new Error("/dev/full took bytes");
  } catch (error) {
    expect(error).toBeInstanceOf(PortError);
    expect((error as PortError).code).toBe("ENOSPC");
    expect((error as PortError).message).toBe("cannot write /dev/full: no space left on device (ENOSPC)");
  } finally {
    full.close();
  }
});

test("a quota that is used up is ENOSPC too, also where the runtime knows only its number", () => {
  const errno = -constants.errno.EDQUOT;
  for (const code of ["EDQUOT", `Unknown system error ${errno}`]) {
    const error = Object.assign(new Error(`${code}: ${code}, write`), { code, errno });
    expect(fileError("write", "log", error)).toMatchObject({
      code: "ENOSPC",
      message: "cannot write log: disk quota exceeded (EDQUOT)",
    });
  }
});
