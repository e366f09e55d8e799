/** What a client is told when it begins, and how much it waits before it reports anything. */
import type { Address } from "../../core/address.ts";
import { CLIENT_SESSION_CHARS } from "../../core/config.ts";
import { type Client, type ClientAccess, type ClientOptions, sessionStart } from "../../core/thin-client.ts";
import type { Clock } from "../contracts.ts";

export interface ClientHostOptions {
  /** Peers to begin with; the others are learned from them. */
  readonly addresses: readonly Address[];
  /** "" for a client that only reads. */
  readonly name: string;
  readonly room: string;
  /** What lets it in where the cluster is secured: its name is that of the token then. */
  readonly access?: ClientAccess;
  /** Number of the room's first message that is told; null: only messages from now on. */
  readonly since: number | null;
  /** What was read is confirmed to the others [P4]. Default: it is. */
  readonly receipts?: boolean;
  /** Goes on when it has read everything that was there at its begin; false: it ends then. */
  readonly follow: boolean;
}

/** Makes the core of a client. A test can pass another one here. */
export type MakeClient = (options: ClientOptions) => Client;

/** While a new leader is elected nobody serves. This many rounds through all the peers in vain are not reported. */
export const ROUNDS_UNTOLD = 2;

/** What a client that may only read is told. */
export const READ_ONLY = {
  ok: false,
  code: "forbidden",
  message: "your token lets you read, and say nothing",
} as const;

/** Of a token's own, where there is one. */
export function newSession(clock: Pick<Clock, "word">, access: ClientAccess | undefined): string {
  const start = access === undefined ? "" : sessionStart(access.index);
  return start + clock.word(CLIENT_SESSION_CHARS - start.length);
}
