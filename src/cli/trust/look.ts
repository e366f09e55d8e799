/** What somebody who has an invitation may know before it is used. */
import type { Invitation } from "../../wire/invitation.ts";

/** Ids that others have. */
export async function idsTaken({ addresses }: Invitation): Promise<readonly number[]> {
  return addresses.map(({ id }) => id);
}
