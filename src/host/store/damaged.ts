/** Damaged files are copied to a folder of their own before anything is cut, because a person may still read them. */
import type { Disk, File } from "../contracts.ts";
import { makeWhole } from "./state-files.ts";

export const DAMAGED_DIRECTORY = "damaged";
const COPY_BYTES = 1024 * 1024;

/**
 * Copies a file into `damaged/` under its own name, with a number where that name is taken. Returns the copy's path.
 */
export function copyAside(disk: Disk, path: string): string {
  disk.makeDirectory(DAMAGED_DIRECTORY);
  const name = path.slice(path.lastIndexOf("/") + 1);
  const taken = new Set(disk.list(DAMAGED_DIRECTORY));
  let free = name;
  for (let n = 1; taken.has(free); n++) free = `${name}.${n}`;
  const copyPath = `${DAMAGED_DIRECTORY}/${free}`;
  const from = disk.open(path, "existing");
  try {
    makeWhole(disk, copyPath, (to) => {
      copyBytes(from, to);
      to.syncNow();
    }).close();
  } finally {
    from.close();
  }
  disk.syncDirectoryNow(DAMAGED_DIRECTORY);
  return copyPath;
}

export function copyBytes(from: File, to: File): void {
  const { size } = from;
  for (let at = 0; at < size; at += COPY_BYTES) to.write(at, from.read(at, Math.min(COPY_BYTES, size - at)));
}
