/** Certificates as others could make them: like those of peers, but for one thing. */
import { createPrivateKey, createPublicKey, generateKeyPairSync, sign, X509Certificate } from "node:crypto";
import { AsnConvert, OctetString } from "@peculiar/asn1-schema";
import { Certificate, Extension, Extensions, SubjectPublicKeyInfo, type Validity, Version } from "@peculiar/asn1-x509";
import { type Credentials, makeCertificate } from "../../src/adapters/certificate.ts";

export interface Changes {
  readonly version?: Version;
  readonly validity?: Validity;
  readonly curve?: string;
  /** Whose public key it bears. */
  readonly bears?: Credentials;
  /** Of an extension that makes it long. */
  readonly extensionBytes?: number;
  /** Whose key signs it; its own otherwise. */
  readonly signedBy?: Credentials;
}

export interface Made {
  readonly der: Uint8Array;
  /** PEM. */
  readonly certificate: string;
  /** JWK, and where it is not that of the public key, no runtime but Node.js takes the two for one pair. */
  readonly privateKey: object;
}

export function derOf({ certificate }: { readonly certificate: string }): Uint8Array {
  return new Uint8Array(new X509Certificate(certificate).raw);
}

export function certificateWith({
  curve = "P-256",
  bears,
  version = Version.v3,
  validity,
  extensionBytes,
  signedBy,
}: Changes): Made {
  const own = generateKeyPairSync("ec", { namedCurve: curve });
  const publicKey = bears === undefined ? own.publicKey : createPublicKey(bears.privateKey);
  const certificate = AsnConvert.parse(derOf(makeCertificate()), Certificate);
  const { tbsCertificate } = certificate;
  tbsCertificate.version = version;
  if (validity !== undefined) tbsCertificate.validity = validity;
  const spki = publicKey.export({ type: "spki", format: "der" });
  tbsCertificate.subjectPublicKeyInfo = AsnConvert.parse(spki, SubjectPublicKeyInfo);
  if (extensionBytes !== undefined) {
    const extension = new Extension({ extnID: "2.5.29.14", extnValue: new OctetString(extensionBytes) });
    tbsCertificate.extensions = new Extensions([extension]);
  }
  const signer = signedBy === undefined ? own.privateKey : createPrivateKey(signedBy.privateKey);
  const signature = sign("sha256", new Uint8Array(AsnConvert.serialize(tbsCertificate)), signer);
  certificate.signatureValue = new Uint8Array(signature).buffer;
  const der = new Uint8Array(AsnConvert.serialize(certificate));
  return {
    der,
    certificate: new X509Certificate(der).toString(),
    privateKey: { ...own.privateKey.export({ format: "jwk" }), ...publicKey.export({ format: "jwk" }) },
  };
}
