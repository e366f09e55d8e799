/** What a peer, a file or a person gave and what is wrong with it. Data, not a bug: refused and survived [W4]. */
export class WireError extends Error {
  override readonly name = "WireError";
}
