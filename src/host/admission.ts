/** Who is let in, what a refusal means to the one who is not, and which messages are taken. Pure decisions. */
import { MESSAGE_BYTES_MAX, NAME_BYTES_MAX } from "../core/config.ts";
import type { Hello, Refuse } from "../core/message.ts";
import type { Peer } from "../core/peer.ts";
import { refusal } from "./channel.ts";

const UTF8 = new TextEncoder();

/** [W2] [M1] [M6] What speaks against linking a peer that introduces itself; the links check version and form. */
export function judgeHello(
  hello: Hello,
  peer: Peer,
  clusterId: string | null,
): { readonly refuse: Refuse; readonly notice?: string } | null {
  const here = `${peer.options.address.host}:${peer.options.address.port}`;
  if (hello.id === peer.self.id)
    return {
      refuse: refusal("duplicate-id", `peer id ${hello.id} is in use by the peer at ${here}: choose another --id`),
    };
  if (clusterId === null || hello.cluster_id === null || clusterId === hello.cluster_id) return null;
  const members = peer.configuration?.members ?? [];
  const known = members.find((m) => m.id === hello.id);
  if (known !== undefined && known.inc !== hello.inc && members.length > 1) {
    const seed = `${peer.self.id}:${here}`;
    const message = `this cluster knows peer ${hello.id} already: was the data directory emptied? Empty it again and start with --seed ${seed}`;
    return {
      refuse: { ...refusal("emptied-founder", message), seed },
      notice: `peer ${hello.id} at ${hello.host}:${hello.port} belongs to this cluster by its id but founded another one: was its data directory emptied? It should start with --seed ${seed}`,
    };
  }
  return {
    refuse: refusal(
      "wrong-cluster",
      `the peer at ${here} belongs to cluster ${clusterId}, not to ${hello.cluster_id}: check --seed and --data-dir`,
    ),
  };
}

/** Whether a peer that hears this cannot go on: it speaks another protocol, or never was in the cluster it asks. */
export function endsPeer(refused: Refuse, peer: Peer): boolean {
  const { code } = refused;
  const alone = (peer.configuration?.members.filter((m) => m.role !== "left").length ?? 0) <= 1;
  const joining = alone || peer.memberOf(peer.self) === null;
  if (code === "wrong-version") return true;
  if (code === "emptied-founder") return alone;
  if (code === "id-away" || code === "duplicate-id") return joining;
  return joining && (code === "limit" || code === "wrong-cluster") && peer.links.size === 0;
}

export interface RefusedText {
  readonly ok: false;
  readonly code: "empty" | "too-large" | "bad-room";
  readonly message: string;
}

/** Why a text for a room is not taken, or null. */
export function refuseText(room: string, text: string): RefusedText | null {
  if (text.length === 0) return { ok: false, code: "empty", message: "an empty message is not sent" };
  const bytes = text.length * 3 <= MESSAGE_BYTES_MAX ? 0 : UTF8.encode(text).length;
  if (bytes > MESSAGE_BYTES_MAX) {
    return {
      ok: false,
      code: "too-large",
      message: `the message has ${bytes} bytes of UTF-8, the limit is ${MESSAGE_BYTES_MAX}: send it in parts`,
    };
  }
  // biome-ignore lint/suspicious/noControlCharactersInRegex: names with control characters are what is refused here
  if (room.length === 0 || UTF8.encode(room).length > NAME_BYTES_MAX || /[\u0000-\u001f\u007f-\u009f]/.test(room)) {
    return {
      ok: false,
      code: "bad-room",
      message: `a room's name has 1 to ${NAME_BYTES_MAX} bytes and no control characters`,
    };
  }
  return null;
}
