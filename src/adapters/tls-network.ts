/**
 * A network over TLS 1.3 in which both sides know each other by their certificates. No authority signs these. Each side
 * makes its own certificate, the handshake proves that it holds the private key, and the hash of the certificate is its
 * name: a dialler knows beforehand which one it wants (a pin), and the host looks up the others.
 *
 * It uses node:tls in all runtimes. Bun's own TLS sockets show a certificate although the signature that should prove it
 * was false.
 */
import { assert } from "../core/assert.ts";
import { fromBase32, toBase32 } from "../core/base32.ts";
import { HANDSHAKE_MS_MAX, PIN_BYTES } from "../core/config.ts";
import {
  type Clock,
  type Connection,
  type ConnectionHandler,
  type Network,
  type Pin,
  PortError,
  type SecurityCode,
  type Timer,
} from "../host/contracts.ts";
import { Refusals } from "../host/net/refusals.ts";
import type { Credentials } from "./certificate.ts";
import { listenOn } from "./node-network.ts";
import { STRANGER_LIMITS, type StrangerLimits, Strangers } from "./strangers.ts";
import { codeOf } from "./system-errors.ts";
import { Door } from "./tls-door.ts";
import { proveIdentity, settingsOf, TlsConnection, type TlsSettings, tls } from "./tls-session.ts";

/** TLS asks for a name. It is the same for all: the certificate tells who is there. */
const SERVER_NAME = "chatpeer";
const KEY_BYTES = 32;

export interface TlsOptions {
  readonly clock: Pick<Clock, "now" | "after">;
  /** Tells the operator whose connections are refused, and what weakens the runtime. */
  readonly warn: (message: string) => void;
  readonly limits?: StrangerLimits;
}

/** Without credentials, as a client that has a token instead, it can only dial. */
export function tlsNetwork(own: Credentials | null, { clock, warn, limits = STRANGER_LIMITS }: TlsOptions): Network {
  if (process.env.NODE_TLS_REJECT_UNAUTHORIZED === "0")
    warn(
      "NODE_TLS_REJECT_UNAUTHORIZED=0 is set. This program compares keys and does not depend on it, but others trust anybody with it: remove it from the environment",
    );
  const settings = settingsOf(own);
  // Made once for all dials: it takes Node.js a millisecond.
  const dialSettings = { ...settings, secureContext: tls().createSecureContext(settings) };
  const strangers = new Strangers(() => clock.now(), limits);
  const refusals = new Refusals(() => clock.now(), warn);
  return {
    listen(host, port, accept, ready) {
      if (own === null)
        return void setImmediate(() => ready(new PortError("EACCES", "a listening peer needs a certificate"), null));
      const door = new Door({ settings, clock, strangers, refusals, accept, handshake: limits.handshake });
      listenOn(
        host,
        port,
        (socket, remote) => door.take(socket, remote),
        (error, listener) => ready(error, listener === null ? null : door.closing(listener)),
      );
    },
    connect: (host, port, handler, expected) => dial(dialSettings, clock, { host, port, handler, expected }),
  };
}

interface Dial {
  readonly host: string;
  readonly port: number;
  readonly handler: ConnectionHandler;
  readonly expected: Pin | undefined;
}

function dial(settings: TlsSettings, clock: Pick<Clock, "after">, { host, port, handler, expected }: Dial): Connection {
  assert(expected === undefined || isPin(expected), "a pin is base32 of a whole hash, or of its first bytes");
  // By default the runtimes compare the name with that in the certificate.
  const checkServerIdentity = () => undefined;
  const socket = tls().connect({ ...settings, host, port, servername: SERVER_NAME, checkServerIdentity });
  const connection = new DialledConnection(socket, host);
  let late: Timer | null = null;
  socket.once("connect", () => {
    late = clock.after(HANDSHAKE_MS_MAX, () => connection.fail("ETIMEDOUT"));
  });
  socket.once("secureConnect", () => {
    late?.cancel();
    const proof = proveIdentity(socket);
    if (!proof.ok) return connection.fail(proof.code);
    if (proof.key === null) return connection.fail("ECERT");
    if (expected !== undefined && !fits(proof.key, expected)) return connection.fail("EPIN");
    connection.identity = proof.key;
    connection.open();
  });
  socket.once("close", () => late?.cancel());
  connection.attach(handler);
  return connection;
}

class DialledConnection extends TlsConnection {
  protected override codeOf(error: Error): string {
    const isFirstAnswer = this.identity === null;
    const isPlain = isFirstAnswer && codeOf(error) === "ERR_SSL_WRONG_VERSION_NUMBER";
    return isPlain ? ("EPLAIN" satisfies SecurityCode) : super.codeOf(error);
  }
}

function isPin(text: string): boolean {
  const length = fromBase32(text)?.length;
  return length === KEY_BYTES || length === PIN_BYTES;
}

function fits(key: string, expected: Pin): boolean {
  return key === expected || toBase32((fromBase32(key) as Uint8Array).subarray(0, PIN_BYTES)) === expected;
}
