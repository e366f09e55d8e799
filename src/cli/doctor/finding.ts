/** One thing that was looked at, and what is right or wrong with it, in plain words. */

export interface Finding {
  /** What was looked at: an address, or a part of this machine. */
  readonly about: string;
  readonly ok: boolean;
  /** For programs: one word for each kind of trouble, `ok` for none. */
  readonly code: string;
  readonly message: string;
}

export function well(about: string, message: string): Finding {
  return { about, ok: true, code: "ok", message };
}

export function problem(about: string, code: string, message: string): Finding {
  return { about, ok: false, code, message };
}
