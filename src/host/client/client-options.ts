/** What a client is told when it begins, and how much it waits before it reports anything. */
import type { Address } from "../../core/address.ts";
import type { Client, ClientOptions } from "../../core/thin-client.ts";

export interface ClientHostOptions {
  /** Peers to begin with; the others are learned from them. */
  readonly addresses: readonly Address[];
  /** "" for a client that only reads. */
  readonly name: string;
  readonly room: string;
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
