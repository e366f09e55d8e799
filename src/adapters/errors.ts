/** System errors as the ports name them. */
import { PortError } from "../host/contracts.ts";

export function toPortError(error: unknown): PortError {
  if (error instanceof PortError) return error;
  const { code, message } = error as { code?: unknown; message?: unknown };
  return new PortError(typeof code === "string" ? code : "EIO", typeof message === "string" ? message : String(error));
}

/** What the file system refused, in words that name the path. Throws what is a bug of ours as it is. */
export function fileError(action: string, path: string, error: unknown): PortError {
  if (error instanceof PortError) return error;
  // Deno says which of its flags is missing.
  if (error instanceof Error && error.name === "NotCapable")
    return new PortError("EACCES", `cannot ${action} ${path}: ${error.message}`);
  const code = codeOf(error);
  if (code === "" || code.startsWith("ERR_")) throw error;
  const reason = (error as Error).message.replace(/^[A-Z0-9]+: /, "").replace(/, [a-z]+( '.*)?$/s, "");
  // A quota that is used up is a full disk to us.
  return new PortError(code === "EDQUOT" ? "ENOSPC" : code, `cannot ${action} ${path}: ${reason} (${code})`);
}

export function codeOf(error: unknown): string {
  return (error as { code?: string }).code ?? "";
}
