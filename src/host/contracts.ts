/**
 * The ports: all that the host asks of a machine. Bytes only. The simulator implements the same contracts, so nothing
 * above them can tell real from virtual.
 *
 * Rules for implementers
 * - A callback never runs inside the call that registered it, and never after `close` of its object.
 * - Completion is a callback, not a promise: then the code that runs the clock decides the order of events.
 * - Errors that a disk reports are `PortError`s with a `code` (`ENOSPC`, `EIO`, `EACCES`, `ENOENT`, `EADDRINUSE`, …).
 */

export class PortError extends Error {
  override readonly name = "PortError";
  readonly code: string;
  constructor(code: string, message: string) {
    super(message);
    this.code = code;
  }
}

export interface Timer {
  cancel(): void;
}

export interface Clock {
  /** Monotonic milliseconds, fractions allowed. */
  now(): number;
  /** Wall clock in whole milliseconds since 1970 (0 where it says an earlier time), for display only. */
  wall(): number;
  /** Runs `fn` once, not before `ms` milliseconds from now. */
  after(ms: number, fn: () => void): Timer;
  /** Runs `fn` once, after the callbacks that are already due: work that arrived together is handled together. */
  soon(fn: () => void): void;
  /** Uniform in [0, 1). */
  random(): number;
  /** A fresh random word of `length` characters from a-z0-9 (for ids, not for secrets). */
  word(length: number): string;
}

export interface ConnectionHandler {
  /** Connected (outgoing connections only; an accepted one is open already). */
  open?(): void;
  /** The callee may keep the bytes. */
  data(bytes: Uint8Array): void;
  /** What was queued has been handed to the kernel: `queued` is 0. */
  drain(): void;
  /**
   * Closed, refused or reset; the last callback. `code` is "" for an orderly end, else ECONNREFUSED, ECONNRESET, …, or a
   * `SecurityCode` on a secured network.
   */
  close(code: string): void;
}

/**
 * Why a secured network closed a connection. In TLS 1.3 the dialler finishes its handshake first. So a dialler that is
 * refused sees `open` before `close`, and not the reason: a host that refuses should say why in a frame.
 */
export type SecurityCode =
  /** The other side is not the one that was expected. */
  | "EPIN"
  /** The other side has no certificate, or not an acceptable one. */
  | "ECERT"
  /** The other side speaks without TLS. */
  | "EPLAIN"
  /** The handshake failed: no TLS 1.3, another protocol inside, or a false signature. */
  | "ETLS"
  /** This connection was never recognised, and made room for another one. */
  | "ECROWDED";

/** base32 of the SHA-256 of a certificate's DER: of all its bytes (52 characters), or of the first PIN_BYTES (26). */
export type Pin = string;

export interface Connection {
  /** Address of the other side, without port. */
  readonly remote: string;
  /**
   * The other side's name by the certificate that it has proven to hold (TLS): its 52-character pin. Known from `open`, or
   * from `accept`, on. Null on a plain network. Null on a secured network is a client without a certificate: nothing has
   * been read from it or written to it yet, and the host must not take it for a peer.
   */
  readonly identity: string | null;
  /** Bytes accepted by `write` that the kernel has not taken yet. */
  readonly queued: number;
  /** Queues bytes; keeps their order. The caller does not change them afterwards. */
  write(bytes: Uint8Array): void;
  /** Sends what is queued, then closes. */
  end(): void;
  /** Closes at once, dropping what is queued. */
  destroy(): void;
  /**
   * Says that the caller knows who is at the other side, by its identity or by a token. A secured network accepts few
   * connections that nobody has recognised, and closes one of them when there are too many. Other networks count none.
   */
  recognise?(): void;
}

export interface Listener {
  readonly port: number;
  close(): void;
}

export interface Network {
  /**
   * Listens; `ready(error)` or `ready(null, listener)` follows. `accept` is called for each incoming connection and
   * returns its handler, or null to close it at once. A secured network calls it after the handshake. So no byte arrives
   * from a side that speaks without TLS or shows a certificate that is not acceptable.
   */
  listen(
    host: string,
    port: number,
    accept: (connection: Connection) => ConnectionHandler | null,
    ready: (error: PortError | null, listener: Listener | null) => void,
  ): void;
  /**
   * Opens a connection. Where a pin is `expected`, the other side must have that certificate: nothing is written before
   * this is proven. A plain network cannot prove it, and throws when it is given a pin.
   */
  connect(host: string, port: number, handler: ConnectionHandler, expected?: Pin): Connection;
}

/**
 * One open file. Reads and writes complete at once (in the page cache); only `sync` takes time. A write past the end
 * does not fill the gap: callers append or overwrite, and leave no holes.
 */
export interface File {
  readonly size: number;
  /** Throws PortError. After a failure the file may hold any prefix of `bytes`: truncate before going on. */
  write(offset: number, bytes: Uint8Array): void;
  /** Returns at most `length` bytes from `offset`; fewer only at the end of the file. */
  read(offset: number, length: number): Uint8Array;
  truncate(size: number): void;
  /** fdatasync: all that was written before the call is durable when `done(null)` runs. Never retried after an error [D3]. */
  sync(done: (error: PortError | null) => void): void;
  /** The same, but it waits: for start-up and a clean stop. */
  syncNow(): void;
  close(): void;
}

/**
 * The holder of a directory, as seen by a process that cannot see whether the holder lives, because it is on another
 * machine or in another container.
 */
export interface Holder {
  /** A unique name: a process that takes the directory later has another one. */
  readonly name: string;
  /** For people: `process 17 on alpha`. */
  readonly who: string;
  /** Changes whenever the holder renews its lock. It is only compared. */
  readonly lease: string;
}

/** A directory tree; paths are relative, with "/". */
export interface Disk {
  /**
   * Takes the directory for this process and returns null [D1]. Throws PortError("ELOCKED") if another process has it
   * and can be seen to live. If it cannot be seen whether the holder lives, the holder is returned, and nothing
   * changes. The caller then watches whether the lease moves. If it does not, the caller passes that same holder as
   * `dead`; if the lease has moved since, the holder is returned again.
   */
  lock(dead?: Holder): Holder | null;
  /**
   * Checks that this process still has the directory, and renews the lease, for processes that cannot see it. Throws
   * PortError "ELOST" when it no longer has the directory, and another code when that cannot be seen. Returns why the
   * lease could not be renewed (another process may then take this one for dead), or null.
   */
  renewLock(): PortError | null;
  unlock(): void;
  /** File names in a directory, sorted; empty if there is none. */
  list(directory: string): string[];
  /**
   * Opens for reading and writing, with "read" for reading only; "create" makes an empty file, or empties an existing
   * one. Throws PortError("ENOENT").
   */
  open(path: string, mode: "existing" | "create" | "read"): File;
  /** Makes a directory and those above it, durably; nothing if it is there. */
  makeDirectory(path: string): void;
  rename(from: string, to: string): void;
  remove(path: string): void;
  /** fsync of a directory: names made, renamed or removed in it before the call are durable when `done(null)` runs. */
  syncDirectory(path: string, done: (error: PortError | null) => void): void;
  syncDirectoryNow(path: string): void;
}
