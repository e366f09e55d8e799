/**
 * Small files that each hold one thing, such as the identity of the directory or its progress. A file is replaced as a
 * whole [D2]: a temporary file, its fsync, the rename, the fsync of the directory. Each has a crc, so that damage is
 * not taken for absence: a damaged file is never a fresh start.
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

/** The sealed content; undefined if the bytes are not what was written. `mend` may change JSON whose crc is right. */
export function readSealed(text: string, mend = (json: string) => json): unknown {
  const end = text.lastIndexOf(" ");
  const body = text.slice(0, end);
  try {
    if (end > 0 && Number(text.slice(end + 1)) === crc32c(ENCODER.encode(body))) return JSON.parse(mend(body));
  } catch {
    // Falls through: text that is no JSON is as damaged as a wrong crc.
  }
  return undefined;
}

/**
 * Replaces the file; `done(null)` when it will survive a power cut. Not to be called again for the same path before
 * that. If the content is no longer `wanted` when it is synced, the file is left as it is, and `done` is never called.
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

/**
 * The same, but it waits. Without `durable` a power cut may leave no file, or a damaged one: for content that can be
 * made anew.
 */
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

/**
 * Makes a file and fills it. If that fails the file is removed, because the last room on a disk is needed for more
 * important files.
 */
export function makeWhole(disk: Disk, path: string, fill: (file: File) => void): File {
  const file = disk.open(path, "create");
  try {
    fill(file);
    return file;
  } catch (error) {
    // After any other error nothing is known about the disk.
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

/** The path of new content until it takes the file's name. */
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

/** Checks that what is written can be read back. */
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

/** The bytes that stand behind sealed JSON. */
export function sealOf(body: Uint8Array): Uint8Array {
  return ENCODER.encode(` ${crc32c(body)}`);
}

function asPortError(error: unknown): PortError {
  if (error instanceof PortError) return error;
  throw error;
}
