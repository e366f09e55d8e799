/** Why a connection or a question is refused. */
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
  "needs-tls",
  "plain",
  "stranger",
  "evicted",
  "invite-used",
  "invite-expired",
  "forbidden",
  "revoked",
  "closing",
] as const;

export type RefuseCode = (typeof REFUSE_CODES)[number];

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
] as const satisfies readonly RefuseCode[];

export type TrustCode = (typeof TRUST_CODES)[number];

export function isTrustCode(code: string): code is TrustCode {
  return TRUST_CODES.some((known) => known === code);
}
