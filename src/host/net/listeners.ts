/** Listens at the addresses of a peer: at all of them or at none. */
import { type Address, place } from "../../core/address.ts";
import type { Connection, ConnectionHandler, Listener, Network, PortError } from "../contracts.ts";

/**
 * The ports that were bound, in the order of the addresses; or the words for people, with every address that failed.
 */
export type Listening =
  | { readonly ok: true; readonly ports: readonly number[] }
  | { readonly ok: false; readonly message: string };

export class Listeners {
  /** Where it listens, with the ports that were bound. */
  addresses: readonly Address[] = [];
  #open: Listener[] = [];
  #closed = false;

  /** Called once. `ready` follows when every address has answered, unless this was closed before. */
  listen(
    network: Network,
    addresses: readonly Address[],
    accept: (connection: Connection) => ConnectionHandler | null,
    ready: (listening: Listening) => void,
  ): void {
    const ports: number[] = [];
    const failures: string[] = [];
    let left = addresses.length;
    this.addresses = addresses;
    for (const [i, address] of addresses.entries()) {
      network.listen(address.host, address.port, accept, (error, listener) => {
        if (this.#closed) return listener?.close();
        left -= 1;
        if (listener !== null) {
          this.#open.push(listener);
          ports[i] = listener.port;
        }
        if (error !== null) failures[i] = listenFailure(address, error);
        if (left > 0) return;
        if (failures.length === 0) {
          this.addresses = addresses.map(({ host }, at) => ({ host, port: ports[at] as number }));
          return ready({ ok: true, ports });
        }
        this.close();
        ready({ ok: false, message: failures.filter((failure) => failure !== undefined).join("; ") });
      });
    }
  }

  close(): void {
    this.#closed = true;
    for (const listener of this.#open) listener.close();
    this.#open = [];
  }
}

function listenFailure(address: Address, error: PortError): string {
  const why =
    error.code === "EADDRINUSE"
      ? `the port is in use (another chatpeer? try --port ${address.port + 1})`
      : error.code === "EADDRNOTAVAIL"
        ? "this machine has no such address (try --host 127.0.0.1 or 0.0.0.0)"
        : error.code === "EACCES"
          ? "this user may not open that port (ports below 1024 need rights; try --port 6001)"
          : error.message;
  return `cannot listen on ${place(address)}: ${why}`;
}
