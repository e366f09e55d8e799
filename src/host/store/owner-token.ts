/** The token of whoever can read this directory: scripts on this machine are let in with it, and may do everything [A8]. */
import type { Key } from "../../core/ids.ts";
import { encodeUtf8 } from "../../wire/text.ts";
import type { Disk } from "../contracts.ts";
import { replaceBytesNow } from "./state-files.ts";

export const OWNER_TOKEN = "owner.token";

export interface OwnerToken {
  /** Fresh at each start. */
  readonly token: string;
  readonly key: Key;
  /** Where this peer listens. */
  readonly host: string;
  readonly port: number;
}

/** JSON in one line, that nobody else can read. Throws PortError. */
export function writeOwnerToken(disk: Disk, { token, key, host, port }: OwnerToken): void {
  replaceBytesNow(disk, OWNER_TOKEN, encodeUtf8(`${JSON.stringify({ token, key, host, port })}\n`), false);
}
