/** Names that belong to tokens, or to open invitations: nobody else may take them [A8]. */
import type { EngineView } from "../../engines/view.ts";

/** Whether the name belongs to a token, or to an open invitation other than `but`, which is a hash. */
export function isReserved(name: string, { secure, access }: EngineView, wall: number, but = ""): boolean {
  if (!secure) return false;
  if (access.userNamed(name) !== null) return true;
  for (const [hash, invitation] of access.invitations)
    if (hash !== but && invitation.name === name && access.mayRedeem(hash, invitation.role, wall) === null) return true;
  return false;
}

/**
 * Says in words why a token cannot have that name, or returns null. `isKnown`: the name was checked when the invitation was
 * made. Somebody may still be present under it who had the token before.
 */
export function nameTaken(
  name: string,
  peer: EngineView,
  wall: number,
  { but, isKnown }: { readonly but: string; readonly isKnown: boolean },
): string | null {
  const quoted = JSON.stringify(name);
  if (isReserved(name, peer, wall, but))
    return `the name ${quoted} belongs to another token, or is kept for one: take another`;
  if (!isKnown && peer.log.state.people.present.has(name)) return `the name ${quoted} is in use: take another`;
  return null;
}
