/**
 * News of members: they come, go, or get another role while they are here. Pure state, which knows the members that are
 * here.
 */
import type { HostEvent } from "../../host/events.ts";
import { type Note, note, noteOf } from "../screen/text-lines.ts";

type MemberEvent = Extract<HostEvent, { event: "member" }>;

const PARTS: Partial<Record<MemberEvent["role"], string>> = {
  voter: "has a vote now",
  observer: "has no vote now, only a copy (observer)",
};

export class Members {
  /** The part of each that is here. */
  readonly #here = new Map<number, MemberEvent["role"]>();

  readonly #gone = new Set<number>();

  onEvent(event: MemberEvent): Note | null {
    const { id, state, role } = event;
    const before = this.#here.get(id);
    const wasGone = this.#gone.has(id);
    if (state === "alive" || state === "joined") this.#here.set(id, role);
    else this.#here.delete(id);
    if (state === "unreachable") this.#gone.add(id);
    else this.#gone.delete(id);
    // It is gone and gets another part: the news of its successor says so.
    if (state === "unreachable" && wasGone) return null;
    const part = PARTS[role];
    if (state === "alive" && before !== undefined && before !== role && part !== undefined)
      return note(`peer ${id} ${part}`);
    return noteOf(event);
  }
}
