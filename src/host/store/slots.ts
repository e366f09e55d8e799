/**
 * A small file that is written in place [D2]. It has two slots, each one line with a counter and a crc; the newest
 * whole one counts. Its room is taken when the file is made, so that a full disk never prevents a write, and one
 * fdatasync makes new content durable.
 *
 *   slot 0   {"count":6,"content":…} crc ⏎ …      a write goes to the slot that is not known to be durable: cut short,
 *   slot 1   {"count":7,"content":…} crc ⏎ …      it leaves the other one as it was
 */
import { assert } from "../../core/assert.ts";
import { type Disk, type File, PortError } from "../contracts.ts";
import { joinBytes } from "./bytes.ts";
import { DamagedFile, readSealed, readWhole, replaceBytesNow, sealed } from "./state-files.ts";
import { refuseContent } from "./state-shapes.ts";

/** The unit that a disk or a page cache writes, or a multiple of it: an interrupted write damages one slot only. */
const SLOT_BYTES = 4096;
const NEWLINE = 0x0a;
const LINE_END = Uint8Array.of(NEWLINE);
const DECODER = new TextDecoder();

interface Slot {
  readonly count: number;
  readonly content: unknown;
}

/** The content of the file, or null if there is none. Throws DamagedFile if no slot is whole, and PortError. */
export function readSlots(disk: Disk, path: string): unknown {
  const bytes = readWhole(disk, path);
  return bytes === null ? null : newest(bytes, path).slot.content;
}

/**
 * Makes the file anew, durably, with this content in both slots. A handle that was opened before is no longer this
 * file. Throws PortError.
 */
export function makeSlots(disk: Disk, path: string, content: unknown): void {
  const slots = [1, 2].map((count) => padded(line({ count, content }, path)));
  replaceBytesNow(disk, path, joinBytes(slots));
}

export class SlotFile {
  readonly #file: File;
  readonly #path: string;
  #count: number;
  /** The slot that holds the durable content. */
  #durable: number;
  /** The durable content, and whether it is in both slots. */
  #content: unknown;
  #isTwice: boolean;
  #isWriting = false;

  /** Opens an existing file, and makes its content durable. Throws DamagedFile, PortError. */
  constructor(disk: Disk, path: string) {
    this.#path = path;
    this.#file = disk.open(path, "existing");
    const { slot, at, isTwice } = newest(this.#file.read(0, this.#file.size), path);
    this.#count = slot.count;
    this.#content = slot.content;
    this.#durable = at;
    this.#isTwice = isTwice;
    // An earlier process may have written it and died before it was durable.
    this.#file.syncNow();
  }

  /**
   * Writes the content; `done(null)` when it will survive a power cut. Not to be called again before that. After an
   * error the old content is still in the other slot, and the write can be tried again.
   */
  write(content: unknown, done: (error: PortError | null) => void): void {
    assert(!this.#isWriting, `${this.#path} is written by one at a time`);
    this.#isWriting = true;
    this.#isTwice = false;
    this.#writeOther(content, (error, at) => {
      this.#isWriting = false;
      if (error === null) {
        this.#durable = at;
        this.#content = content;
      }
      done(error);
    });
  }

  /** Writes the durable content into the other slot too, without haste, so that damage to one slot loses nothing. */
  writeTwice(done: (error: PortError | null) => void): void {
    if (this.#isTwice || this.#isWriting) return;
    this.#isTwice = true;
    this.#writeOther(this.#content, (error) => {
      if (error !== null) this.#isTwice = false;
      done(error);
    });
  }

  close(): void {
    this.#file.close();
  }

  #writeOther(content: unknown, done: (error: PortError | null, at: number) => void): void {
    const at = 1 - this.#durable;
    this.#count += 1;
    try {
      this.#file.write(at * SLOT_BYTES, line({ count: this.#count, content }, this.#path));
    } catch (error) {
      if (!(error instanceof PortError)) throw error;
      return done(error, at);
    }
    this.#file.sync((error) => done(error, at));
  }
}

function newest(bytes: Uint8Array, path: string): { slot: Slot; at: number; isTwice: boolean } {
  const isWhole = bytes.length === 2 * SLOT_BYTES;
  const [first, second] = [0, 1].map((at) => (isWhole ? slotOf(bytes, at, path) : null)) as [Slot | null, Slot | null];
  const at = (first?.count ?? -1) > (second?.count ?? -1) ? 0 : 1;
  const slot = at === 0 ? first : second;
  if (slot === null) throw new DamagedFile(`${path} is damaged`);
  return { slot, at, isTwice: JSON.stringify(first?.content) === JSON.stringify(second?.content) };
}

/** The slot at `at`; null if it was written incompletely, or is damaged. */
function slotOf(bytes: Uint8Array, at: number, path: string): Slot | null {
  const slot = bytes.subarray(at * SLOT_BYTES, (at + 1) * SLOT_BYTES);
  const read = readSealed(DECODER.decode(slot.subarray(0, Math.max(0, slot.indexOf(NEWLINE))))) as Slot | undefined;
  return read === undefined || refuseContent(path, read.content) !== null ? null : read;
}

function line(slot: Slot, path: string): Uint8Array {
  const refused = refuseContent(path, slot.content);
  assert(refused === null, `a ${path} that could not be read back: ${refused}`);
  const bytes = joinBytes([sealed(slot), LINE_END]);
  assert(bytes.length <= SLOT_BYTES, `${path} holds no more than ${SLOT_BYTES} bytes, not ${bytes.length}`);
  return bytes;
}

/** Pads with zeros that are really written. A hole would not take the room on the disk. */
function padded(bytes: Uint8Array): Uint8Array {
  const slot = new Uint8Array(SLOT_BYTES);
  slot.set(bytes);
  return slot;
}
