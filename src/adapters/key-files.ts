/**
 * The private key of a peer and its certificate: `key.pem` and `cert.pem` in its directory. Both are made once. A certificate
 * is never made again for a key that is there: the others know the peer by its certificate, and would not know it any more.
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
 * Returns null if the directory has neither file. The caller holds the lock of the directory. Throws PortError if one file is
 * missing, if they do not belong together or cannot be read, and if others can read the key.
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
 * Makes both files, durably and readable by this user only. The caller holds the lock of the directory. Throws PortError,
 * with EEXIST if one of them is there.
 */
export async function makeKeys(directory: string): Promise<Credentials> {
  const [keyFile, certificateFile] = pathsIn(directory);
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
