/**
 * Treats objects as values, as a search needs it, although the core does not know that it is searched. A graph of
 * objects is copied, so that one state can be left in several ways. It is also written as text, so that a state that is
 * met again is recognised. Neither works with private `#fields`: a search loads the core with these fields open.
 *
 * A frozen object is a value already: copies share it, and its text is made once.
 */

/** Clocks of a search begin here. No other number is as large, so times can be told from counts. */
export const EPOCH = 2 ** 40;
/** Longer than every age that the core compares with something: older times are all the same. */
const LONG_AGO_MS = 12_000;

/** A copy that shares nothing mutable with the original; prototypes, cycles and shared parts are kept. */
export function copyOf<T>(value: T, copies: Map<object, object> = new Map()): T {
  if (typeof value !== "object" || value === null || Object.isFrozen(value)) return value;
  const known = copies.get(value);
  if (known !== undefined) return known as T;
  if (value instanceof Map) {
    const copy = new Map<unknown, unknown>();
    copies.set(value, copy);
    for (const [key, item] of value) copy.set(key, copyOf(item, copies));
    return copy as T;
  }
  if (value instanceof Set) {
    const copy = new Set<unknown>();
    copies.set(value, copy);
    for (const item of value) copy.add(copyOf(item, copies));
    return copy as T;
  }
  const copy = (Array.isArray(value) ? [] : Object.create(Object.getPrototypeOf(value))) as Record<string, unknown>;
  copies.set(value, copy);
  for (const key of Object.keys(value)) copy[key] = copyOf((value as Record<string, unknown>)[key], copies);
  return copy as T;
}

export function deepFreeze<T>(value: T): T {
  if (typeof value !== "object" || value === null || Object.isFrozen(value) || ArrayBuffer.isView(value)) return value;
  Object.freeze(value);
  for (const part of Object.values(value)) deepFreeze(part);
  return value;
}

/** Numbers things by their text, from 0. */
export class Catalogue<T> {
  readonly #items: T[] = [];
  readonly #numbers = new Map<string, number>();

  get size(): number {
    return this.#items.length;
  }

  get all(): readonly T[] {
    return this.#items;
  }

  /** `make` is asked for the thing when its text is new. */
  number(text: string, make: () => T): number {
    const known = this.#numbers.get(text);
    if (known !== undefined) return known;
    this.#numbers.set(text, this.#items.length);
    this.#items.push(make());
    return this.#items.length - 1;
  }

  at(number: number): T {
    return this.#items[number] as T;
  }
}

const frozen = new Catalogue<null>();
const frozenTexts = new WeakMap<object, string>();

/**
 * The same text for the same state: times are told from `now`, a way back to an ancestor is a mark. The order within
 * a Map or Set is part of the text, because the core may act in that order.
 */
export function textOf(value: unknown, now: number, ancestors: object[] = []): string {
  if (typeof value === "number" && value >= EPOCH / 2)
    return value === Number.POSITIVE_INFINITY ? "never" : `@${Math.max(value - now, -LONG_AGO_MS)}`;
  if (typeof value === "function") return "";
  if (typeof value !== "object" || value === null) return String(value);
  if (Object.isFrozen(value)) return textOfFrozen(value);
  if (ancestors.includes(value)) return "^";
  ancestors.push(value);
  let text = "";
  if (value instanceof Map) for (const [key, item] of value) text += `${key}:${textOf(item, now, ancestors)},`;
  else
    for (const part of value instanceof Set ? value : Object.values(value)) text += `${textOf(part, now, ancestors)},`;
  ancestors.pop();
  return `{${text}}`;
}

function textOfFrozen(value: object): string {
  let text = frozenTexts.get(value);
  if (text === undefined) {
    text = `#${frozen.number(JSON.stringify(value), () => null)}`;
    frozenTexts.set(value, text);
  }
  return text;
}
