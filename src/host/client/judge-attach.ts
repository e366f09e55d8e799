/** Decides which clients are let in, under which name and with which sessions [S8] [A8]. */
import type { Attach } from "../../core/client-frames.ts";
import { TOKEN_CONNECTIONS_MAX } from "../../core/config.ts";
import type { Chat } from "../../core/message.ts";
import type { Against } from "../../core/refuse-codes.ts";
import { sessionStart } from "../../core/thin-client.ts";
import type { EngineView } from "../../engines/view.ts";
import type { Attachment } from "./attachment.ts";
import type { ClientsHost } from "./clients-host.ts";
import type { Grant } from "./grants.ts";
import { isReserved } from "./reserved-names.ts";

type JudgeHost = Pick<ClientsHost, "clock" | "grants" | "peer" | "clusterId" | "ownName">;

export function judgeAttach(frame: Attach, host: JudgeHost, attachments: readonly Attachment[]): Grant | Against {
  const peer = host.peer();
  const clusterId = host.clusterId();
  if (peer === null || peer.quitting)
    return { code: "closing", message: "this peer is starting or stopping: try again" };
  if (clusterId === null || peer.configuration === null)
    return { code: "closing", message: "this peer is not in a cluster yet: try again when it has met another one" };
  if (frame.cluster_id !== null && frame.cluster_id !== clusterId)
    return { code: "wrong-cluster", message: `this peer belongs to cluster ${clusterId}, not to ${frame.cluster_id}` };
  // The peer in whose name it numbers its messages may have left, and be forgotten, long since.
  if (frame.sender_id !== 0 && frame.cluster_id === null)
    return { code: "malformed", message: "a client that goes on in a session names the cluster in which it began" };
  const grant = host.grants.of(frame.token, peer);
  if (!("code" in grant)) return againstGrant(frame, grant, { host, peer, attachments }) ?? grant;
  // Another peer has the token in its log already; this peer will have it soon.
  const isAhead = grant.code === "stranger" && frame.token !== undefined && frame.seen > peer.log.commit;
  return isAhead ? { code: "behind", message: "this peer is behind what you have seen already" } : grant;
}

function againstGrant(
  frame: Attach,
  grant: Grant,
  at: { host: JudgeHost; peer: EngineView; attachments: readonly Attachment[] },
): Against | null {
  const { session } = frame;
  const { host, peer, attachments } = at;
  if (session !== "" && grant.enrolled !== null && !session.startsWith(sessionStart(grant.enrolled)))
    return { code: "forbidden", message: "that session is not one of your token's" };
  if (isLimited(grant)) {
    const same = attachments.filter(
      (a) => a.grant.token === grant.token && (session === "" || a.attach.session !== session),
    );
    if (same.length >= TOKEN_CONNECTIONS_MAX)
      return { code: "limit", message: `your token has ${same.length} connections here, and no more are taken` };
  }
  const name = nameOf(frame, grant);
  if (name === "") return null;
  const taken = attachments.some((a) => a.attach.session !== session && a.name === name) || host.ownName() === name;
  if (!taken && !(grant.name === "" && isReserved(name, peer, host.clock.wall()))) return null;
  const message = `the name ${JSON.stringify(name)} is in use on peer ${peer.self.id}: choose another --name`;
  return { code: "name-in-use", message };
}

/** The owner is not limited, because the data directory allows more anyway; and a plain cluster knows nobody. */
export function isLimited({ enrolled }: Grant): boolean {
  return enrolled !== null && enrolled > 0;
}

/** The client's name: that of its token, if it has one. A visitor has no name. */
export function nameOf({ user }: Attach, grant: Grant): string {
  return user === "" || grant.name === "" ? user : grant.name;
}

export function inTheNameOf({ name }: Grant, chat: Chat): Chat {
  if (name === "" || chat.messages.every(({ user }) => user === name)) return chat;
  return { ...chat, messages: chat.messages.map((draft) => ({ ...draft, user: name })) };
}
