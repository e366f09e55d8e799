/** How far the reading of data directories is, by the bytes of their segments. */
import { type Disk, type File, PortError } from "../../host/contracts.ts";
import { Pace } from "../process/pace.ts";
import type { Progress } from "../process/progress-line.ts";

const MEGABYTE = 1_000_000;

export class Reading {
  readonly #progress: Progress;
  readonly #pace = new Pace("reading the log", "MB", performance.now());
  #read = 0;
  #size = 0;

  constructor(progress: Progress) {
    this.#progress = progress;
  }

  /** The same disk, on which reads are counted. `folder` holds the segments, which are read `times` times. */
  of(disk: Disk, folder: string, times = 1): Disk {
    this.#size += sizeOf(disk, folder) * times;
    return overlaid(disk, {
      open: (path, mode) => {
        const file = disk.open(path, mode);
        return overlaid(file, {
          read: (offset, length) => {
            const bytes = file.read(offset, length);
            this.#note(bytes.length);
            return bytes;
          },
        });
      },
    });
  }

  #note(bytes: number): void {
    this.#read += bytes;
    this.#progress.show(this.#pace.text(this.#read / MEGABYTE, this.#size / MEGABYTE, performance.now()));
  }
}

/** A file that cannot be looked at counts as empty; the code that reads it reports what is wrong. */
function sizeOf(disk: Disk, folder: string): number {
  try {
    return sizeOfSegments(disk, folder);
  } catch (error) {
    if (error instanceof PortError) return 0;
    throw error;
  }
}

function sizeOfSegments(disk: Disk, folder: string): number {
  const names = disk.list(folder).filter((name) => name.endsWith(".jsonl"));
  return names
    .map((name) => sizeOfFile(disk.open(folder === "" ? name : `${folder}/${name}`, "read")))
    .reduce((a, b) => a + b, 0);
}

function sizeOfFile(file: File): number {
  try {
    return file.size;
  } finally {
    file.close();
  }
}

/** The target with some of its methods replaced. */
function overlaid<T extends Disk | File>(target: T, own: Partial<T>): T {
  return new Proxy(target, {
    get(_, key) {
      const value: unknown = own[key as keyof T] ?? target[key as keyof T];
      return typeof value === "function" ? value.bind(target) : value;
    },
  });
}
