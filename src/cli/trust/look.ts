/** What somebody who has an invitation may know before it is used: whether it counts, and who the members are. */
import { securedVisit } from "../../adapters/platform.ts";
import type { PeerId } from "../../core/ids.ts";
import { Redeeming } from "../../host/client/redeeming.ts";
import type { Invitation } from "../../wire/invitation.ts";

export type Looked =
  | { readonly ok: true; readonly ids: readonly PeerId[] }
  /** `code`: of the refusal; null: nobody answered. */
  | { readonly ok: false; readonly code: string | null; readonly message: string };

/** A name is said, and not taken. */
const ANYBODY = "guest";

/** Never rejects. */
export async function look(invitation: Invitation): Promise<Looked> {
  const ports = await securedVisit();
  return new Promise((resolve) => {
    new Redeeming(
      ports,
      invitation,
      { tokenHash: null, user: ANYBODY },
      {
        redeemed: ({ members }) => resolve({ ok: true, ids: members.map(({ id }) => id) }),
        refused: (code, message) => resolve({ ok: false, code, message }),
      },
    );
  });
}

/** Ids that others have. Whoever cannot be asked now is asked by the peer itself. */
export async function idsTaken(invitation: Invitation): Promise<readonly PeerId[]> {
  const looked = await look(invitation);
  return looked.ok ? looked.ids : invitation.addresses.map(({ id }) => id);
}
