/** The owner's token: whoever can read this directory may do everything at its peer, as scripts on its machine do [A8]. */
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

/** Writes it as one line of JSON that no other user can read. Throws PortError. */
export function writeOwnerToken(disk: Disk, { token, key, host, port }: OwnerToken): void {
  replaceBytesNow(disk, OWNER_TOKEN, encodeUtf8(`${JSON.stringify({ token, key, host, port })}\n`), false);
}
