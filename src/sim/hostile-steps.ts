/** What strangers may send to a peer's port: noise, or frames of the protocol. */
import { PROTOCOL_VERSION } from "../core/config.ts";
import type { Frame } from "../core/frame.ts";
import { type Ballot, NO_BALLOT, type ProcessKey } from "../core/ids.ts";
import { joinBytes } from "../host/store/bytes.ts";
import { encodeFrame } from "../wire/encode.ts";
import { durableJson, durablePromise, logLines } from "./files.ts";
import type { Machine } from "./machine.ts";
import { keyOf } from "./simulated-trust.ts";
import type { Stage } from "./stage.ts";

/** The stranger hangs up after this time. */
const STAYS_MS = 1000;
/** Ids that no simulated peer has. */
const STRANGER_ID = 900;
export const INVENTED_FROM = 1000;
/** An address where nobody listens. */
const NOWHERE = { host: "virtual", port: 1 };

export function sendBytes(world: Stage, machine: Machine, bytes: Uint8Array, as: Machine | null = null): void {
  // In a secured cluster with a key of its own, and the certificate of whom it says that it is.
  const key = keyOf("a stranger");
  const stranger = world.network.stranger(
    machine.port,
    world.isSecured ? { key, shown: as === null ? key : keyOf(as.name) } : null,
  );
  stranger.write(bytes);
  world.time.at(world.time.now + STAYS_MS, () => stranger.destroy());
}

/** Greets as a peer of that machine's cluster, and sends. */
function greetAndSend(
  world: Stage,
  machine: Machine,
  as: ProcessKey,
  frames: readonly Frame[],
  member: Machine | null = null,
): void {
  const identity = durableJson(machine, "identity.json") as { cluster_id: string | null } | null;
  if (identity === null || identity.cluster_id === null) return;
  const { cluster_id } = identity;
  const hello: Frame = { type: "HELLO", version: PROTOCOL_VERSION, cluster_id, ...as, ...NOWHERE };
  sendBytes(world, machine, joinBytes([hello, ...frames].flatMap(encodeFrame)), member);
}

/**
 * Sends a peer every frame that can claim a leader, with a term `terms` above what that peer has promised: as a
 * stranger, or in the name of a member.
 */
export function usurp(world: Stage, machine: Machine, terms: number, member: Machine | undefined): void {
  const promised: Ballot = durablePromise(machine) ?? NO_BALLOT;
  const identity = member === undefined ? null : (durableJson(member, "identity.json") as ProcessKey | null);
  const { id, inc, boot } = identity ?? { id: STRANGER_ID, inc: "stranger", boot: 1 };
  const as: ProcessKey = { id, inc, boot };
  const ballot: Ballot = { term: promised.term + terms, leader_id: id, inc, boot };
  const place = { prev_index: 0, prev_ballot: NO_BALLOT, prev_crc: 0 };
  greetAndSend(
    world,
    machine,
    as,
    [
      { type: "NACK", ballot: promised, promised: ballot, led: false },
      { type: "ELECTION_GRANT", round: 1, promised: ballot },
      { type: "SEEN", promised: ballot, match: 0 },
      { type: "PREPARE", ballot },
      { type: "COORDINATOR", ballot, peer: { id, ...NOWHERE } },
      { type: "HEARTBEAT", ballot, commit: 0, quorum: true, last_index: 0, acked: [], ...place },
    ],
    member,
  );
}

/** `count` strangers, with ids from `first` on, ask to be let in, one after the other, and are never heard again. */
export function knock(world: Stage, machine: Machine, count: number, first: number): void {
  for (let i = 0; i < count; i++) {
    const [id, inc] = [first + i, `stranger${i}`];
    greetAndSend(world, machine, { id, inc, boot: 1 }, [{ type: "JOIN", id, inc, ...NOWHERE }]);
  }
}

/**
 * Sends texts in another peer's session, numbered from the counter that the log expects next, in the name of a member
 * that relays [S6].
 */
export function forge(world: Stage, victim: Machine, member: Machine, count: number): void {
  const leader = world.machines.find((m) => world.status(m)?.role === "leader");
  const typed = world.lastTyped(victim);
  const as = durableJson(member, "identity.json") as ProcessKey | null;
  if (leader === undefined || typed === null || as === null) return;
  const key = typed.slice(0, typed.lastIndexOf("."));
  const numbers = [...logLines(leader, 0, key).values()].flatMap((line) => {
    const id = /"msg_id":"([^"]+)"/.exec(line)?.[1] ?? "";
    return id.startsWith(`${key}.`) ? Number(id.slice(key.length + 1)) : [];
  });
  const first = Math.max(0, ...numbers) + 1;
  const messages = Array.from({ length: count }, (_, i) => {
    const payload = `forged ${first + i} of ${victim.site}`;
    // Where keys are proven nobody may succeed with that.
    if (!world.isSecured) world.checkers.forged(`${key}.${first + i}`, payload);
    return { room_id: "general", user: "stranger", ts: 1, payload };
  });
  const session = key.slice(key.indexOf(".") + 1);
  const { id, inc, boot } = as;
  greetAndSend(
    world,
    leader,
    { id, inc, boot },
    [{ type: "CHAT", sender_id: victim.id, session, first, messages }],
    member,
  );
}
