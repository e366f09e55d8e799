/**
 * One address at which a secured peer listens. A connection passes these steps, and the host hears of it after the last:
 *
 *   TCP ─▶ place among the strangers ─▶ first byte ─▶ handshake ─▶ protocol, certificate ─▶ accept
 *                    │                      │             │                 │
 *                too many             without TLS     too late       not acceptable
 *
 * The steps are taken on a plain socket, which is handed to node:tls at the first byte: so the deadline holds from the
 * start, and a peer that speaks without TLS can be answered.
 */
import type * as Net from "node:net";
import type * as Tls from "node:tls";
import type { Clock, Listener, Network, Timer } from "../host/contracts.ts";
import { needsTls } from "../host/net/needs-tls.ts";
import type { Refusals } from "../host/net/refusals.ts";
import type { Stranger, Strangers } from "./strangers.ts";
import { codeOf } from "./system-errors.ts";
import { proveIdentity, TlsConnection, type TlsSettings, tls } from "./tls-session.ts";

/** The first byte of every TLS connection: a record of a handshake (RFC 8446, section 5.1). */
const HANDSHAKE_RECORD = 0x16;
/** The other side has hung up. This is no mistake that an operator needs to hear of. */
const HUNG_UP: ReadonlySet<string> = new Set(["ECONNRESET", "EPIPE"]);

export interface DoorOptions {
  readonly settings: TlsSettings;
  readonly clock: Pick<Clock, "after">;
  readonly strangers: Strangers;
  readonly refusals: Refusals;
  readonly accept: Parameters<Network["listen"]>[2];
  /** Milliseconds until the end of the handshake. */
  readonly handshake: number;
}

/** A connection that has a place among the strangers. */
interface Entrant {
  readonly raw: Net.Socket;
  readonly remote: string;
  readonly stranger: Stranger;
  readonly late: Timer;
  /** Null until the host has accepted it. */
  connection: TlsConnection | null;
}

export class Door {
  readonly #options: DoorOptions;
  readonly #server: Tls.Server;
  /** Connections without a finished handshake, by their two addresses: node:tls names no other link to the plain socket. */
  readonly #entrants = new Map<string, Entrant>();

  constructor(options: DoorOptions) {
    this.#options = options;
    this.#server = tls().createServer(options.settings);
    this.#server.on("secureConnection", (socket) => this.#onSecured(socket));
    this.#server.on("tlsClientError", (error, socket) => this.#onFailed(error, socket));
  }

  /** The listener of the plain sockets. When it is closed, unfinished handshakes end with it. */
  closing(listener: Listener): Listener {
    return {
      port: listener.port,
      close: () => {
        listener.close();
        for (const { raw } of this.#entrants.values()) raw.destroy();
      },
    };
  }

  take(raw: Net.Socket, remote: string): void {
    const { clock, strangers, refusals, handshake } = this.#options;
    raw.on("error", () => raw.destroy());
    const stranger = strangers.enter(remote, () => {
      if (entrant.connection === null) raw.destroy();
      else entrant.connection.fail("ECROWDED");
    });
    if (typeof stranger === "string") {
      refusals.tell(remote, stranger);
      return void raw.destroy();
    }
    // node:tls has a deadline too, but does not close the socket after it.
    const late = clock.after(handshake, () => {
      refusals.tell(remote, `no handshake within ${handshake} ms`);
      raw.destroy();
    });
    const entrant: Entrant = { raw, remote, stranger, late, connection: null };
    const ends = endsOf(raw);
    this.#entrants.set(ends, entrant);
    raw.once("close", () => {
      late.cancel();
      strangers.leave(stranger);
      if (this.#entrants.get(ends) === entrant) this.#entrants.delete(ends);
    });
    this.#look(entrant);
  }

  /** Waits for the first byte. `pause` has no place here: Deno reads nothing from a socket any more after it. */
  #look({ raw, remote }: Entrant): void {
    const look = () => {
      const bytes: Uint8Array | null = raw.read();
      if (bytes === null) return;
      raw.off("readable", look);
      if (bytes[0] === HANDSHAKE_RECORD) {
        raw.unshift(bytes);
        return void this.#server.emit("connection", raw);
      }
      this.#options.refusals.tell(remote, "it spoke without TLS");
      raw.end(needsTls());
      // The rest is dropped, so that the other side can read the answer. The deadline ends this.
      raw.resume();
    };
    raw.on("readable", look);
  }

  #onSecured(socket: Tls.TLSSocket): void {
    const ends = endsOf(socket);
    const entrant = this.#entrants.get(ends);
    socket.on("error", () => socket.destroy());
    // It was closed in the meantime.
    if (entrant === undefined) return void socket.destroy();
    const { accept, refusals, strangers } = this.#options;
    const { raw, remote, stranger, late } = entrant;
    const proof = proveIdentity(socket);
    if (!proof.ok) {
      refusals.tell(remote, proof.why);
      socket.destroy();
      return void raw.destroy();
    }
    this.#entrants.delete(ends);
    late.cancel();
    const connection = new AcceptedConnection(socket, remote, () => strangers.leave(stranger));
    connection.identity = proof.key;
    connection.release();
    const handler = accept(connection);
    if (handler === null) return void socket.destroy();
    entrant.connection = connection;
    connection.attach(handler);
  }

  #onFailed(error: Error, socket: Tls.TLSSocket): void {
    const entrant = this.#entrants.get(endsOf(socket));
    socket.destroy();
    if (entrant === undefined) return;
    entrant.raw.destroy();
    const code = codeOf(error);
    if (!HUNG_UP.has(code))
      this.#options.refusals.tell(entrant.remote, `its handshake failed (${code === "" ? error.message : code})`);
  }
}

class AcceptedConnection extends TlsConnection {
  readonly recognise: () => void;

  constructor(socket: Net.Socket, remote: string, recognise: () => void) {
    super(socket, remote);
    this.recognise = recognise;
  }
}

/** Both addresses of a socket. No two open sockets have the same. */
function endsOf({ remoteAddress, remotePort, localAddress, localPort }: Net.Socket): string {
  return `${remoteAddress} ${remotePort} ${localAddress} ${localPort}`;
}
