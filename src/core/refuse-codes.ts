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
