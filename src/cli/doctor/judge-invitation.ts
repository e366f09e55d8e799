/** What is wrong with an invitation: its text, the keys of the peers that it names, and what they say of it. It is not used. */
import { type Address, place } from "../../core/address.ts";
import type { Invitation } from "../../wire/invitation.ts";
import { type InvitingPeer, parseInvitation, pinOf } from "../../wire/invitation.ts";
import type { Looked } from "../trust/look.ts";
import { type Finding, problem, well } from "./finding.ts";
import type { Greeting } from "./greeting.ts";
import { noPeer } from "./peers.ts";

const ABOUT = "invitation";

export interface InvitationLooks {
  look(invitation: Invitation): Promise<Looked>;
  greet(address: Address): Promise<Greeting>;
  readonly timeoutMs: number;
}

/** `clusterId`: of the data directory here; null: it is of none. */
export async function judgeInvitation(
  text: string,
  clusterId: string | null,
  looks: InvitationLooks,
): Promise<Finding[]> {
  const parsed = parseInvitation(text);
  if (!parsed.ok) return [problem(ABOUT, "mistyped", parsed.message)];
  const { invitation } = parsed;
  const { addresses, cluster_id } = invitation;
  const answered = await Promise.all(
    addresses.map(async (peer) => judgeKey(peer, await looks.greet(peer), looks.timeoutMs)),
  );
  if (clusterId !== null && clusterId !== cluster_id)
    return [
      problem(
        ABOUT,
        "wrong-cluster",
        `it is to cluster ${cluster_id}, and the data directory here belongs to cluster ${clusterId}: choose another --data-dir`,
      ),
      ...answered,
    ];
  const looked = await looks.look(invitation);
  if (!looked.ok) return [...answered, problem(ABOUT, looked.code ?? "unreachable", looked.message)];
  const command = invitation.role === "member" ? "chatpeer join" : "chatpeer connect";
  return [...answered, well(ABOUT, `it can be used, for cluster ${cluster_id}: ${command} takes it`)];
}

function judgeKey(peer: InvitingPeer, greeting: Greeting, timeoutMs: number): Finding {
  const about = place(peer);
  if (greeting.result === "secured")
    return pinOf(greeting.key) === peer.pin
      ? well(about, `peer ${peer.id} answers, and proves the key that the invitation names: ${greeting.key}`)
      : problem(
          about,
          "key",
          `somebody answers whose key is ${greeting.key}; the invitation names one that begins with ${peer.pin.slice(0, -1)}. Somebody else listens there, or peer ${peer.id} has an empty directory now: ask for a new invitation`,
        );
  if (greeting.result === "peer")
    return problem(
      about,
      "plain",
      `a peer of a plain cluster answers, and the invitation is to a secured one: check the address`,
    );
  const { code, message } = noPeer(about, peer, greeting, timeoutMs);
  return problem(about, code, message);
}
