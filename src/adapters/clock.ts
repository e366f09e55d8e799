/** The Clock port on the platform's own timers. */
import type { Clock } from "../host/contracts.ts";
import { wallTime } from "../host/wall.ts";

const ALPHABET = "abcdefghijklmnopqrstuvwxyz0123456789";

export const systemClock: Clock = {
  now: () => performance.now(),
  wall: () => wallTime(Date.now()),
  after(ms, fn) {
    // Rounded up: the platform's timers count whole milliseconds, and none may run early.
    const timer = setTimeout(fn, Math.ceil(ms));
    return { cancel: () => clearTimeout(timer) };
  },
  // Not a microtask: first everything is read that the kernel has ready, so that work that arrived together is handled
  // together.
  soon: (fn) => void setImmediate(fn),
  random: Math.random,
  word,
};

/** Bytes above the last whole multiple of 36 are dropped, so that every character is equally likely. */
function word(length: number): string {
  let text = "";
  while (text.length < length) {
    for (const byte of crypto.getRandomValues(new Uint8Array(length))) {
      if (byte < 252 && text.length < length) text += ALPHABET[byte % 36];
    }
  }
  return text;
}
