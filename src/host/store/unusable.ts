/** Why a data directory cannot be used as it is, and what to do: said to people, and the end of whatever wanted it. */
import { type Disk, type Holder, PortError } from "../contracts.ts";
import { remedyOf } from "./troubles.ts";

/** Says what, why and what to do. */
export class HostError extends Error {
  override readonly name = "HostError";
}

/** Takes the directory for this process [D1], or returns a holder that must be outwaited. Throws HostError. */
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

/** Where nothing can wait for the disk. */
export function unusable(error: PortError): string {
  return `the data directory cannot be used: ${error.message}; ${remedyOf(error)}, then start again`;
}
