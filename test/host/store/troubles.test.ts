/** [D4] What cannot be written for want of room, inodes, handles or rights: what waits, what it costs, what is said. */
import { describe, expect, test } from "bun:test";
import { PortError } from "../../../src/host/contracts.ts";
import type { Host } from "../../../src/host/host.ts";
import type { VirtualDisk } from "../../../src/sim/virtual-disk.ts";
import type { DiskCall } from "../../../src/sim/virtual-file.ts";
import { Cluster, payloads, type Run, say, sent, told } from "../virtual-cluster.ts";

const PASSING = ["ENOSPC", "EFBIG", "EMFILE", "EACCES", "EROFS"] as const;

/** Every such call fails from now on, where `path` begins like that. */
function refuse(disk: VirtualDisk, calls: readonly DiskCall[], path: string, code: string): void {
  disk.faults.before = (call, at) => {
    if (calls.includes(call) && at.startsWith(path))
      throw new PortError(code, `cannot ${call} ${at}: it is refused (${code})`);
  };
}

function peer(cluster: Cluster, id: number): Run<Host> & { readonly disk: VirtualDisk } {
  return { ...(cluster.peers.get(id) as Run<Host>), disk: cluster.disks[id - 1] as VirtualDisk };
}

const troubles = (run: Run<Host>) => run.service.status().troubles.map(({ file }) => file);

describe("what can wait", () => {
  for (const [file, calls, path] of [
    ["progress.json", ["create"], "progress.json"],
    ["progress.json", ["rename"], "progress.json"],
    ["rooms.json", ["create", "write"], "rooms.json"],
  ] as const)
    for (const code of [...PASSING, "EIO"])
      test(`[D7] ${file}: ${calls.join(" and ")} refused with ${code} costs no message, and is told once, shown, and over`, () => {
        const cluster = Cluster.formed();
        const run = peer(cluster, 2);
        refuse(run.disk, calls, path, code);
        run.service.rooms.join("tea");
        say(run, "hello");
        cluster.until(() => sent(run).length === 1);
        cluster.until(() => troubles(run).includes(file));
        cluster.pass();
        const [trouble, ...more] = told(run).filter((t) => t.code === "trouble");
        expect(more).toEqual([]);
        expect(trouble?.event).toBe("error");
        expect(trouble?.message).toContain(`(${code}): `);
        expect(run.service.status().troubles).toMatchObject([{ file, message: trouble?.message }]);
        run.disk.faults.before = null;
        cluster.until(() => troubles(run).length === 0);
        expect(told(run).filter((t) => t.code === "trouble-over")).toHaveLength(1);
        expect(run.stops).toEqual([]);
        run.service.quit();
        cluster.until(() => run.stops.length > 0);
        expect(run.stops[0]?.code).toBe(0);
        cluster.start(2);
        cluster.pass(1000);
        expect(peer(cluster, 2).service.rooms.has("tea")).toBe(true);
        expect(payloads(peer(cluster, 2))).toEqual([]);
      });

  test("[D4] a disk that is full at one moment and not at the next is told a few times, then once a minute, and rightly at last", () => {
    const cluster = Cluster.formed();
    const run = peer(cluster, 2);
    const began = cluster.time.now;
    for (let i = 0; i < 300; i++) {
      if (i % 2 === 0) refuse(run.disk, ["create"], "rooms.json", "ENOSPC");
      else run.disk.faults.before = null;
      run.service.rooms.join(`room${i}`);
      cluster.pass(1000);
      expect(troubles(run)).toEqual(i % 2 === 0 ? ["rooms.json"] : []);
    }
    const all = told(run).filter((t) => t.code === "trouble" || t.code === "trouble-over");
    const minutes = (cluster.time.now - began) / 60_000;
    expect(all.length).toBeGreaterThan(minutes);
    expect(all.length).toBeLessThanOrEqual(4 + minutes);
    cluster.pass(60_000);
    expect(told(run).at(-1)?.code).toBe("trouble-over");
  });

  test("[S1] what is typed waits for the outbox, and so does what was settled", () => {
    for (const code of PASSING) {
      const cluster = Cluster.formed();
      const run = peer(cluster, 2);
      refuse(run.disk, ["write", "truncate"], "outbox.jsonl", code);
      say(run, "hello");
      cluster.pass(5000);
      expect(sent(run)).toEqual([]);
      expect(troubles(run)).toEqual(["outbox.jsonl"]);
      run.disk.faults.before = null;
      cluster.until(() => sent(run).length === 1);
      // The file cannot be emptied, so it is written anew.
      refuse(run.disk, ["truncate"], "outbox.jsonl", code);
      say(run, "again");
      cluster.until(() => sent(run).length === 2);
      cluster.pass(2000);
      expect(run.disk.contents("outbox.jsonl")).toHaveLength(0);
      expect(run.stops).toEqual([]);
    }
  });

  test("[S1] an outbox that cannot be synced is written anew, and the peer goes on", () => {
    const cluster = Cluster.formed();
    const run = peer(cluster, 2);
    for (const id of [1, 3]) cluster.kill(id);
    cluster.pass(1000);
    say(run, "wait");
    // Without a majority nothing else is synced but the note of progress.
    run.disk.faults.syncError = "EIO";
    cluster.until(() => troubles(run).includes("outbox.jsonl"));
    run.disk.faults.syncError = null;
    cluster.until(() => troubles(run).length === 0);
    run.die();
    run.disk.crash();
    for (const id of [1, 2, 3]) cluster.start(id);
    cluster.until(() => sent(peer(cluster, 2)).length === 1);
  });

  test("[M4] a joiner that cannot note its cluster joins as soon as it can", () => {
    const cluster = new Cluster();
    cluster.start(1);
    cluster.pass();
    cluster.start(2);
    const run = peer(cluster, 2);
    refuse(run.disk, ["create"], "identity.json", "ENOSPC");
    cluster.until(() => troubles(run).includes("identity.json"));
    cluster.pass(3000);
    expect(cluster.status(1).members).toHaveLength(1);
    run.disk.faults.before = null;
    cluster.until(() => cluster.status(1).members.length === 2);
    expect(troubles(run)).toEqual([]);
  });
});

describe("what must be written before others hear of it", () => {
  for (const code of PASSING)
    test(`[E6] a vote that cannot be written (${code}) is not given, and told; then a leader is elected`, () => {
      const cluster = Cluster.formed();
      const [one, two] = [peer(cluster, 1), peer(cluster, 2)];
      for (const { disk } of [one, two]) refuse(disk, ["write"], "promise.slots", code);
      cluster.kill(3);
      // The candidate cannot vote for itself.
      cluster.until(() => troubles(two).includes("promise.slots"));
      cluster.pass();
      expect(told(two).find((t) => t.code === "trouble")?.message).toContain("has no vote until it can");
      for (const run of [one, two]) {
        expect(run.service.status().leader_id).toBeNull();
        expect(run.stops).toEqual([]);
      }
      for (const { disk } of [one, two]) disk.faults.before = null;
      cluster.until(() => cluster.status(1).leader_id !== null && cluster.status(1).quorum);
      say(one, "hello");
      cluster.until(() => sent(one).length === 1);
      expect([...troubles(one), ...troubles(two)]).toEqual([]);
    });

  for (const code of PASSING)
    test(`[D4] a leader whose log is refused with ${code} makes room for another, and takes part again`, () => {
      const cluster = Cluster.formed();
      const leader = peer(cluster, 3);
      refuse(leader.disk, ["write"], "log/", code);
      say(peer(cluster, 1), "hello");
      cluster.until(() => sent(peer(cluster, 1)).length === 1);
      expect(cluster.status(1).leader_id).not.toBe(3);
      expect(troubles(leader)).toEqual(["log"]);
      leader.disk.faults.before = null;
      // It delivers what it had in memory before it has tried its disk again.
      cluster.until(() => payloads(leader).includes("hello") && troubles(leader).length === 0);
      expect(leader.stops).toEqual([]);
    });

  test("[D3] what is no want of room, handles or rights stops the peer, with words", () => {
    for (const path of ["log/", "promise.slots"]) {
      const cluster = Cluster.formed();
      for (const id of [1, 2]) refuse(peer(cluster, id).disk, ["write"], path, "EIO");
      cluster.kill(3);
      cluster.until(() => [1, 2].some((id) => peer(cluster, id).stops.length > 0));
      const [stop] = [1, 2].flatMap((id) => peer(cluster, id).stops);
      expect(stop?.reason).toContain("check the disk, then start again");
    }
  });
});
