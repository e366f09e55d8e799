/**
 * Standard output and standard error that never hold this process up. Runtimes write to a terminal synchronously. So a
 * terminal that nobody reads (ssh from a sleeping laptop, Ctrl-S, a selection in a console) would stop everything else
 * in the process. Deno writes to pipes in this way, too.
 *
 * The stream is opened anew with O_NONBLOCK. That flag belongs to an open file description. The inherited description
 * is shared with the shell and other writers, so it stays as it was.
 *
 *              | Linux                | macOS, BSD                  | Windows
 *     terminal | opened anew          | opened anew, by its name    | written to by a thread; under Node its own stream
 *     pipe     | opened anew          | the runtime's own stream: asynchronous, but in Deno
 *     socket   | non-blocking as the runtime makes it; in Deno its own stream, which waits
 *     file     | written to at once                                 | the runtime's own stream
 *
 * A thread that waits for its reader does not hold up this process, but in Node the process cannot end meanwhile.
 */
import { constants, fstatSync, openSync, readdirSync, readFileSync, statSync, write, writeSync } from "node:fs";
import { join } from "node:path";
import { Writable } from "node:stream";
import { isatty } from "node:tty";

export interface StandardStream extends Writable {
  readonly isTTY?: boolean;
  /** The width of a terminal, which emits "resize" when it changes. */
  readonly columns?: number | undefined;
  readonly rows?: number | undefined;
  /**
   * Writes what waits and then `text`, as far as the reader takes it at once. For last words of a process that cannot
   * wait.
   */
  writeNow(text: string): void;
}

export type StandardDescriptor = 1 | 2;

/** A write to a full reader is tried again after this time, then after twice the time, and so on. */
const RETRY_MS_MIN = 1;
const RETRY_MS_MAX = 50;
/** The folders with the names of terminals. */
const TERMINAL_FOLDERS = ["/dev/pts", "/dev"];
const CONTROLLING_TERMINAL = "/dev/tty";

const opened = new Map<StandardDescriptor, StandardStream>();

/** Standard output (1) or error (2), the same stream each time. */
export function standardStream(descriptor: StandardDescriptor): StandardStream {
  const stream = opened.get(descriptor) ?? open(descriptor);
  opened.set(descriptor, stream);
  return stream;
}

function open(descriptor: StandardDescriptor): StandardStream {
  const name = descriptor === 1 ? "stdout" : "stderr";
  const kind = kindOf(descriptor);
  const own = kind === "terminal" || kind === "pipe" ? openAnew(descriptor, kind) : null;
  if (kind === "file" || (kind === "pipe" && own !== null)) {
    const stream = new DescriptorStream(own ?? descriptor, "at once", null);
    // The runtime's own stream must not even be accessed, because that makes an inherited pipe non-blocking. Node
    // accesses it whenever it closes a socket. (Bun makes the stream before it can be replaced.)
    if (isNode()) Object.defineProperty(process, name, { value: stream, configurable: true, enumerable: true });
    return stream;
  }
  const runtimes = process[name];
  if (own !== null) return new DescriptorStream(own, "at once", runtimes);
  // It is non-blocking now.
  if (kind === "socket" && !("Deno" in globalThis)) return new DescriptorStream(descriptor, "at once", null);
  const byThread = kind === "terminal" && !(process.platform === "win32" && isNode());
  if (byThread) return new DescriptorStream(descriptor, "by thread", runtimes);
  return Object.assign(runtimes, { writeNow: (text: string) => attempt(descriptor, Buffer.from(text)) });
}

type Kind = "terminal" | "pipe" | "socket" | "file" | "other";

function kindOf(descriptor: StandardDescriptor): Kind {
  if (isatty(descriptor)) return "terminal";
  if (process.platform === "win32") return "other";
  try {
    const stat = fstatSync(descriptor);
    return stat.isFIFO() ? "pipe" : stat.isSocket() ? "socket" : "file";
  } catch {
    // The starter of this process has closed it.
    return "other";
  }
}

/** Only Node's own stream writes to a Windows console in the right encoding. */
function isNode(): boolean {
  return !("Bun" in globalThis) && !("Deno" in globalThis);
}

/**
 * Opens another descriptor of the same terminal or pipe, which shares no flags with it; null if that cannot be done.
 */
function openAnew(descriptor: StandardDescriptor, kind: Kind): number | null {
  if (process.platform === "win32") return null;
  const flags = constants.O_WRONLY | constants.O_NONBLOCK | constants.O_NOCTTY;
  const paths = [
    // On other systems this path would only give another descriptor of the same description.
    ...(process.platform === "linux" ? [`/proc/self/fd/${descriptor}`] : []),
    ...(kind === "terminal" ? terminalNames(descriptor) : []),
  ];
  for (const path of paths) {
    try {
      return openSync(path, flags);
    } catch {
      // There is no such file system, or it is not allowed: after `su` a terminal still belongs to another user.
    }
  }
  return null;
}

/** Paths that lead to this terminal, as ttyname(3) finds them; the controlling one may be opened even if it is another user's. */
function* terminalNames(descriptor: StandardDescriptor): Generator<string> {
  const device = fstatSync(descriptor).rdev;
  for (const folder of TERMINAL_FOLDERS)
    for (const name of namesIn(folder)) {
      const path = join(folder, name);
      if (path !== CONTROLLING_TERMINAL && deviceAt(path) === device) yield path;
    }
  if (controllingDevice() === device) yield CONTROLLING_TERMINAL;
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

function deviceAt(path: string): number | null {
  try {
    const stat = statSync(path);
    return stat.isCharacterDevice() ? stat.rdev : null;
  } catch {
    return null;
  }
}

/**
 * The controlling terminal of this process, if the system tells it: proc(5), field 7 of `stat`, the fifth behind the
 * name in parentheses.
 */
function controllingDevice(): number | null {
  try {
    const stat = readFileSync("/proc/self/stat", "utf8");
    return Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[4]);
  } catch {
    return null;
  }
}

function attempt(descriptor: number, bytes: Uint8Array): void {
  try {
    writeSync(descriptor, bytes);
  } catch {
    // The reader takes nothing now, or there is no reader.
  }
}

/** Writes to a descriptor, and keeps what its reader does not take yet. If it is a terminal, `sized` knows its size. */
export class DescriptorStream extends Writable implements StandardStream {
  readonly isTTY: boolean;
  readonly #fd: number;
  readonly #how: "at once" | "by thread";
  readonly #sized: NodeJS.WriteStream | null;
  /** The bytes that are being written, and the callback for when they are. */
  #rest: Uint8Array = new Uint8Array();
  #written: (error?: Error | null) => void = () => {};
  #retryMs = RETRY_MS_MIN;
  #retry: ReturnType<typeof setTimeout> | undefined;

  constructor(fd: number, how: "at once" | "by thread", sized: NodeJS.WriteStream | null) {
    super();
    this.#fd = fd;
    this.#how = how;
    this.#sized = sized;
    this.isTTY = sized !== null;
    sized?.on("resize", () => this.emit("resize"));
  }

  get columns(): number | undefined {
    return this.#sized?.columns;
  }

  get rows(): number | undefined {
    return this.#sized?.rows;
  }

  writeNow(text: string): void {
    clearTimeout(this.#retry);
    if (this.#how === "by thread") return;
    attempt(this.#fd, Buffer.concat([this.#rest, Buffer.from(text)]));
    this.#rest = new Uint8Array();
  }

  override _write(bytes: Uint8Array, _encoding: BufferEncoding, written: (error?: Error | null) => void): void {
    this.#rest = bytes;
    this.#written = written;
    this.#go();
  }

  override _destroy(error: Error | null, destroyed: (error: Error | null) => void): void {
    clearTimeout(this.#retry);
    destroyed(error);
  }

  readonly #go = (): void => {
    if (this.#how === "by thread") return write(this.#fd, this.#rest, (error, count) => this.#settle(error, count));
    let count = 0;
    try {
      count = writeSync(this.#fd, this.#rest);
    } catch (error) {
      return this.#settle(error as NodeJS.ErrnoException, 0);
    }
    this.#settle(null, count);
  };

  #settle(error: NodeJS.ErrnoException | null, count: number): void {
    if (this.destroyed) return;
    if (error?.code === "EAGAIN" || error?.code === "EINTR") {
      this.#retry = setTimeout(this.#go, this.#retryMs);
      this.#retryMs = Math.min(2 * this.#retryMs, RETRY_MS_MAX);
      return;
    }
    if (error !== null) return this.#written(error);
    this.#retryMs = RETRY_MS_MIN;
    this.#rest = this.#rest.subarray(count);
    if (this.#rest.length === 0) this.#written();
    else this.#go();
  }
}
