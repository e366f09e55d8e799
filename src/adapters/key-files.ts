/**
 * The key of a peer and its certificate, `key.pem` and `cert.pem` in its directory. Both are made once, for an empty place,
 * and never again: other peers know this one by the certificate, so another one for the same key would be a stranger's.
 */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { PortError } from "../host/contracts.ts";
import type { Credentials } from "./certificate.ts";
import { openDisk } from "./disk.ts";
import { makeSecretFile, readFileIfThere, readSecretFile } from "./secret-file.ts";

const KEY_FILE = "key.pem";
const CERTIFICATE_FILE = "cert.pem";
/**
 * Null where the directory has neither file. Call it with the directory locked. Throws PortError where one file is without
 * the other, they do not belong together, cannot be read, or the key can be read by others.
 */
export async function openKeys(directory: string): Promise<Credentials | null> {
  const [keyFile, certificateFile] = pathsIn(directory);
  const privateKey = readSecretFile(keyFile, "with which they can speak as this peer");
  const certificate = readFileIfThere(certificateFile);
  if (privateKey === null && certificate === null) return null;
  if (privateKey === null)
    throw new PortError(
      "ENOENT",
      `${certificateFile} is there, and its key ${keyFile} is not: put it back from a backup. Without it this peer cannot prove who it is: evict it and join anew with an empty directory`,
    );
  if (certificate === null)
    throw new PortError(
      "ENOENT",
      `${keyFile} is there, and its certificate ${certificateFile} is not: put it back from a backup. A new one for the same key would be another peer's to the others. If this peer never was in a cluster, remove ${keyFile} and start again; else evict it and join anew with an empty directory`,
    );
  const { credentialsOf } = await import("./certificate.ts");
  const credentials = credentialsOf(certificate, privateKey);
  if ("error" in credentials)
    throw new PortError(
      "EINVAL",
      `${certificateFile} and ${keyFile} cannot be used: ${credentials.error}. Put both back from a backup of this very peer, or evict it and join anew with an empty directory`,
    );
  return credentials;
}

/**
 * Makes both, durably, each readable by this user alone. Call it with the directory locked. Throws PortError, EEXIST where
 * one of them is there.
 */
export async function makeKeys(directory: string): Promise<Credentials> {
  const [keyFile, certificateFile] = pathsIn(directory);
  // The key is the first to be made: a directory with a certificate alone would be that of a peer which lost its key.
  if (existsSync(certificateFile)) throw new PortError("EEXIST", `${certificateFile} is there already`);
  const { makeCertificate } = await import("./certificate.ts");
  const credentials = makeCertificate();
  makeSecretFile(keyFile, credentials.privateKey);
  makeSecretFile(certificateFile, credentials.certificate);
  openDisk(directory).syncDirectoryNow("");
  return credentials;
}

function pathsIn(directory: string): [key: string, certificate: string] {
  return [join(directory, KEY_FILE), join(directory, CERTIFICATE_FILE)];
}
