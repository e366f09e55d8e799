/** The certificate that a peer makes, and which ones of others it takes. */
import { expect, test } from "bun:test";
import { createHash } from "node:crypto";
import { Validity, Version } from "@peculiar/asn1-x509";
import { acceptCertificate, credentialsOf, makeCertificate } from "../../src/adapters/certificate.ts";
import { fromBase32 } from "../../src/core/base32.ts";
import { CERTIFICATE_BYTES_MAX } from "../../src/core/config.ts";
import { certificateWith, derOf } from "./certificates.ts";

const VICTIM = makeCertificate();

test("a key is the hash of the whole certificate, and no two are alike", () => {
  const hash = createHash("sha256").update(derOf(VICTIM)).digest();
  expect(fromBase32(VICTIM.key)).toEqual(new Uint8Array(hash));
  expect(VICTIM.key).toMatch(/^[a-z2-7]{52}$/);
  expect(makeCertificate().key).not.toBe(VICTIM.key);
});

test("what a peer makes the others take, and nothing that differs by a bit", () => {
  const der = derOf(VICTIM);
  expect(acceptCertificate(der)).toEqual({ key: VICTIM.key });
  for (let at = 0; at < der.length; at++) {
    const other = new Uint8Array(der);
    other[at] = (other[at] as number) ^ (1 << (at % 8));
    expect(acceptCertificate(other)).toHaveProperty("error");
  }
});

test.each([
  ["of version 1", { version: Version.v1 }, "of version 1, not 3"],
  [
    "of version 1 with somebody else's public key",
    { version: Version.v1, bears: VICTIM, signedBy: VICTIM },
    "of version 1",
  ],
  ["of another curve", { curve: "P-384" }, "not on the curve P-256"],
  ["signed by somebody else", { signedBy: VICTIM }, "not signed by itself"],
  ["with somebody else's public key", { bears: VICTIM }, "not signed by itself"],
  [
    "that has expired",
    { validity: new Validity({ notBefore: new Date(Date.UTC(2000, 0)), notAfter: new Date(Date.UTC(2001, 0)) }) },
    "not valid from 2000 to 9999",
  ],
  ["that is too long", { extensionBytes: CERTIFICATE_BYTES_MAX }, "bytes"],
])("a certificate %s is not taken", (_, changes, why) => {
  expect(acceptCertificate(certificateWith(changes).der)).toEqual({ error: expect.stringContaining(why) });
});

test("one with an extension, as a later version may make it, is taken", () => {
  const { der } = certificateWith({ extensionBytes: 20 });
  expect(acceptCertificate(der)).toEqual({ key: expect.any(String) });
});

test("the same certificate with more behind it is another one, and is not taken", () => {
  expect(acceptCertificate(new Uint8Array([...derOf(VICTIM), 0, 0]))).toHaveProperty("error");
  expect(acceptCertificate(new Uint8Array())).toHaveProperty("error");
});

test("a certificate and its key are credentials; with another key they are none", () => {
  const { certificate, privateKey } = VICTIM;
  expect(credentialsOf(certificate, privateKey)).toEqual(VICTIM);
  const other = makeCertificate();
  expect(credentialsOf(certificate, other.privateKey)).toEqual({ error: "the certificate is that of another key" });
  expect(credentialsOf("", privateKey)).toHaveProperty("error");
  expect(credentialsOf(certificate, "")).toHaveProperty("error");
});
