/**
 * Names of the people who are here now [P6]. A peer or client that begins asks all peers at that moment. The log alone
 * does not decide: a name in it may be the asker's own, left by a process that has died.
 */
import type { PeerId } from "../../core/ids.ts";
import type { WhoRow } from "../../core/reports.ts";
import { isName } from "../../wire/text.ts";

/**
 * Says in words who else has the name, and which name is free; null: nobody else has it. `own` is the peer whose person
 * asks, 0 for a client.
 */
export function nameInUse(name: string, people: readonly WhoRow[], own: PeerId): string | null {
  const holder = people.find(
    ({ user, peer_id, client }) => user === name && peer_id !== null && (client || peer_id !== own),
  );
  if (holder === undefined) return null;
  return `the name ${JSON.stringify(name)} is in use: ${whose(holder)} has it. Choose another --name (${freeName(name, people)} is free)`;
}

/** Says in words who has the name of somebody at peer `own`, too; null: nobody has it at another peer. */
export function namesake(name: string, people: readonly WhoRow[], own: PeerId): string | null {
  const other = people.find(({ user, peer_id }) => user === name && peer_id !== null && peer_id !== own);
  if (other === undefined) return null;
  return `${whose(other)} has the name ${JSON.stringify(name)}, too: nobody can tell you apart. Choose another one with /nick (${freeName(name, people)} is free)`;
}

function whose({ client, peer_id }: WhoRow): string {
  return client ? `a client of peer ${peer_id}` : `peer ${peer_id}`;
}

function freeName(name: string, people: readonly WhoRow[]): string {
  const taken = new Set(people.map(({ user }) => user));
  for (let n = 2; ; n++) {
    let stem = [...name];
    while (!isName(`${stem.join("")}_${n}`)) stem = stem.slice(0, -1);
    const proposed = `${stem.join("")}_${n}`;
    if (!taken.has(proposed)) return proposed;
  }
}
