/** Our own bugs are assertions and stop the process; what another peer sends is data and is refused instead. */
export class AssertionError extends Error {
  override readonly name = "AssertionError";
}

export function assert(condition: unknown, claim: string): asserts condition {
  if (!condition) throw new AssertionError(`bug in chatpeer: ${claim}`);
}
