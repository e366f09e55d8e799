/** A Connection on a socket of node:net or node:tls. The runtime queues what the kernel has not taken. */
import type * as Net from "node:net";
import type { Connection, ConnectionHandler } from "../host/contracts.ts";
import { toPortError } from "./system-errors.ts";

export class SocketConnection implements Connection {
  readonly remote: string;
  identity: string | null = null;
  readonly #socket: Net.Socket;
  #handler: ConnectionHandler | null = null;
  #code = "";
  /** Bytes written before anything may go out. Null afterwards. */
  #held: Uint8Array[] | null = [];
  #corked = false;
  #ended = false;

  constructor(socket: Net.Socket, remote: string) {
    this.#socket = socket;
    this.remote = remote;
  }

  get queued(): number {
    return (this.#held ?? []).reduce((sum, piece) => sum + piece.length, this.#socket.writableLength);
  }

  /** Tells the handler of the socket's events from now on. */
  attach(handler: ConnectionHandler): void {
    const socket = this.#socket;
    this.#handler = handler;
    socket.setNoDelay(true);
    socket.on("data", (bytes: Uint8Array) => this.#handler?.data(bytes));
    socket.on("drain", () => this.#handler?.drain());
    socket.on("error", (error) => {
      if (this.#code === "") this.#code = this.codeOf(error);
    });
    socket.on("end", () => this.end());
    socket.on("close", () => this.#closed());
  }

  /** What was written goes out now, and later bytes go out at once. */
  release(): void {
    const held = this.#held ?? [];
    this.#held = null;
    for (const bytes of held) this.#write(bytes);
    if (this.#ended) this.#end();
  }

  /** For a dialled connection: it is open. */
  open(): void {
    this.release();
    this.#handler?.open?.();
  }

  write(bytes: Uint8Array): void {
    if (this.#ended || this.#socket.destroyed) return;
    if (this.#held === null) this.#write(bytes);
    else this.#held.push(bytes);
  }

  end(): void {
    if (this.#ended) return;
    this.#ended = true;
    if (this.#held === null) this.#end();
  }

  destroy(): void {
    this.#ended = true;
    this.#handler = null;
    this.#held = null;
    this.#socket.destroy();
  }

  /** Closes it at once, and tells the handler why. */
  fail(code: string): void {
    this.#code = code;
    this.#ended = true;
    this.#held = null;
    this.#socket.destroy();
  }

  /** The code that the handler is told when an error closes the socket. */
  protected codeOf(error: Error): string {
    return toPortError(error).code;
  }

  #closed(): void {
    const handler = this.#handler;
    this.#handler = null;
    handler?.close(this.#code);
  }

  #write(bytes: Uint8Array): void {
    if (!this.#corked) {
      // One system call for everything that is written in this turn.
      this.#corked = true;
      this.#socket.cork();
      setImmediate(() => this.#uncork());
    }
    this.#socket.write(bytes);
  }

  #end(): void {
    this.#uncork();
    this.#socket.end();
  }

  #uncork(): void {
    if (!this.#corked) return;
    this.#corked = false;
    this.#socket.uncork();
  }
}
