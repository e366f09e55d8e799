/**
 * Using an invitation as a client, once: the token is made here, its hash is sent, and the token is kept in a file. The
 * token is there before anything is sent, so that who is interrupted asks with the same one again, and is answered again.
 */
import { securedVisit } from "../../adapters/platform.ts";
import { hashSecret, makeSecret } from "../../adapters/trust.ts";
import type { Redeemed } from "../../core/client-frames.ts";
import { Redeeming } from "../../host/client/redeeming.ts";
import type { Invitation } from "../../wire/invitation.ts";
import { readName } from "../client/client-flags.ts";
import type { Output } from "../process/output.ts";
import { visible } from "../screen/visible.ts";
import type { Settings } from "../usage/settings.ts";
import { credentialsIn, credentialsOf, keep, pendingToken, tokenPath } from "./credentials.ts";
import { type Visit, visitWith } from "./visit.ts";

/** Uses the invitation, keeps what it gives, and says where; null: it was not taken, and why is said. Throws UsageError. */
export async function visitInvited(settings: Settings, invitation: Invitation, err: Output): Promise<Visit | null> {
  const path = tokenPath(settings, invitation.cluster_id);
  const before = credentialsIn(path);
  if (before !== null) {
    err.line(
      `chatpeer: the invitation is not used: ${path} holds a token already (--token-file FILE keeps another one)`,
    );
    return visitWith(before, null);
  }
  const user = readName(settings);
  const { token, done } = pendingToken(path, makeSecret);
  const redeemed = await redeem(invitation, hashSecret(token), user, err);
  if (redeemed === null) return null;
  const { name, rights, index, cluster_id, members } = redeemed;
  const kept = { cluster_id, name, rights, token, index, members: [...members] };
  keep(path, kept);
  done();
  err.line(`chatpeer: you are ${visible(name)} here, and may ${rights}; your token is kept in ${path}`);
  return visitWith(credentialsOf(kept), null);
}

async function redeem(invitation: Invitation, tokenHash: string, user: string, err: Output): Promise<Redeemed | null> {
  const ports = await securedVisit();
  return new Promise((resolve) => {
    new Redeeming(
      ports,
      invitation,
      { tokenHash, user },
      {
        redeemed: resolve,
        refused: (_, message) => {
          err.line(`chatpeer: the invitation was not taken: ${visible(message)}`);
          resolve(null);
        },
      },
    );
  });
}
