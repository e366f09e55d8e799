/** An invariant (I1 to I12) that does not hold. */
export class Violation extends Error {
  override readonly name = "Violation";
  readonly invariant: string;
  constructor(invariant: string, what: string) {
    super(`${invariant}: ${what}`);
    this.invariant = invariant;
  }
}
