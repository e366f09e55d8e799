/**
 * The certificate that tells who a peer is. A peer makes its own once, and checks those of the others. This file loads ASN.1
 * and node:crypto, which a plain peer does not need: load it with `import()`.
 */
import type * as Crypto from "node:crypto";
import { AsnConvert } from "@peculiar/asn1-schema";
import {
  AlgorithmIdentifier,
  AttributeTypeAndValue,
  AttributeValue,
  Certificate,
  Name,
  RelativeDistinguishedName,
  SubjectPublicKeyInfo,
  TBSCertificate,
  Validity,
  Version,
} from "@peculiar/asn1-x509";
import { toBase32 } from "../core/base32.ts";
import { CERTIFICATE_BYTES_MAX } from "../core/config.ts";
import { builtin } from "./builtin.ts";

/** With these a peer proves who it is. */
export interface Credentials {
  /** The name by which others know it: base32 of the SHA-256 of the certificate's DER. */
  readonly key: string;
  /** PEM. */
  readonly certificate: string;
  readonly privateKey: string;
}

/** Object identifiers: ecdsa-with-SHA256 (RFC 5758), commonName (RFC 5280). */
const ECDSA_WITH_SHA256 = "1.2.840.10045.4.3.2";
const COMMON_NAME = "2.5.4.3";
const CURVE = "prime256v1";
/** The same for all peers: the key is what tells them apart. */
const NAME = "chatpeer";
/** A pinned certificate needs no date: a date would lock out machines that were away, or whose clock is wrong. */
const VALID_FROM = Date.UTC(2000, 0, 1);
const VALID_TO = Date.UTC(9999, 11, 31, 23, 59, 59);
const SERIAL_BYTES = 16;
/** Keys of certificates that have passed the check, which takes 1 ms: the same peers connect again and again. */
const accepted = new Set<string>();
const ACCEPTED_MAX = 1024;

export function makeCertificate(): Credentials {
  const { generateKeyPairSync, randomBytes, sign } = crypto();
  const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve: CURVE });
  const signatureAlgorithm = new AlgorithmIdentifier({ algorithm: ECDSA_WITH_SHA256 });
  const serialNumber = new Uint8Array(randomBytes(SERIAL_BYTES));
  // A serial number is positive, and DER drops leading zeros.
  serialNumber[0] = ((serialNumber[0] as number) & 0x7f) | 0x40;
  const tbsCertificate = new TBSCertificate({
    version: Version.v3,
    serialNumber: serialNumber.buffer,
    signature: signatureAlgorithm,
    issuer: constantName(),
    validity: new Validity({ notBefore: new Date(VALID_FROM), notAfter: new Date(VALID_TO) }),
    subject: constantName(),
    subjectPublicKeyInfo: AsnConvert.parse(publicKey.export({ type: "spki", format: "der" }), SubjectPublicKeyInfo),
  });
  const signature = new Uint8Array(sign("sha256", new Uint8Array(AsnConvert.serialize(tbsCertificate)), privateKey));
  const signatureValue = signature.buffer;
  const der = new Uint8Array(
    AsnConvert.serialize(new Certificate({ tbsCertificate, signatureAlgorithm, signatureValue })),
  );
  return {
    key: keyOf(der),
    certificate: pemOf(der),
    privateKey: privateKey.export({ type: "pkcs8", format: "pem" }).toString(),
  };
}

/**
 * Returns the key of another side's certificate if it has the form that `makeCertificate` gives it: version 3, P-256, signed
 * by itself, at most CERTIFICATE_BYTES_MAX long, valid from 2000 to 9999. The handshake, not this function, proves that the
 * other side holds the private key. For certificates of version 1 Deno demands no such proof (deno#36248).
 */
export function acceptCertificate(der: Uint8Array): { readonly key: string } | { readonly error: string } {
  if (der.length > CERTIFICATE_BYTES_MAX) return { error: `a certificate of ${der.length} bytes` };
  const key = keyOf(der);
  if (accepted.has(key)) return { key };
  try {
    const error = faultOf(der);
    if (error !== null) return { error };
  } catch (error) {
    return { error: `a certificate that cannot be read: ${(error as Error).message}` };
  }
  if (accepted.size >= ACCEPTED_MAX) accepted.clear();
  accepted.add(key);
  return { key };
}

/** Reads a certificate and its private key, both in PEM. Returns an error in words if a peer cannot use them. */
export function credentialsOf(certificate: string, privateKey: string): Credentials | { readonly error: string } {
  const { X509Certificate, createPrivateKey, createPublicKey } = crypto();
  try {
    const der = new Uint8Array(new X509Certificate(certificate).raw);
    const checked = acceptCertificate(der);
    if ("error" in checked) return checked;
    const { subjectPublicKeyInfo } = AsnConvert.parse(der, Certificate).tbsCertificate;
    const publicKey = createPublicKey(createPrivateKey(privateKey)).export({ type: "spki", format: "der" });
    if (Buffer.compare(publicKey, new Uint8Array(AsnConvert.serialize(subjectPublicKeyInfo))) !== 0)
      return { error: "the certificate is that of another key" };
    return { key: checked.key, certificate, privateKey };
  } catch (error) {
    return { error: (error as Error).message };
  }
}

/** What is wrong with a certificate, or null. Throws where it cannot be read. */
function faultOf(der: Uint8Array): string | null {
  const { createPublicKey, verify } = crypto();
  const certificate = AsnConvert.parse(der, Certificate);
  // The same certificate in another encoding, or with bytes behind it, would have another key.
  if (Buffer.compare(der, new Uint8Array(AsnConvert.serialize(certificate))) !== 0)
    return "a certificate that is not written in DER";
  const { tbsCertificate, tbsCertificateRaw, signatureAlgorithm, signatureValue } = certificate;
  const { version, signature, validity, subjectPublicKeyInfo } = tbsCertificate;
  if (version !== Version.v3) return `a certificate of version ${version + 1}, not 3`;
  if (signature.algorithm !== ECDSA_WITH_SHA256 || signatureAlgorithm.algorithm !== ECDSA_WITH_SHA256)
    return "a certificate that is not signed with ECDSA and SHA-256";
  if (validity.notBefore.getTime().getTime() !== VALID_FROM || validity.notAfter.getTime().getTime() !== VALID_TO)
    return "a certificate that is not valid from 2000 to 9999";
  const publicKey = createPublicKey({
    key: Buffer.from(AsnConvert.serialize(subjectPublicKeyInfo)),
    format: "der",
    type: "spki",
  });
  if (publicKey.asymmetricKeyType !== "ec" || publicKey.asymmetricKeyDetails?.namedCurve !== CURVE)
    return "a certificate whose key is not on the curve P-256";
  const isSignedByItself =
    tbsCertificateRaw !== undefined &&
    verify("sha256", new Uint8Array(tbsCertificateRaw), publicKey, new Uint8Array(signatureValue));
  return isSignedByItself ? null : "a certificate that is not signed by itself";
}

/** Of a certificate's DER. */
function keyOf(der: Uint8Array): string {
  return toBase32(crypto().createHash("sha256").update(der).digest());
}

function pemOf(der: Uint8Array): string {
  const lines =
    Buffer.from(der)
      .toString("base64")
      .match(/.{1,64}/g) ?? [];
  return ["-----BEGIN CERTIFICATE-----", ...lines, "-----END CERTIFICATE-----", ""].join("\n");
}

function constantName(): Name {
  const value = new AttributeValue({ utf8String: NAME });
  return new Name([new RelativeDistinguishedName([new AttributeTypeAndValue({ type: COMMON_NAME, value })])]);
}

function crypto(): typeof Crypto {
  return builtin("node:crypto");
}
