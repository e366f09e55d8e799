/** System errors as the ports name them. */
import { constants } from "node:os";
import { PortError } from "../host/contracts.ts";

export function toPortError(error: unknown): PortError {
  if (error instanceof PortError) return error;
  const { code, message } = error as { code?: unknown; message?: unknown };
  return new PortError(typeof code === "string" ? code : "EIO", typeof message === "string" ? message : String(error));
}

/**
 * Turns an error of the file system into a PortError that names the path. An error that is a bug of ours is thrown as
 * it is.
 */
export function fileError(action: string, path: string, error: unknown): PortError {
  if (error instanceof PortError) return error;
  // Deno's message says which of its flags is missing.
  if (error instanceof Error && error.name === "NotCapable")
    return new PortError("EACCES", `cannot ${action} ${path}: ${error.message}`);
  const code = codeOf(error);
  if (code === "" || code.startsWith("ERR_")) throw error;
  // A used-up quota counts as a full disk.
  if (isQuota(error)) return new PortError("ENOSPC", `cannot ${action} ${path}: disk quota exceeded (EDQUOT)`);
  const reason = (error as Error).message.replace(/^[A-Z0-9]+: /, "").replace(/, [a-z]+( '.*)?$/s, "");
  return new PortError(code, `cannot ${action} ${path}: ${reason} (${code})`);
}

/** Node.js has no code for it, only the system's number. */
function isQuota(error: unknown): boolean {
  return codeOf(error) === "EDQUOT" || (error as { errno?: number }).errno === -constants.errno.EDQUOT;
}

export function codeOf(error: unknown): string {
  return (error as { code?: string }).code ?? "";
}
