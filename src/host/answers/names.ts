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
  const whose = holder.client ? `a client of peer ${holder.peer_id}` : `peer ${holder.peer_id}`;
  return `the name ${JSON.stringify(name)} is in use: ${whose} has it. Choose another --name (${freeName(name, people)} is free)`;
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
