/** A host at work: all that it is made of. */
import type { Started } from "./parts.ts";
import type { Turn } from "./turn.ts";
import type { Upkeep } from "./upkeep.ts";

export interface Running extends Started {
  readonly turn: Turn;
  readonly upkeep: Upkeep;
}
