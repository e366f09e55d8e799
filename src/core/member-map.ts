/**
 * A map by id and incarnation together: an id alone names several members, one after the other [M6]. It is read for
 * every frame, so it makes no string of the two.
 */
import type { MemberKey, PeerId } from "./ids.ts";

interface Slot<V> {
  readonly key: MemberKey;
  value: V;
}

export class MemberMap<V> {
  /** Nearly always one incarnation of each. */
  readonly #byId = new Map<PeerId, Slot<V>[]>();

  get(member: MemberKey): V | undefined {
    return this.#slot(member)?.value;
  }

  has(member: MemberKey): boolean {
    return this.#slot(member) !== undefined;
  }

  set(member: MemberKey, value: V): void {
    const slot = this.#slot(member);
    if (slot !== undefined) {
      slot.value = value;
      return;
    }
    const fresh = { key: { id: member.id, inc: member.inc }, value };
    const slots = this.#byId.get(member.id);
    if (slots === undefined) this.#byId.set(member.id, [fresh]);
    else slots.push(fresh);
  }

  delete(member: MemberKey): void {
    const rest = (this.#byId.get(member.id) ?? []).filter(({ key }) => key.inc !== member.inc);
    if (rest.length > 0) this.#byId.set(member.id, rest);
    else this.#byId.delete(member.id);
  }

  get isEmpty(): boolean {
    return this.#byId.size === 0;
  }

  keys(): MemberKey[] {
    return [...this.#byId.values()].flat().map(({ key }) => key);
  }

  *values(): Generator<V> {
    for (const slots of this.#byId.values()) for (const { value } of slots) yield value;
  }

  #slot(member: MemberKey): Slot<V> | undefined {
    const slots = this.#byId.get(member.id);
    if (slots === undefined) return undefined;
    for (const slot of slots) if (slot.key.inc === member.inc) return slot;
    return undefined;
  }
}
