/**
 * TLS 1.3 over node:tls, in Bun too: Bun's own TLS sockets show a certificate although the signature that should prove it
 * was false. Nobody vouches for certificates here. Each side shows one that it made itself, the handshake proves that it
 * holds the key, and the pin, the hash of the whole certificate, says who it is:
 *
 *   TCP ─▶ first byte ─▶ handshake ─▶ protocol, certificate, pin ─▶ open / accept
 *             │              │                   │
 *        without TLS      ETLS, late       ECERT, EPIN: closed, and no byte was passed on
 *
 * What the runtimes say of a certificate (`authorized`) is not asked, and nothing of one session is taken into the next.
 */
import type * as Net from "node:net";
import type * as Tls from "node:tls";
import { assert } from "../core/assert.ts";
import { fromBase32, toBase32 } from "../core/base32.ts";
import { HANDSHAKE_MS_MAX, PIN_BYTES } from "../core/config.ts";
import {
  type Clock,
  type Connection,
  type ConnectionHandler,
  type Listener,
  type Network,
  type Pin,
  PortError,
  type SecurityCode,
  type Timer,
} from "../host/contracts.ts";
import { needsTls } from "../host/net/needs-tls.ts";
import { Refusals } from "../host/net/refusals.ts";
import { builtin } from "./builtin.ts";
import { acceptCertificate, type Credentials } from "./certificate.ts";
import { listenOn } from "./node-network.ts";
import { SocketConnection } from "./socket-connection.ts";
import { STRANGER_LIMITS, type Stranger, type StrangerLimits, Strangers } from "./strangers.ts";
import { codeOf } from "./system-errors.ts";

const ALPN = "chatpeer/2";
const TLS = "TLSv1.3";
/** The same for all: who is there says the key. */
const SERVER_NAME = "chatpeer";
/** The first byte of every connection that speaks TLS: a record of a handshake (RFC 8446, 5.1). */
const HANDSHAKE_RECORD = 0x16;
/** Ends that are no attack and no mistake, of which nobody is told. */
const COMMON_ENDS: ReadonlySet<string> = new Set(["ECONNRESET", "EPIPE"]);

export interface TlsOptions {
  readonly clock: Pick<Clock, "now" | "after">;
  /** What the operator is to know. */
  readonly warn: (message: string) => void;
  readonly limits?: StrangerLimits;
}

/** Without credentials, as a client that has a token instead, it dials only. */
export function tlsNetwork(own: Credentials | null, { clock, warn, limits = STRANGER_LIMITS }: TlsOptions): Network {
  if (process.env.NODE_TLS_REJECT_UNAUTHORIZED === "0")
    warn(
      "NODE_TLS_REJECT_UNAUTHORIZED=0 is set: here nothing hangs on it, for keys are compared, but take it out of the environment: other programs trust anybody with it",
    );
  const settings = settingsOf(own);
  const strangers = new Strangers(() => clock.now(), limits);
  const refusals = new Refusals(() => clock.now(), warn);
  return {
    listen(host, port, accept, ready) {
      if (own === null)
        return void setImmediate(() => ready(new PortError("EACCES", "whoever is dialled needs a certificate"), null));
      const door = new Door({ settings, clock, strangers, refusals, accept });
      listenOn(
        host,
        port,
        (socket, remote) => door.take(socket, remote),
        (error, listener) => ready(error, listener === null ? null : door.closing(listener)),
      );
    },
    connect: (host, port, handler, expected) => dial(settings, clock, { host, port, handler, expected }),
  };
}

type Settings = Tls.SecureContextOptions & Tls.CommonConnectionOptions;

function settingsOf(own: Credentials | null): Settings {
  return {
    ...(own === null ? {} : { key: own.privateKey, cert: own.certificate }),
    minVersion: TLS,
    maxVersion: TLS,
    requestCert: true,
    rejectUnauthorized: false,
    ALPNProtocols: [ALPN],
  };
}

interface Dialled {
  readonly host: string;
  readonly port: number;
  readonly handler: ConnectionHandler;
  readonly expected: Pin | undefined;
}

function dial(settings: Settings, clock: Pick<Clock, "after">, to: Dialled): Connection {
  const { host, port, handler, expected } = to;
  if (expected !== undefined) assert(isPin(expected), "a pin is base32 of a whole hash, or of its first bytes");
  // Node and Deno look at the name in the certificate otherwise, even where nobody is to be rejected for it.
  const checkServerIdentity = () => undefined;
  const socket = tls().connect({ ...settings, host, port, servername: SERVER_NAME, checkServerIdentity });
  const connection = new TlsConnection(socket, host);
  let late: Timer | null = null;
  socket.once("connect", () => {
    late = clock.after(HANDSHAKE_MS_MAX, () => connection.fail("ETIMEDOUT"));
  });
  socket.once("secureConnect", () => {
    late?.cancel();
    const proven = identityOf(socket);
    if (!proven.ok) return connection.fail(proven.code);
    // Whoever is dialled has a certificate: TLS gives no way without.
    if (proven.key === null) return connection.fail("ECERT");
    if (expected !== undefined && !fits(proven.key, expected)) return connection.fail("EPIN");
    connection.identity = proven.key;
    connection.open();
  });
  socket.once("close", () => late?.cancel());
  connection.attach(handler);
  return connection;
}

class TlsConnection extends SocketConnection {
  protected override codeOf(error: Error): string {
    return securityCode(super.codeOf(error));
  }
}

/** What failed, by the code that the runtime gives to it. */
function securityCode(code: string): string {
  if (code === "ERR_SSL_WRONG_VERSION_NUMBER") return "EPLAIN" satisfies SecurityCode;
  // Deno names a false signature after what else it thinks of a certificate.
  const isOfTls = /^ERR_(SSL|TLS)_/.test(code) || code === "DEPTH_ZERO_SELF_SIGNED_CERT";
  return isOfTls ? ("ETLS" satisfies SecurityCode) : code;
}

type Proven =
  | { readonly ok: true; readonly key: string | null }
  | { readonly ok: false; readonly code: SecurityCode; readonly why: string };

/** Who is at the other side of a socket whose handshake is done. */
function identityOf(socket: Tls.TLSSocket): Proven {
  if (socket.getProtocol() !== TLS || socket.alpnProtocol !== ALPN)
    return { ok: false, code: "ETLS", why: `it does not speak ${ALPN} in TLS 1.3` };
  // Who is let in was looked at anew: an old session may be that of somebody who has been evicted.
  if (socket.isSessionReused()) return { ok: false, code: "ETLS", why: "it resumed an old session" };
  const certificate = socket.getPeerX509Certificate();
  if (certificate === undefined) return { ok: true, key: null };
  const accepted = acceptCertificate(certificate.raw);
  if ("error" in accepted) return { ok: false, code: "ECERT", why: `it showed ${accepted.error}` };
  return { ok: true, key: accepted.key };
}

function isPin(text: string): boolean {
  const length = fromBase32(text)?.length;
  return length === 32 || length === PIN_BYTES;
}

function fits(key: string, expected: Pin): boolean {
  return key === expected || toBase32((fromBase32(key) as Uint8Array).subarray(0, PIN_BYTES)) === expected;
}

interface DoorOptions {
  readonly settings: Settings;
  readonly clock: Pick<Clock, "after">;
  readonly strangers: Strangers;
  readonly refusals: Refusals;
  readonly accept: Parameters<Network["listen"]>[2];
}

/** Whoever is on the way in. */
interface Entrant {
  readonly raw: Net.Socket;
  readonly remote: string;
  readonly stranger: Stranger;
  readonly late: Timer;
  /** After the handshake, and when the host has taken it. */
  connection: SocketConnection | null;
}

/** One listening address: who comes in through it, from the first sign of them until the host has taken them. */
class Door {
  readonly #options: DoorOptions;
  readonly #server: Tls.Server;
  /** Those whose handshake is not done, by where they are. */
  readonly #entrants = new Map<string, Entrant>();

  constructor(options: DoorOptions) {
    this.#options = options;
    // The deadlines are kept here, where they hold from the first sign on, and not from the first byte.
    this.#server = tls().createServer(options.settings);
    this.#server.on("secureConnection", (socket) => this.#secured(socket));
    this.#server.on("tlsClientError", (error, socket) => this.#failed(error, socket));
  }

  /** The listener, with which those that are on the way in go as well. */
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
    const { clock, strangers, refusals } = this.#options;
    raw.on("error", () => raw.destroy());
    const place = placeOf(raw);
    const drop = () => {
      const { connection } = entrant;
      if (connection !== null) connection.fail("ECROWDED");
      else raw.destroy();
    };
    const stranger = strangers.enter(remote, drop);
    if (typeof stranger === "string") {
      refusals.tell(remote, stranger);
      return void raw.destroy();
    }
    const late = clock.after(HANDSHAKE_MS_MAX, () => {
      refusals.tell(remote, `no handshake within ${HANDSHAKE_MS_MAX} ms`);
      raw.destroy();
    });
    const entrant: Entrant = { raw, remote, stranger, late, connection: null };
    this.#entrants.set(place, entrant);
    raw.once("close", () => {
      late.cancel();
      strangers.leave(stranger);
      if (this.#entrants.get(place) === entrant) this.#entrants.delete(place);
    });
    const look = () => {
      const bytes: Uint8Array | null = raw.read();
      if (bytes === null) return;
      raw.off("readable", look);
      if (bytes[0] === HANDSHAKE_RECORD) {
        raw.unshift(bytes);
        return void this.#server.emit("connection", raw);
      }
      refusals.tell(remote, "it spoke without TLS");
      // What else it says is not looked at; the deadline ends what it does not end itself.
      raw.resume();
      raw.end(needsTls());
    };
    raw.on("readable", look);
  }

  #secured(socket: Tls.TLSSocket): void {
    const place = placeOf(socket);
    const entrant = this.#entrants.get(place);
    // Gone meanwhile.
    if (entrant === undefined) return void socket.destroy();
    this.#entrants.delete(place);
    entrant.late.cancel();
    socket.on("error", () => socket.destroy());
    const { accept, refusals, strangers } = this.#options;
    const proven = identityOf(socket);
    if (!proven.ok) {
      refusals.tell(entrant.remote, proven.why);
      return void socket.destroy();
    }
    const connection = new AcceptedConnection(socket, entrant.remote, () => strangers.leave(entrant.stranger));
    connection.identity = proven.key;
    connection.release();
    const handler = accept(connection);
    if (handler === null) return void socket.destroy();
    entrant.connection = connection;
    connection.attach(handler);
  }

  #failed(error: Error, socket: Tls.TLSSocket): void {
    const entrant = this.#entrants.get(placeOf(socket));
    socket.destroy();
    if (entrant === undefined) return;
    entrant.raw.destroy();
    if (!COMMON_ENDS.has(codeOf(error)))
      this.#options.refusals.tell(entrant.remote, `its handshake failed (${error.message.trim()})`);
  }
}

class AcceptedConnection extends TlsConnection {
  readonly recognise: () => void;

  constructor(socket: Net.Socket, remote: string, recognise: () => void) {
    super(socket, remote);
    this.recognise = recognise;
  }
}

/** Where a socket comes from and to: no two open ones are alike. */
function placeOf({ remoteAddress, remotePort, localAddress, localPort }: Net.Socket): string {
  return `${remoteAddress} ${remotePort} ${localAddress} ${localPort}`;
}

function tls(): typeof Tls {
  return builtin("node:tls");
}
