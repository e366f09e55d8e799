/** The way to a peer that runs somewhere: its address, and what lets one in there. */
import { platformVisit, securedVisit } from "../../adapters/platform.ts";
import type { Address } from "../../core/address.ts";
import type { ClientAccess } from "../../core/thin-client.ts";
import type { VisitPorts } from "../client/ask-once.ts";
import { address as readAddress, UsageError } from "../usage/flag-values.ts";
import type { Settings } from "../usage/settings.ts";
import { type Credentials, givenCredentials } from "./credentials.ts";

export interface Visit {
  readonly ports: VisitPorts;
  /** At least one. */
  readonly addresses: readonly Address[];
  /** Where the cluster is secured. */
  readonly access: ClientAccess | null;
  /** That of the token; null: whatever one says. */
  readonly name: string | null;
}

/** By what is given: `HOST:PORT` as the only word, or none where a token says where its peers are. Throws UsageError. */
export async function visitGiven(command: string, settings: Settings, words: readonly string[]): Promise<Visit> {
  const credentials = givenCredentials(settings);
  const [where, ...more] = words;
  if (more.length > 0 || (where === undefined && credentials === null))
    throw new UsageError(
      `${command} needs one address: chatpeer ${command} 127.0.0.1:6001; or --token-file FILE, or --data-dir DIR of a peer on this machine, where its cluster is secured`,
    );
  const address = where === undefined ? null : readAddress("the address", where);
  if (credentials !== null) return visitWith(credentials, address);
  return { ports: platformVisit(), addresses: [address as Address], access: null, name: null };
}

/** `address`: the only one that is tried; null: those that the credentials say. */
export async function visitWith(credentials: Credentials, address: Address | null): Promise<Visit> {
  const { token, index, name, peers } = credentials;
  const keys = new Set(peers.map(({ key }) => key));
  return {
    ports: { ...(await securedVisit()), trusts: (key) => keys.has(key), token },
    addresses: address === null ? peers : [address],
    access: { token, index, keys: peers.map(({ key }) => key) },
    name,
  };
}
