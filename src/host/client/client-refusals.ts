/** Decides which refusals end a client. */
import { type Address, place } from "../../core/address.ts";
import type { Refuse } from "../../core/message.ts";

/** Refusals that do not pass by waiting. */
const FINAL = ["name-in-use", "stranger", "revoked", "forbidden", "needs-tls", "plain"] as const;

export interface Refused {
  readonly message: string;
  readonly code: "fatal" | (typeof FINAL)[number];
}

export class ClientRefusals {
  /** The refusal that ends the client if no other peer lets it in. */
  last: Refused | null = null;

  /**
   * The refusal if it ends the client at once, or null. `isNew`: no peer has let it in yet. `triesSeveral`: other peers may
   * still answer.
   */
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
    // The name may be held by this very client, at another dialled peer; and another peer may know the token.
    return final === "revoked" || (final === "name-in-use" && !triesSeveral) ? this.last : null;
  }
}
