/**
 * Why a data directory cannot be used, and what to do, in words for people. It ends the operation that wanted the
 * directory.
 */
import { type Disk, type Holder, PortError } from "../contracts.ts";
import { remedyOf } from "./troubles.ts";

/** Its message says what failed, why, and what to do. */
export class HostError extends Error {
  override readonly name = "HostError";
}

/** Takes the directory for this process [D1], or returns the holder that must be outwaited. Throws HostError. */
export function lockDirectory(disk: Disk): Holder | null {
  try {
    return disk.lock();
  } catch (error) {
    if (!(error instanceof PortError)) throw error;
    throw new HostError(lockFailure(error));
  }
}

export function lockFailure(error: PortError): string {
  if (error.code !== "ELOCKED") return unusable(error);
  return `the data directory is in use by another process (${error.message}): stop that one, or choose another --data-dir`;
}

/** The message for an error of the disk that nothing can wait for. */
export function unusable(error: PortError): string {
  return `the data directory cannot be used: ${error.message}; ${remedyOf(error)}, then start again`;
}
