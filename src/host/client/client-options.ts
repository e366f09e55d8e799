/** What a client is told when it begins, and what it bears without a word. */
import type { Address } from "../../core/address.ts";
import type { Client, ClientOptions } from "../../core/thin-client.ts";

export interface ClientHostOptions {
  /** Peers to begin with; the others are learned from them. */
  readonly addresses: readonly Address[];
  /** "": somebody who only reads. */
  readonly name: string;
  readonly room: string;
  /** Everything from this message of the room on is told; null: what is said from now on. */
  readonly since: number | null;
  /** What was read is confirmed to the others [P4]. Default: it is. */
  readonly receipts?: boolean;
  /** Goes on at the end of what there was when it began. */
  readonly follow: boolean;
}

/** Makes the core of a client; where a test needs another one than the product's, this is the place. */
export type MakeClient = (options: ClientOptions) => Client;

/** While a new leader is elected nobody serves: so many rounds through all the peers in vain are not worth a word. */
export const ROUNDS_UNTOLD = 2;
