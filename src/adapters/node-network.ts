/** TCP over node:net: for Node and Deno, and for Bun from 1.4.2 on (before 1.3.7 it lost bytes after a partial writev, bun#32087). */
import type * as Net from "node:net";
import { assert } from "../core/assert.ts";
import { type Listener, type Network, PortError } from "../host/contracts.ts";
import { builtin } from "./builtin.ts";
import { SocketConnection } from "./socket-connection.ts";
import { toPortError } from "./system-errors.ts";

/** Loaded late, because it is not needed where the sockets are Bun's. */
function net(): typeof Net {
  return builtin("node:net");
}

export const nodeNetwork: Network = {
  listen(host, port, accept, ready) {
    const take = (socket: Net.Socket, remote: string) => {
      const connection = new SocketConnection(socket, remote);
      connection.release();
      const handler = accept(connection);
      if (handler === null) socket.destroy();
      else connection.attach(handler);
    };
    listenOn(host, port, take, ready);
  },
  connect(host, port, handler, expected) {
    assert(expected === undefined, "no pin is expected of a plain connection");
    const socket = net().connect({ host, port });
    const connection = new SocketConnection(socket, host);
    connection.attach(handler);
    socket.once("connect", () => connection.open());
    return connection;
  },
};

/** Listens for TCP. Calls `take` with each socket and the address of its other side. */
export function listenOn(
  host: string,
  port: number,
  take: (socket: Net.Socket, remote: string) => void,
  ready: Parameters<Network["listen"]>[3],
): void {
  const denied = deniedByDeno(host, port);
  if (denied !== null) return void setImmediate(() => ready(denied, null));
  const server = net().createServer((socket) => {
    // The other side has hung up already.
    if (socket.remoteAddress === undefined) socket.destroy();
    else take(socket, socket.remoteAddress);
  });
  server.once("error", (error) => ready(toPortError(error), null));
  server.listen({ host, port }, () => {
    const address = server.address();
    const listener: Listener = {
      port: typeof address === "object" && address !== null ? address.port : port,
      close: () => void server.close(),
    };
    ready(null, listener);
  });
}

/** Deno throws on the event loop if its flags do not allow to listen, so it is asked first. */
function deniedByDeno(host: string, port: number): PortError | null {
  const { Deno: deno } = globalThis as { Deno?: { permissions: { requestSync(wanted: object): { state: string } } } };
  if (deno === undefined) return null;
  const place = `${host.includes(":") ? `[${host}]` : host}:${port}`;
  try {
    if (deno.permissions.requestSync({ name: "net", host: place }).state === "granted") return null;
    return new PortError("EPERM", `Deno needs --allow-net=${place}`);
  } catch (error) {
    return toPortError(error);
  }
}
