/** Mutants of storage, of restarts and of copies: the rules C1, D1 to D8, L4, S3 and R9. */
import { PortError } from "../host/contracts.ts";
import { crc32c } from "../wire/crc32c.ts";
import { disks, files, framesOut, getter, type Mutant, peers, pretend, restarts, wrap } from "./mutant.ts";

export const DISK_MUTANTS: readonly Mutant[] = [
  {
    name: "lock-unseen",
    rule: "D1",
    what: "a process that stood still goes on without a look at its lock",
    parts: disks((disk) => ({ renewLock: () => (disk.holds() ? disk.renewLock() : null) })),
  },
  {
    name: "fsync-lies",
    rule: "R4",
    what: "an fsync reports success and does nothing",
    parts: files((_file, _path, disk) => ({ sync: (done) => pretend(disk, done) })),
  },
  {
    name: "closed-unsynced",
    rule: "L4",
    what: "a full segment is closed without its last fsync",
    parts: files((file, path, disk) => ({
      sync: (done) => (path.startsWith("log/") && path !== disk.newest("log") ? pretend(disk, done) : file.sync(done)),
    })),
  },
  {
    name: "names-unsynced",
    rule: "D2",
    what: "no directory is ever synced, so new and renamed files may vanish",
    parts: disks((disk) => ({
      syncDirectory: (_path, done) => pretend(disk, done),
      syncDirectoryNow: () => {},
    })),
  },
  {
    name: "promise-unsynced",
    rule: "D2",
    what: "a promise counts before its bytes are on disk",
    parts: files((file, path, disk) => ({
      sync: (done) => (path === "promise.slots" ? pretend(disk, done) : file.sync(done)),
    })),
  },
  {
    name: "promise-overwritten",
    rule: "D2",
    what: "a promise is written over the one before it, which a power cut then takes, too",
    parts: files((file, path) => ({
      write: (offset, bytes) => file.write(path === "promise.slots" ? 0 : offset, bytes),
    })),
  },
  {
    name: "promise-needs-room",
    rule: "D2",
    what: "a promise is a new file each time, which a disk that is full or out of inodes does not take",
    parts: files((file, path, disk) => ({
      write: (offset, bytes) => {
        if (path === "promise.slots" && (disk.room <= 0 || disk.faults.filesMax === 0))
          throw new PortError("ENOSPC", `cannot open ${path}: no space left on device (ENOSPC)`);
        file.write(offset, bytes);
      },
    })),
  },
  {
    name: "abstention-untold",
    rule: "D4",
    what: "a voter whose disk is full does not say that it has no vote",
    parts: peers((peer) => getter(peer, "diskTimes", () => peer.timeouts.disk.times)),
  },
  {
    name: "promise-forgotten",
    rule: "D2",
    what: "a restarted peer goes by the ballot of its last entry instead of its promise",
    parts: restarts((restored) => ({ ...restored, promised: restored.state.tail.ballot })),
  },
  {
    name: "fsync-error-ignored",
    rule: "D3",
    what: "a failed fsync counts as done",
    parts: files((file) => ({ sync: (done) => file.sync(() => done(null)) })),
  },
  {
    name: "outbox-forgotten",
    rule: "S3",
    what: "a restarted peer does not look at what it had not sent",
    parts: restarts((restored) => ({ ...restored, outbox: [] })),
  },
  {
    name: "faulty-counts",
    rule: "D5",
    what: "a peer that lost confirmed entries votes and counts as before",
    parts: restarts((restored) => ({ ...restored, faulty: false })),
  },
  {
    name: "damage-cut",
    rule: "D5",
    what: "there is no watermark, so damage is always taken for a write that was never confirmed",
    parts: disks((disk) => ({
      open: (path, mode) => {
        if (path === "progress.json") throw new PortError("ENOENT", `cannot open ${path}: it is not looked at`);
        return disk.open(path, mode);
      },
    })),
  },
  {
    name: "repaired-early",
    rule: "D5",
    what: "a damaged peer counts again as soon as it has found its leader",
    parts: peers((peer) => {
      wrap(peer.membership, "onLeaderKnown", (onLeaderKnown) => () => {
        onLeaderKnown();
        if (peer.faulty) peer.out({ do: "repaired" });
        peer.faulty = false;
      });
    }),
  },
  {
    name: "rollback-unseen",
    rule: "D6",
    what: "nobody tells a peer that its directory holds less than it had confirmed",
    parts: framesOut((frame) => (frame.type === "SEEN" ? null : frame)),
  },
  {
    name: "restart-commits",
    rule: "D7",
    what: "a restarted peer holds all it has on disk for committed",
    parts: restarts((restored) => ({ ...restored, commit: restored.durable })),
  },
  {
    name: "cursor-ahead",
    rule: "D7",
    what: "what is durable is noted as delivered",
    parts: files((file, path) => ({
      write: (offset, bytes) => file.write(offset, path === "progress.json.new" ? cursorAhead(bytes) : bytes),
    })),
  },
  {
    name: "hand-out-acknowledges",
    rule: "C1",
    what: "a message counts as dealt with as soon as an application has it",
    parts: {
      inbox: (inbox) =>
        wrap(inbox, "take", (take) => (count) => {
          const hand = take(count);
          const last = hand?.messages.at(-1);
          if (last !== undefined) inbox.acknowledge(last.index);
          return hand;
        }),
    },
  },
  {
    name: "losses-untold",
    rule: "D8",
    what: "who has lost what it had confirmed tells nobody",
    parts: framesOut((frame) => (frame.type === "LOST" ? null : frame)),
  },
  {
    name: "prefix-unproven",
    rule: "R9",
    what: "equal ballots at equal places count as equal logs, whatever the crc of the chain says",
    parts: peers((peer) => wrap(peer.histories, "differ", () => () => false)),
  },
  {
    name: "forks-untold",
    rule: "R9",
    what: "who finds another history tells the other side nothing",
    parts: framesOut((frame) => (frame.type === "FORK" ? null : frame)),
  },
];

function cursorAhead(bytes: Uint8Array): Uint8Array {
  const text = new TextDecoder().decode(bytes);
  const progress = JSON.parse(text.slice(0, text.lastIndexOf(" "))) as { durable: number };
  const body = JSON.stringify({ ...progress, delivered: progress.durable });
  return new TextEncoder().encode(`${body} ${crc32c(new TextEncoder().encode(body))}`);
}
