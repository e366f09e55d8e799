/** Disks that take no file, and the morning after everybody has quit: who goes on, and what those are told who cannot. */
import { afterAll, expect, test } from "bun:test";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { BINARY, Cluster, endAll, type PeerEvent, run } from "./harness.ts";

afterAll(endAll);

/** A file system of this size at `dir`; whether this user may do that. */
function mount(dir: string, options: string): boolean {
  return Bun.spawnSync(["mount", "-t", "tmpfs", "-o", options, "tmpfs", dir]).exitCode === 0;
}

const unmount = (dir: string) => Bun.spawnSync(["umount", "-l", dir]);

const mountable = (() => {
  const dir = mkdtempSync(join(tmpdir(), "chatpeer-tmpfs-"));
  const mounted = mount(dir, "nr_inodes=40");
  if (mounted) unmount(dir);
  rmSync(dir, { recursive: true });
  return mounted;
})();

/** Makes empty files until there can be no more. */
function useUpInodes(dir: string): string {
  const fill = join(dir, "fill");
  mkdirSync(fill);
  for (let i = 0; ; i++) {
    try {
      writeFileSync(join(fill, String(i)), "");
    } catch {
      return fill;
    }
  }
}

test.skipIf(!mountable)(
  "[D2] [D4] no inode left: that is told, the leader dies, and another one is elected; then a full disk is named",
  async () => {
    const cluster = await Cluster.reserve(3);
    const dirs = [1, 2].map((id) => cluster.dir(id));
    try {
      for (const dir of dirs) {
        mkdirSync(dir);
        expect(mount(dir, "nr_inodes=40,size=1m")).toBe(true);
      }
      for (const id of [1, 2, 3]) cluster.start(id);
      await cluster.formed(3);
      const fills = dirs.map(useUpInodes);
      cluster.peer(1).say("hello");
      await cluster.delivered(1);
      for (const id of [1, 2]) {
        const trouble = await cluster.peer(id).event("error", (e) => e.code === "trouble");
        expect(trouble.message).toContain("make room there (space, inodes or quota)");
      }
      await cluster.peer(3).stop();
      const leads = (e: PeerEvent) => e.leader_id === 1 || e.leader_id === 2;
      await cluster.peer(1).event("role", leads);
      cluster.peer(1).say("still here");
      await cluster.delivered(2, [1, 2]);
      for (const fill of fills) rmSync(fill, { recursive: true });
      await cluster.peer(1).event("notice", (e) => e.code === "trouble-over");

      // Peer 2 is full to the last byte, and has no vote: whoever is left says that.
      const fill = join(cluster.dir(2), "fill");
      Bun.spawnSync(["dd", "if=/dev/zero", `of=${fill}`, "bs=4k"]);
      cluster.peer(1).say(...Array.from({ length: 20 }, () => "x".repeat(1000)));
      const full = (e: PeerEvent) => e.code === "waiting" && /disk is full/.test(e.message);
      await cluster.peer(1).event("notice", full);
      // Peer 1 led or followed until now, so peer 2 may have it as its relay [S6] and wait for nobody for a while.
      const from = cluster.peer(2).events.length;
      if ((await cluster.peer(2).status()).waiting === null) await cluster.peer(2).event("notice", full, from);
      for (const id of [1, 2]) {
        const { waiting } = await cluster.peer(id).status();
        expect(waiting.peers.map((p: PeerEvent) => `${p.id} ${p.why}`)).toEqual(["2 room", "3 away"]);
      }
      const doctor = await run([BINARY, "doctor", `127.0.0.1:${cluster.portOf(2)}`]);
      expect(doctor.code).toBe(1);
      expect(doctor.out).toContain("cannot write");
      expect(doctor.out).toContain("this peer takes no messages and has no vote until it can");
      expect(doctor.out).toContain(`peer 2 (127.0.0.1:${cluster.portOf(2)}) cannot vote, because its disk is full`);
      rmSync(fill);
      await cluster.delivered(22, [1, 2]);
    } finally {
      await endAll();
      for (const dir of dirs) unmount(dir);
      await cluster.stop();
    }
  },
  60_000,
);

test("four quit in turn, two come back: screen, status, send and doctor name whom they wait for", async () => {
  const cluster = await Cluster.start(4);
  cluster.peer(1).say("good night");
  await cluster.delivered(1);
  for (const id of [1, 2, 3, 4]) {
    cluster.peer(id).say("/quit");
    expect(await cluster.peer(id).exited).toBe(0);
  }
  const [words] = cluster
    .peer(4)
    .all("notice")
    .filter((e) => e.code === "last-voter");
  expect(words?.message).toContain("this peer holds the only vote: peer 1, peer 2 and peer 3 cannot go on");

  for (const id of [1, 3]) cluster.start(id);
  const last = `peer 4 (127.0.0.1:${cluster.portOf(4)})`;
  for (const id of [1, 3])
    await cluster
      .peer(id)
      .event("notice", (e) => e.code === "waiting" && e.message.includes(`the only voter: ${last}`));
  const at = `127.0.0.1:${cluster.portOf(1)}`;
  const status = await run([BINARY, "status", at]);
  expect(status.out).toContain(
    `waiting for the only voter: ${last} is away. Who left last must return first: start peer 4`,
  );
  const send = await run([BINARY, "send", at, "anybody?", "--timeout", "1s"]);
  expect(send.code).toBe(3);
  expect(send.err).toContain(last);
  const doctor = await run([BINARY, "doctor", at]);
  expect(doctor.code).toBe(1);
  expect(doctor.out).toContain(last);

  cluster.start(4);
  await cluster.peer(1).event("message", (e) => e.payload === "anybody?");
  await cluster.stop();
}, 60_000);
