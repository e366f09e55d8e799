/** Files that only this user may read. They are made with these rights, and refused without them. */
import { closeSync, fstatSync, fsyncSync, openSync, readFileSync, writeFileSync } from "node:fs";
import { PortError } from "../host/contracts.ts";
import { codeOf, fileError } from "./system-errors.ts";

/** Rights of the group and of others. */
const OTHERS_RIGHTS = 0o077;
/** Windows has other rights than these, and Node.js shows none of them. */
const HAS_MODES = process.platform !== "win32";

/** Returns null if there is none. Throws PortError, also if others can read it: `danger` completes that message, "with which they …". */
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

/** Returns null if there is none. Throws PortError. */
export function readFileIfThere(path: string): string | null {
  return ifThere(path, () => readFileSync(path, "utf8"));
}

/** Makes a file and syncs it; the caller syncs the directory. Throws PortError, with EEXIST if there is one. */
export function makeSecretFile(path: string, content: string): void {
  try {
    // The file has this mode from the start: there is no moment in which others could open it.
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
