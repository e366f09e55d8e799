/** Files that nobody but this user may read: made with these rights, and not used without them. */
import { closeSync, fstatSync, fsyncSync, openSync, readFileSync, writeFileSync } from "node:fs";
import { PortError } from "../host/contracts.ts";
import { codeOf, fileError } from "./system-errors.ts";

/** Rights of the group and of others. */
const OTHERS_RIGHTS = 0o077;
/** Windows has other rights than these, and Node.js shows none of them. */
const HAS_MODES = process.platform !== "win32";

/** Null where there is none. Throws PortError, also where others can read it: `danger` says what that means, "with which they …". */
export function readSecretFile(path: string, danger: string): string | null {
  return ifThere(path, () => {
    const file = openSync(path, "r");
    try {
      const mode = fstatSync(file).mode & 0o777;
      if (HAS_MODES && (mode & OTHERS_RIGHTS) !== 0)
        throw new PortError(
          "EACCES",
          `others on this machine can read ${path} (mode ${mode.toString(8).padStart(4, "0")}), ${danger}. If nobody has: chmod 600 ${path}`,
        );
      return readFileSync(file, "utf8");
    } finally {
      closeSync(file);
    }
  });
}

/** Null where there is none. Throws PortError. */
export function readFileIfThere(path: string): string | null {
  return ifThere(path, () => readFileSync(path, "utf8"));
}

/** Makes it durably; its name is durable when its directory is synced. Throws PortError, EEXIST where there is one. */
export function makeSecretFile(path: string, content: string): void {
  try {
    // The mode holds from the first moment on: nobody can open it between two calls.
    const file = openSync(path, "wx", 0o600);
    try {
      writeFileSync(file, content);
      fsyncSync(file);
    } finally {
      closeSync(file);
    }
  } catch (error) {
    throw fileError("make", path, error);
  }
}

function ifThere(path: string, read: () => string): string | null {
  try {
    return read();
  } catch (error) {
    if (codeOf(error) === "ENOENT") return null;
    throw fileError("read", path, error);
  }
}
