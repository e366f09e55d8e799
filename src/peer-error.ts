/** What the library rejects with. */

export type PeerErrorCode =
  | "bad-option"
  | "start"
  | "empty"
  | "too-large"
  | "bad-room"
  | "bad-name"
  | "name-in-use"
  | "disk"
  | "closed";

export class PeerError extends Error {
  override readonly name = "PeerError";
  readonly code: PeerErrorCode;
  constructor(code: PeerErrorCode, message: string) {
    super(message);
    this.code = code;
  }
}
