/** Names that belong to a token, or are kept for who is invited under them: nobody else has them [A8]. */
import type { EngineView } from "../../engines/view.ts";

/** Whose token counts, or whom an open invitation names; `but`: hash of the one whose holder asks. */
export function isReserved(name: string, { secure, access }: EngineView, wall: number, but = ""): boolean {
  if (!secure) return false;
  if (access.userNamed(name) !== null) return true;
  for (const [hash, invitation] of access.invitations)
    if (hash !== but && invitation.name === name && access.mayRedeem(hash, invitation.role, wall) === null) return true;
  return false;
}

/**
 * In words why a token cannot have that name, or null. `isKnown`: who invited has looked already whether somebody is here
 * under it, and it may still be shown of who had the token before.
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
