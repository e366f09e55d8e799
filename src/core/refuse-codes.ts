/** Why a connection or a question is refused. */

/** Who is not let in for want of a key, a right or an invitation that counts is told so in these. */
const TRUST_CODES = [
  "needs-tls",
  "plain",
  "stranger",
  "evicted",
  "invite-used",
  "invite-expired",
  "forbidden",
  "revoked",
] as const;

export const REFUSE_CODES = [
  "wrong-version",
  "wrong-cluster",
  "duplicate-id",
  "emptied-founder",
  "id-away",
  "twins",
  "name-in-use",
  "behind",
  "malformed",
  "limit",
  ...TRUST_CODES,
  "closing",
] as const;

export type RefuseCode = (typeof REFUSE_CODES)[number];
export type TrustCode = (typeof TRUST_CODES)[number];

/** What somebody who is refused is told. */
export interface Against {
  readonly code: RefuseCode;
  readonly message: string;
}

export function isTrustCode(code: string): code is TrustCode {
  return TRUST_CODES.some((known) => known === code);
}
