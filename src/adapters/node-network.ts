/** TCP over node:net: for Node and Deno, and for Bun from 1.4.2 on (before 1.3.7 it lost bytes after a partial writev, bun#32087). */
import type * as Net from "node:net";
import { type Connection, type ConnectionHandler, type Listener, type Network, PortError } from "../host/contracts.ts";
import { builtin } from "./builtin.ts";
import { toPortError } from "./errors.ts";

/** Of no use where the sockets are Bun's. */
function net(): typeof Net {
  return builtin("node:net");
}

export const nodeNetwork: Network = {
  listen(host, port, accept, ready) {
    const denied = deniedByDeno(host, port);
    if (denied !== null) return void setImmediate(() => ready(denied, null));
    const open = new Set<Net.Socket>();
    const server = net().createServer((socket) => {
      // Whoever has hung up already is nowhere.
      if (socket.remoteAddress === undefined) return void socket.destroy();
      open.add(socket);
      socket.once("close", () => open.delete(socket));
      const { connection, attach } = wrap(socket, socket.remoteAddress);
      const handler = accept(connection);
      if (handler === null) socket.destroy();
      else attach(handler);
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
  },
  connect(host, port, handler) {
    const socket = net().connect({ host, port });
    const { connection, attach } = wrap(socket, host);
    attach(handler);
    return connection;
  },
};

/** Deno throws on the event loop where its flags do not allow to listen: so it is asked before. */
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

function wrap(
  socket: Net.Socket,
  remote: string,
): { connection: Connection; attach: (handler: ConnectionHandler) => void } {
  let code = "";
  let corked = false;
  let ended = false;
  const connection: Connection = {
    remote,
    identity: null,
    get queued() {
      return socket.writableLength;
    },
    write(bytes) {
      if (ended || socket.destroyed) return;
      if (!corked) {
        // One system call for everything that is written in this turn.
        corked = true;
        socket.cork();
        setImmediate(uncork);
      }
      socket.write(bytes);
    },
    end() {
      if (ended) return;
      ended = true;
      uncork();
      socket.end();
    },
    destroy() {
      ended = true;
      handled = null;
      socket.destroy();
    },
  };
  const uncork = () => {
    if (!corked) return;
    corked = false;
    socket.uncork();
  };
  let handled: ConnectionHandler | null = null;
  const attach = (handler: ConnectionHandler) => {
    handled = handler;
    socket.setNoDelay(true);
    socket.on("connect", () => handled?.open?.());
    socket.on("data", (bytes: Uint8Array) => handled?.data(bytes));
    socket.on("drain", () => handled?.drain());
    socket.on("error", (error) => {
      code = toPortError(error).code;
    });
    socket.on("end", () => connection.end());
    socket.on("close", () => {
      const last = handled;
      handled = null;
      last?.close(code);
    });
  };
  return { connection, attach };
}
