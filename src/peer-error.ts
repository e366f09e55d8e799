/** The errors that the library throws, or rejects with. */

import type { TrustCode } from "./core/refuse-codes.ts";

export type PeerErrorCode =
  /** An argument has a wrong type, an option is unknown, or a number is out of bounds. Nothing was done. */
  | "bad-option"
  | "start"
  | "empty"
  | "too-large"
  | "not-utf8"
  | "bad-room"
  | "bad-name"
  | "name-in-use"
  | "disk"
  /** The cluster does not let this peer in, or no more; "forbidden" also: what was asked needs more rights. */
  | TrustCode
  /** What was asked of the cluster was not done. */
  | "refused"
  /** The given signal is aborted; its reason is the `cause`. */
  | "aborted"
  | "timeout"
  | "closed";

export class PeerError extends Error {
  override readonly name = "PeerError";
  readonly code: PeerErrorCode;
  constructor(code: PeerErrorCode, message: string, options?: { readonly cause: unknown }) {
    super(message, options);
    this.code = code;
  }
}
