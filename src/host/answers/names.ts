/**
 * Names that somebody has who is here now [P6]. Whoever begins asks all peers at that moment: a name that stands in the log
 * alone may be its own, of a process that has died.
 */
import type { PeerId } from "../../core/ids.ts";
import type { WhoRow } from "../../core/reports.ts";
import { isName } from "../../wire/text.ts";

/** In words who else has it, and a name that is free; null: nobody else has. `own` is the peer whose person asks, 0 for a client. */
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
