/**
 * Values of flags, each checked with an error that says what was given, what is wanted and an example; `flag` is what
 * the error calls it. They come as the text that was typed: a name like `007` or `1e3` is no number.
 */
import { NAME_BYTES_MAX, PEER_ID_MAX } from "../../core/config.ts";
import type { PeerInfo } from "../../core/log-entry.ts";
import { isName } from "../../wire/text.ts";

/** Wrong usage: exit code 2. */
export class UsageError extends Error {
  override readonly name = "UsageError";
}

export function wholeNumber(flag: string, text: string, min: number, max: number): number {
  const value = /^[0-9]{1,15}$/.test(text) ? Number(text) : Number.NaN;
  if (!(value >= min && value <= max))
    throw new UsageError(`${flag} must be a whole number from ${min} to ${max}, not ${JSON.stringify(text)}`);
  return value;
}

/** `200ms`, `1.2s`, `1m`, or a plain number of milliseconds. */
export function duration(flag: string, text: string): number {
  const match = /^([0-9]+(?:\.[0-9]+)?)(ms|s|m)?$/.exec(text);
  const value =
    match === null
      ? Number.NaN
      : Number(match[1]) * { ms: 1, s: 1000, m: 60_000 }[(match[2] ?? "ms") as "ms" | "s" | "m"];
  if (!(value > 0 && value <= 3_600_000))
    throw new UsageError(`${flag} must be a time like 200ms or 1.2s, at most 60m, not ${JSON.stringify(text)}`);
  return value;
}

const LIFETIMES = { m: 60_000, h: 3_600_000, d: 86_400_000 };
const LIFETIME_MS_MAX = 365 * LIFETIMES.d;

/** `30m`, `24h`, `7d`, in milliseconds. */
export function lifetime(flag: string, text: string): number {
  const match = /^([0-9]{1,6})([mhd])$/.exec(text);
  const value = match === null ? Number.NaN : Number(match[1]) * LIFETIMES[match[2] as keyof typeof LIFETIMES];
  if (!(value > 0 && value <= LIFETIME_MS_MAX))
    throw new UsageError(`${flag} must be a time like 30m, 24h or 7d, at most 365d, not ${JSON.stringify(text)}`);
  return value;
}

export function oneOf<T extends string>(flag: string, text: string, choices: readonly T[]): T {
  if (!(choices as readonly string[]).includes(text))
    throw new UsageError(`${flag} must be one of ${choices.join(", ")}, not ${JSON.stringify(text)}`);
  return text as T;
}

export function name(flag: string, text: string): string {
  if (!isName(text)) {
    throw new UsageError(
      `${flag} must have 1 to ${NAME_BYTES_MAX} bytes of UTF-8 and no control characters, not ${JSON.stringify(text.slice(0, 80))}`,
    );
  }
  return text;
}

/** `127.0.0.1:6001`, `chat.example:6001`, `[::1]:6001` */
export function address(flag: string, text: string): { host: string; port: number } {
  const match = /^(?:\[([0-9a-fA-F:.%\w]+)\]|([^:[\]\s]+)):([0-9]{1,5})$/.exec(text);
  const host = match?.[1] ?? match?.[2];
  const port = Number(match?.[3]);
  if (host === undefined || host.length > 255 || port < 1 || port > 65_535)
    throw new UsageError(
      `${flag} must be HOST:PORT like 192.168.1.5:6001 (IPv6 in brackets), not ${JSON.stringify(text)}`,
    );
  return { host, port };
}

/** `2:127.0.0.1:6002` */
export function seed(flag: string, text: string): PeerInfo {
  const colon = text.indexOf(":");
  const id = colon < 0 ? "" : text.slice(0, colon);
  try {
    return {
      id: wholeNumber("the id", id, 1, PEER_ID_MAX),
      ...address("the address", text.slice(colon + 1)),
    };
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    throw new UsageError(
      `${flag} must be ID:HOST:PORT like 2:127.0.0.1:6002, not ${JSON.stringify(text)}: ${error.message}`,
    );
  }
}
