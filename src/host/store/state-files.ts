/**
 * Small files that say one thing: who this directory is, how far it is durable. Replaced whole
 * [D2]: a temporary file, its fsync, the rename, the fsync of the directory. Each carries a crc, so damage is told
 * from absence; a damaged one is never taken for a fresh start.
 */
import { assert } from "../../core/assert.ts";
import { crc32c } from "../../wire/crc32c.ts";
import { type Disk, type File, PortError } from "../contracts.ts";
import { joinBytes } from "./bytes.ts";
import { refuseContent } from "./state-shapes.ts";

const ENCODER = new TextEncoder();
const DECODER = new TextDecoder();
const FILE_BYTES_MAX = 64 * 1024 * 1024;

/** A small file whose bytes are not what was written. */
export class DamagedFile extends Error {
  override readonly name = "DamagedFile";
}

/** The file's content, or null if there is no such file. Throws DamagedFile. */
export function readState(disk: Disk, path: string): unknown {
  const bytes = readWhole(disk, path);
  if (bytes === null) return null;
  const content = readSealed(DECODER.decode(bytes));
  if (content === undefined || refuseContent(path, content) !== null) throw new DamagedFile(`${path} is damaged`);
  return content;
}

/** What was sealed, or undefined where that is not what was written; `mend` sees JSON that is. */
export function readSealed(text: string, mend = (json: string) => json): unknown {
  const end = text.lastIndexOf(" ");
  const body = text.slice(0, end);
  try {
    if (end > 0 && Number(text.slice(end + 1)) === crc32c(ENCODER.encode(body))) return JSON.parse(mend(body));
  } catch {
    // falls through: not JSON is as damaged as a wrong crc
  }
  return undefined;
}

/**
 * Replaces the file; `done(null)` when it will survive a power cut. Not to be called again for a path before that. If
 * it is no longer `wanted` when the new content is synced, the file is left alone and `done` never called.
 */
export function replaceState(
  disk: Disk,
  path: string,
  content: unknown,
  done: (error: PortError | null) => void,
  wanted: () => boolean = () => true,
): void {
  const temporary = temporaryOf(path);
  let file: File;
  try {
    file = disk.open(temporary, "create");
  } catch (error) {
    return done(asPortError(error));
  }
  const failed = (error: unknown) => {
    removeHalf(disk, temporary);
    done(asPortError(error));
  };
  try {
    file.write(0, sealedFor(path, content));
  } catch (error) {
    file.close();
    return failed(error);
  }
  file.sync((syncError) => {
    file.close();
    if (!wanted()) return;
    if (syncError !== null) return failed(syncError);
    try {
      disk.rename(temporary, path);
    } catch (error) {
      return failed(error);
    }
    disk.syncDirectory("", done);
  });
}

/** The same, waiting; without `durable` a power cut may leave nothing, or damage: for what can be made anew. */
export function replaceStateNow(disk: Disk, path: string, content: unknown, durable = true): void {
  replaceBytesNow(disk, path, sealedFor(path, content), durable);
}

export function replaceBytesNow(disk: Disk, path: string, bytes: Uint8Array, durable = true): void {
  makeWhole(disk, temporaryOf(path), (file) => {
    file.write(0, bytes);
    if (durable) file.syncNow();
    disk.rename(temporaryOf(path), path);
  }).close();
  if (durable) disk.syncDirectoryNow("");
}

/** Makes a file and does that with it, or leaves nothing of it: the last room on a disk is for what cannot be done without. */
export function makeWhole(disk: Disk, path: string, fill: (file: File) => void): File {
  const file = disk.open(path, "create");
  try {
    fill(file);
    return file;
  } catch (error) {
    // After anything else nothing is known of the disk.
    if (!(error instanceof PortError)) throw error;
    file.close();
    removeHalf(disk, path);
    throw error;
  }
}

function removeHalf(disk: Disk, path: string): void {
  try {
    disk.remove(path);
  } catch (error) {
    if (!(error instanceof PortError)) throw error;
  }
}

/** Where new content stands until it takes the file's name. */
export function temporaryOf(path: string): string {
  return `${path}.new`;
}

/** A file's bytes, or null if there is none. */
export function readWhole(disk: Disk, path: string): Uint8Array | null {
  try {
    const file = disk.open(path, "read");
    try {
      return file.read(0, Math.min(file.size, FILE_BYTES_MAX));
    } finally {
      file.close();
    }
  } catch (error) {
    if (error instanceof PortError && error.code === "ENOENT") return null;
    throw error;
  }
}

/** What is written is held to what is read. */
function sealedFor(path: string, content: unknown): Uint8Array {
  const refused = refuseContent(path, content);
  assert(refused === null, `a ${path} that could not be read back: ${refused}`);
  return sealed(content);
}

/** JSON with its crc, in one line. */
export function sealed(content: unknown): Uint8Array {
  const body = ENCODER.encode(JSON.stringify(content));
  return joinBytes([body, sealOf(body)]);
}

/** What stands behind JSON that is sealed. */
export function sealOf(body: Uint8Array): Uint8Array {
  return ENCODER.encode(` ${crc32c(body)}`);
}

function asPortError(error: unknown): PortError {
  if (error instanceof PortError) return error;
  throw error;
}
