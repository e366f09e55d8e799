/**
 * Tools to make mutants: each comes in through `Parts` and changes one thing in the production peer, its disk or its
 * clock. A peer's inputs, outputs and decisions are public, so nothing in `core` or `host` knows of this. Mutants break
 * rules of the bully engine, so these files name its classes; the world around them knows the contract only.
 */
import type { Frame } from "../core/frame.ts";
import type { LinkId } from "../core/ids.ts";
import { Client } from "../core/thin-client.ts";
import type { Leadership } from "../engines/bully/leadership.ts";
import { Peer } from "../engines/bully/peer.ts";
import type { Input, Output, Restored } from "../engines/engine.ts";
import type { Clock, Disk, File } from "../host/contracts.ts";
import type { Parts } from "./machine.ts";
import type { VirtualDisk } from "./virtual-disk.ts";

export interface Mutant {
  readonly name: string;
  /** The rule that is broken, as SPEC.md numbers it. */
  readonly rule: string;
  /** What the mutant does instead. */
  readonly what: string;
  readonly parts: Parts;
}

// ── peers ────────────────────────────────────────────────────────────────────────────────────────────────────────

/** Changes the peer of every process before its first input. */
export function peers(change: (peer: Peer, restored: Restored) => void): Parts {
  return {
    engine: (options, restored, now) => {
      const peer = new Peer(options, restored, now);
      change(peer, restored);
      return peer;
    },
  };
}

/** Changes the client of every process before its first frame. */
export function clients(change: (client: Client) => void): Parts {
  return {
    makeClient: (options) => {
      const client = new Client(options);
      change(client);
      return client;
    },
  };
}

/** Changes what a process finds in its directory. */
export function restarts(change: (restored: Restored) => Restored): Parts {
  return { engine: (options, restored, now) => new Peer(options, change(restored), now) };
}

/** Changes every leader before it does anything. */
export function leaders(change: (leadership: Leadership, peer: Peer) => void): Parts {
  return peers((peer) => whenLeading(peer, (leadership) => change(leadership, peer)));
}

export function whenLeading(peer: Peer, change: (leadership: Leadership) => void): void {
  wrap(peer.sender, "onLeaderChange", (original) => () => {
    if (peer.leadership !== null) change(peer.leadership);
    original();
  });
}

/** Rewrites every frame that comes in. */
export function framesIn(rewrite: (frame: Frame, peer: Peer) => Frame): Parts {
  return peers((peer) => {
    wrap(peer, "step", (step) => (input, now) => {
      step(input.type === "frame" ? { ...input, frame: rewrite(input.frame, peer) } : input, now);
    });
  });
}

/** Rewrites what links report about lines. */
export function flows(rewrite: (flow: Flow) => Flow): Parts {
  return peers((peer) => {
    wrap(peer, "step", (step) => (input, now) => step(input.type === "flow" ? rewrite(input) : input, now));
  });
}

type Flow = Extract<Input, { type: "flow" }>;

/** Rewrites every frame that goes out; null: it does not go. */
export function framesOut(rewrite: (frame: Frame, peer: Peer, link: LinkId) => Frame | null): Parts {
  return outputs((output, peer) => {
    if (output.do !== "send") return [output];
    const frame = rewrite(output.frame, peer, output.link);
    return frame === null ? [] : [{ ...output, frame }];
  });
}

/** Rewrites what the host is told to do. */
export function outputs(rewrite: (output: Output, peer: Peer) => Output[]): Parts {
  return peers((peer) => wrap(peer, "takeOutputs", (take) => () => take().flatMap((output) => rewrite(output, peer))));
}

type Method = (...parameters: never[]) => unknown;

/** Replaces a method by one made from it. */
export function wrap<K extends PropertyKey, T extends { [name in K]: Method }>(
  object: T,
  name: K,
  around: (original: T[K]) => T[K],
): void {
  object[name] = around(object[name].bind(object) as T[K]);
}

/** Puts a getter in the place of a property. */
export function getter<T, K extends keyof T>(object: T, name: K, get: () => T[K]): void {
  Object.defineProperty(object, name, { get, set: () => {}, configurable: true });
}

// ── disks and clocks ─────────────────────────────────────────────────────────────────────────────────────────────

/** Changes every file as it is opened. */
export function files(change: (file: File, path: string, disk: VirtualDisk) => Partial<File>): Parts {
  return disks((disk) => ({
    open: (path, mode) => {
      const file = disk.open(path, mode);
      return Object.assign(sameFile(file), change(file, path, disk));
    },
  }));
}

export function disks(change: (disk: VirtualDisk) => Partial<Disk>): Parts {
  return { disk: (disk) => ({ ...sameDisk(disk), ...change(disk) }) };
}

/** Reports something as done that was not done: later, and never to another process. */
export function pretend(disk: VirtualDisk, done: (error: null) => void): void {
  const { user } = disk;
  disk.clock.after(0, () => {
    if (!user.ended) done(null);
  });
}

/** Replaces random words: `choose` sees the length, and how many words of each length were made before. */
export function words(choose: (length: number, before: readonly number[]) => string | null): Parts {
  return {
    clock: (clock): Clock => {
      const before: number[] = [];
      return {
        now: () => clock.now(),
        wall: () => clock.wall(),
        after: (ms, fn) => clock.after(ms, fn),
        soon: (fn) => clock.soon(fn),
        random: () => clock.random(),
        word: (length) => {
          const word = choose(length, before) ?? clock.word(length);
          before.push(length);
          return word;
        },
      };
    },
  };
}

function sameDisk(disk: Disk): Disk {
  return {
    lock: (dead) => disk.lock(dead),
    renewLock: () => disk.renewLock(),
    unlock: () => disk.unlock(),
    list: (directory) => disk.list(directory),
    open: (path, mode) => disk.open(path, mode),
    makeDirectory: (path) => disk.makeDirectory(path),
    rename: (from, to) => disk.rename(from, to),
    remove: (path) => disk.remove(path),
    syncDirectory: (path, done) => disk.syncDirectory(path, done),
    syncDirectoryNow: (path) => disk.syncDirectoryNow(path),
  };
}

function sameFile(file: File): File {
  return {
    get size() {
      return file.size;
    },
    write: (offset, bytes) => file.write(offset, bytes),
    read: (offset, length) => file.read(offset, length),
    truncate: (size) => file.truncate(size),
    sync: (done) => file.sync(done),
    syncNow: () => file.syncNow(),
    close: () => file.close(),
  };
}
