/** The lock of a virtual directory: which process has it, and what others see of that one. */
import { type Holder, PortError } from "../host/contracts.ts";
import type { User } from "./virtual-file.ts";

export class VirtualLock {
  #holder: { readonly user: User; readonly number: number; renewals: number } | null = null;
  /** Number of holders so far. */
  #holders = 0;

  take(user: User, dead?: Holder): Holder | null {
    const held = this.#holder;
    if (held !== null && !(held.user.place === user.place && held.user.ended)) {
      if (held.user.place === user.place) throw new PortError("ELOCKED", "another process has it");
      const seen = { name: `holder ${held.number}`, who: `a process ${held.user.place}`, lease: `${held.renewals}` };
      if (seen.name !== dead?.name || seen.lease !== dead.lease) return seen;
    }
    this.#holders += 1;
    this.#holder = { user, number: this.#holders, renewals: 0 };
    return null;
  }

  renew(user: User): null {
    const held = this.#holder;
    if (held?.user !== user)
      throw new PortError("ELOST", held === null ? "its lock is free" : `a process ${held.user.place} has taken it`);
    held.renewals += 1;
    return null;
  }

  giveBack(user: User): void {
    if (this.#holder?.user === user) this.#holder = null;
  }

  /** Frees the lock, whoever has it: the holder is known to be dead. */
  free(): void {
    this.#holder = null;
  }

  /** Frees the lock if its holder has ended: a person says that it is dead, so nobody has to wait. */
  freeDead(): void {
    if (this.#holder?.user.ended === true) this.#holder = null;
  }

  isOf(user: User): boolean {
    return this.#holder?.user === user;
  }
}
