/** Waits that the caller can end early: by a signal, or after a time. */
import type { Clock, Timer } from "./host/contracts.ts";
import { PeerError } from "./peer-error.ts";

export interface SignalOption {
  /** Ends the wait with PeerError "aborted". */
  readonly signal?: AbortSignal | undefined;
}

export interface WaitOptions extends SignalOption {
  /** Milliseconds, at least 1, until the wait ends with PeerError "timeout". Default: none. */
  readonly timeout?: number | undefined;
}

export function refuseAborted(signal: AbortSignal | undefined): void {
  if (signal?.aborted) throw new PeerError("aborted", "the signal is aborted", { cause: signal.reason });
}

/**
 * Waits until `begin` calls back, which must not happen within the call of `begin`, or until the signal or the time
 * ends the wait. `begin` returns an undo function, which is called when the wait is over, however it ends. `late` gives
 * the words for a wait whose time is over.
 */
export function waitFor<T>(
  clock: Pick<Clock, "after">,
  { signal, timeout }: WaitOptions,
  late: () => string,
  begin: (resolve: (value: T) => void, reject: (error: PeerError) => void) => () => unknown,
): Promise<T> {
  return new Promise((yes, no) => {
    refuseAborted(signal);
    let timer: Timer | null = null;
    const over = () => {
      timer?.cancel();
      signal?.removeEventListener("abort", onAbort);
      undo();
    };
    const reject = (error: PeerError) => {
      over();
      no(error);
    };
    const onAbort = () => reject(new PeerError("aborted", "the signal is aborted", { cause: signal?.reason }));
    const undo = begin((value) => {
      over();
      yes(value);
    }, reject);
    signal?.addEventListener("abort", onAbort);
    if (timeout !== undefined) timer = clock.after(timeout, () => reject(new PeerError("timeout", late())));
  });
}

export interface Waiter<T = void> {
  readonly resolve: (value: T) => void;
  readonly reject: (error: PeerError) => void;
}

export function resolveAll(waiters: Set<Waiter>): void {
  const all = [...waiters];
  waiters.clear();
  for (const { resolve } of all) resolve();
}
