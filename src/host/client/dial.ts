/** A client's connection to a peer. */
import type { Address } from "../../core/address.ts";
import type { Attach, Redeem } from "../../core/client-frames.ts";
import { DEFAULT_TIMINGS } from "../../core/config.ts";
import type { Clock, Connection, Network } from "../contracts.ts";
import { Channel, type ChannelEvents, type Trusts } from "../net/channel.ts";
import { connectChannel } from "../net/connect-channel.ts";
import { newTarget } from "../net/dialler.ts";

export interface DialOptions {
  readonly clock: Clock;
  readonly network: Network;
  /** On a network where keys are proven; null on a plain one. */
  readonly trusts?: Trusts | null;
}

export function dialPeer(
  { clock, network, trusts = null }: DialOptions,
  address: Address,
  greeting: Attach | Redeem,
  events: Omit<ChannelEvents, "hello" | "client">,
): Channel {
  const target = newTarget({ id: 0, ...address });
  const make = (connection: Connection) =>
    new Channel(
      clock,
      connection,
      target,
      greeting,
      DEFAULT_TIMINGS.handshake,
      { ...events, hello: () => {}, client: (c) => c.destroy("no peer") },
      trusts,
    );
  return connectChannel(network, address, make);
}
