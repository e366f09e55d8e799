/** Where this user's own files live. */
import { homedir } from "node:os";
import { isAbsolute, join } from "node:path";
import { UsageError } from "../usage/flag-values.ts";

/** The home directory, or null: a service or a container may run as a user that no account knows. */
function homeDirectory(): string | null {
  try {
    const home = homedir();
    return isAbsolute(home) ? home : null;
  } catch {
    return null;
  }
}

/** A path below the home directory. Throws UsageError, which says what to give `instead`. */
export function inHome(instead: string, ...path: readonly string[]): string {
  const home = homeDirectory();
  if (home === null)
    throw new UsageError(`this user has no home directory (HOME is not set, and no account says it): ${instead}`);
  return join(home, ...path);
}

/** A path as typed, where `~` is the home directory: shells expand it only at the beginning of a word. Throws UsageError. */
export function expandHome(path: string): string {
  if (/^~[^/]/.test(path))
    throw new UsageError(
      `${path} would be a directory of that name here, not somebody's home: give a whole path (or ./${path})`,
    );
  return path === "~" || path.startsWith("~/") ? inHome(`give a whole path instead of ${path}`, path.slice(2)) : path;
}
