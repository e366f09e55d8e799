/** System errors as the ports name them. */
import { PortError } from "../host/contracts.ts";

export function toPortError(error: unknown): PortError {
  if (error instanceof PortError) return error;
  const { code, message } = error as { code?: unknown; message?: unknown };
  return new PortError(typeof code === "string" ? code : "EIO", typeof message === "string" ? message : String(error));
}
