/**
 * TCP over Bun's own sockets. They do not keep the rest of a short write (bun#14836), and their `end` may drop accepted
 * bytes (bun#35947). So this file has its own queue, and ends a connection only when the queue is empty.
 */
import type { Socket } from "bun";
import { assert } from "../core/assert.ts";
import type { Connection, ConnectionHandler, Network } from "../host/contracts.ts";
import { joinBytes } from "../host/store/bytes.ts";
import { toPortError } from "./system-errors.ts";

export const bunNetwork: Network = {
  listen(host, port, accept, ready) {
    try {
      const server = Bun.listen<BunConnection>({
        hostname: host,
        port,
        socket: {
          ...callbacks,
          open(socket) {
            // The address is undefined if the other side has hung up already, whatever the type says.
            const remote: string | undefined = socket.remoteAddress;
            const connection = new BunConnection(remote ?? "");
            socket.data = connection;
            connection.opened(socket);
            const handler = remote === undefined ? null : accept(connection);
            if (handler === null) connection.destroy();
            else connection.handler = handler;
          },
        },
      });
      setImmediate(() => ready(null, { port: server.port, close: () => server.stop(false) }));
    } catch (error) {
      setImmediate(() => ready(toPortError(error), null));
    }
  },
  connect(host, port, handler, expected) {
    assert(expected === undefined, "no pin is expected of a plain connection");
    const connection = new BunConnection(host);
    connection.handler = handler;
    Bun.connect<BunConnection>({
      hostname: host,
      port,
      data: connection,
      socket: {
        ...callbacks,
        open(socket) {
          connection.opened(socket);
          connection.handler?.open?.();
        },
        connectError(_socket, error) {
          connection.closed(toPortError(error).code);
        },
      },
    }).catch((error: unknown) => connection.closed(toPortError(error).code));
    return connection;
  },
};

const callbacks = {
  data(socket: Socket<BunConnection>, bytes: Uint8Array) {
    // Bun may use the buffer again, and the handler keeps the bytes.
    socket.data.handler?.data(bytes.slice());
  },
  drain(socket: Socket<BunConnection>) {
    socket.data.flush();
  },
  end(socket: Socket<BunConnection>) {
    socket.data.end();
  },
  error(socket: Socket<BunConnection>, error: Error) {
    socket.data.code = toPortError(error).code;
  },
  close(socket: Socket<BunConnection>, error?: Error) {
    const { data } = socket;
    data.closed(data.code !== "" ? data.code : error === undefined || error === null ? "" : toPortError(error).code);
  },
};

class BunConnection implements Connection {
  readonly remote: string;
  readonly identity = null;
  handler: ConnectionHandler | null = null;
  code = "";
  #socket: Socket<BunConnection> | null = null;
  /** Bytes that were accepted and that the kernel has not taken yet. */
  #queue: Uint8Array[] = [];
  #queued = 0;
  #scheduled = false;
  #ending = false;
  #over = false;

  constructor(remote: string) {
    this.remote = remote;
  }

  get queued(): number {
    return this.#queued;
  }

  write(bytes: Uint8Array): void {
    if (this.#ending || this.#over || bytes.length === 0) return;
    this.#queue.push(bytes);
    this.#queued += bytes.length;
    if (this.#scheduled) return;
    // Everything written in this turn goes out in one system call.
    this.#scheduled = true;
    setImmediate(() => {
      this.#scheduled = false;
      this.flush();
    });
  }

  end(): void {
    if (this.#ending) return;
    this.#ending = true;
    this.flush();
  }

  destroy(): void {
    this.#over = true;
    this.handler = null;
    this.#queue = [];
    this.#queued = 0;
    this.#socket?.terminate();
  }

  opened(socket: Socket<BunConnection>): void {
    this.#socket = socket;
    if (this.#over) {
      socket.terminate();
      return;
    }
    socket.setNoDelay(true);
    this.flush();
  }

  flush(): void {
    const socket = this.#socket;
    if (socket === null || this.#over) return;
    const hadQueue = this.#queued > 0;
    while (this.#queue.length > 0) {
      const bytes = this.#nextPiece();
      const written = socket.write(bytes);
      if (written < 0) return; // closing: `close` follows
      this.#queued -= written;
      if (written < bytes.length) {
        this.#queue[0] = bytes.subarray(written);
        return;
      }
      this.#queue.shift();
    }
    if (this.#ending) socket.end();
    else if (hadQueue) this.handler?.drain();
  }

  closed(code: string): void {
    if (this.#over) return;
    this.#over = true;
    const handler = this.handler;
    this.handler = null;
    handler?.close(code);
  }

  /** The first piece, joined with small ones behind it, which saves system calls. A large piece goes as it is. */
  #nextPiece(): Uint8Array {
    let bytes = 0;
    let count = 0;
    for (const piece of this.#queue) {
      if (bytes + piece.length > JOIN_BYTES) break;
      bytes += piece.length;
      count += 1;
    }
    if (count < 2) return this.#queue[0] as Uint8Array;
    const joined = joinBytes(this.#queue.slice(0, count));
    this.#queue.splice(0, count, joined);
    return joined;
  }
}

const JOIN_BYTES = 64 * 1024;
