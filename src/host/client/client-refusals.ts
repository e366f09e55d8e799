/** Why peers do not let a client in, and whether that ends it. */
import { type Address, place } from "../../core/address.ts";
import type { Refuse } from "../../core/message.ts";

/** Refusals that no waiting helps against. */
const FINAL = ["name-in-use", "stranger", "revoked", "forbidden", "needs-tls", "plain"] as const;

export interface Refused {
  readonly message: string;
  readonly code: "fatal" | (typeof FINAL)[number];
}

export class ClientRefusals {
  /** What ends the client if no other peer lets it in, either. */
  last: Refused | null = null;

  /** What ends it at once, or null. `isNew`: no peer ever let it in; `triesSeveral`: others may answer yet. */
  judge(
    { code, message }: Refuse,
    address: Address,
    { isNew, triesSeveral }: { readonly isNew: boolean; readonly triesSeveral: boolean },
  ): Refused | null {
    const refused = `refused by ${place(address)}: ${message}`;
    if (code === "wrong-cluster" || code === "wrong-version") return { message: refused, code: "fatal" };
    const final = FINAL.find((one) => one === code);
    if (final === undefined || (final !== "revoked" && !isNew)) return null;
    this.last = { message: refused, code: final };
    // Who has the name may be this very client, at another peer that was slower to say so; and another one may know the token.
    return final === "revoked" || (final === "name-in-use" && !triesSeveral) ? this.last : null;
  }
}
