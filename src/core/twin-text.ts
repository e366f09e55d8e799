/** Two processes on copies of one data directory, in words for a person [E16]. */
import { place } from "./address.ts";
import type { PeerId } from "./ids.ts";
import type { Twin } from "./message.ts";

export function twinsText(id: PeerId, at: readonly Twin[]): string {
  return `the data directory of peer ${id} runs twice, as itself and as a copy, at ${at.map(place).join(" and ")}: neither counts from now on. Stop one of the two for good, then start the other one again`;
}
