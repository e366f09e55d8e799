/** Dialling: a connection and what it is heard by need each other. */
import type { Address } from "../../core/address.ts";
import type { Connection, ConnectionHandler, Network } from "../contracts.ts";
import type { Channel } from "./channel.ts";

export function connectChannel(
  network: Network,
  { host, port }: Address,
  make: (connection: Connection) => Channel,
): Channel {
  const made: { handler: ConnectionHandler | null } = { handler: null };
  const connection = network.connect(host, port, {
    open: () => made.handler?.open?.(),
    data: (bytes) => made.handler?.data(bytes),
    drain: () => made.handler?.drain(),
    close: (code) => made.handler?.close(code),
  });
  const channel = make(connection);
  made.handler = channel.handler;
  return channel;
}
