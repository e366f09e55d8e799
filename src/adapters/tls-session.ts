/** What both ends of a TLS connection have in common: how they speak, and how each learns who the other one is. */
import type * as Tls from "node:tls";
import type { SecurityCode } from "../host/contracts.ts";
import { builtin } from "./builtin.ts";
import { acceptCertificate, type Credentials } from "./certificate.ts";
import { SocketConnection } from "./socket-connection.ts";

/** The protocol inside, as TLS negotiates it (ALPN, RFC 7301). */
const PROTOCOL = "chatpeer/2";
const VERSION = "TLSv1.3";

export type TlsSettings = Tls.SecureContextOptions & Tls.CommonConnectionOptions;

/** Null: without a certificate, as a client. */
export function settingsOf(own: Credentials | null): TlsSettings {
  return {
    ...(own === null ? {} : { key: own.privateKey, cert: own.certificate }),
    minVersion: VERSION,
    maxVersion: VERSION,
    requestCert: true,
    // No authority has signed the other side's certificate: `proveIdentity` judges it.
    rejectUnauthorized: false,
    ALPNProtocols: [PROTOCOL],
  };
}

/** `key` is null where the other side has shown no certificate. */
export type Proof =
  | { readonly ok: true; readonly key: string | null }
  | { readonly ok: false; readonly code: SecurityCode; readonly why: string };

/** Who is at the other side of a socket that has finished its handshake. */
export function proveIdentity(socket: Tls.TLSSocket): Proof {
  // A side that names no protocol gets through the negotiation.
  if (socket.getProtocol() !== VERSION || socket.alpnProtocol !== PROTOCOL)
    return { ok: false, code: "ETLS", why: `it does not speak ${PROTOCOL} in ${VERSION}` };
  // A resumed session proves only that the other side held the key once.
  if (socket.isSessionReused()) return { ok: false, code: "ETLS", why: "it resumed an earlier session" };
  const certificate = socket.getPeerX509Certificate();
  if (certificate === undefined) return { ok: true, key: null };
  const checked = acceptCertificate(certificate.raw);
  if ("error" in checked) return { ok: false, code: "ECERT", why: `it showed ${checked.error}` };
  return { ok: true, key: checked.key };
}

export class TlsConnection extends SocketConnection {
  protected override codeOf(error: Error): string {
    const code = super.codeOf(error);
    // Deno reports a false signature as what else it finds wrong with a certificate.
    const isOfTls = /^ERR_(SSL|TLS)_/.test(code) || code === "DEPTH_ZERO_SELF_SIGNED_CERT";
    return isOfTls ? ("ETLS" satisfies SecurityCode) : code;
  }
}

export function tls(): typeof Tls {
  return builtin("node:tls");
}
