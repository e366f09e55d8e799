/** One data directory and two pid namespaces, as two containers on one volume: real processes that do not see each other. */
import { afterAll, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { Cluster, endAll, PeerProcess, RUNTIMES, sentBy } from "./harness.ts";
import { checkHistory, loggedChats } from "./history.ts";

const CONTAINER = ["unshare", "--pid", "--fork", "--kill-child", "--mount-proc"] as const;
/** A takeover takes thirteen seconds; loaded machines more. */
const TAKEN_MS = 40_000;

const can = Bun.spawnSync([...CONTAINER, "true"]).success;
if (!can) console.warn("skipped: two pid namespaces on one directory (unshare --pid is not allowed here)");

/** At once: they wait for leases, each on a directory of its own. */
const contained = can ? test.concurrent : test.skip;

afterAll(endAll);

function start(cluster: Cluster, runtime: "binary" | "node", port: number): PeerProcess {
  const peer = ["--id", "1", "--port", String(port), "--data-dir", cluster.dir(1), "--json"];
  return new PeerProcess([...CONTAINER, ...RUNTIMES[runtime], ...peer]);
}

/** The peer itself, as this namespace sees it: the only child of `unshare`. */
function pidInside(peer: PeerProcess): number {
  return Number(readFileSync(`/proc/${peer.pid}/task/${peer.pid}/children`, "utf8").trim());
}

const sent = (peer: PeerProcess, text: string) =>
  peer.until(`"${text}" is sent`, () => {
    const pending = peer.all("pending").find((e) => e.payload === text);
    return pending !== undefined && peer.all("sent").some((e) => e.msg_id === pending.msg_id);
  });

for (const runtime of ["binary", "node"] as const) {
  contained(
    `[D1] ${runtime}: the second of two on one directory is refused, and the first keeps all that was sent`,
    async () => {
      const cluster = await Cluster.reserve(2);
      const first = start(cluster, runtime, cluster.portOf(1));
      await first.event("role", (e) => e.role === "leader");
      first.say("before");
      await sent(first, "before");
      const second = start(cluster, runtime, cluster.portOf(2));
      expect(await second.exited).toBe(1);
      expect(second.all("notice").map((e) => e.code)).toContain("locked");
      expect(second.all("error").at(-1)?.message).toContain("is in use by another process (process 1 on ");
      expect(second.all("started")).toEqual([]);
      first.say("after");
      await sent(first, "after");
      await first.stop();
      expect(loggedChats(cluster.dir(1)).map((c) => c.payload)).toEqual(["before", "after"]);
      await cluster.stop();
    },
    60_000,
  );

  contained(
    `[D1] ${runtime}: a first that stands still is taken over, and stops when it wakes; nothing that was sent is lost`,
    async () => {
      const cluster = await Cluster.reserve(2);
      const first = start(cluster, runtime, cluster.portOf(1));
      await first.event("role", (e) => e.role === "leader");
      first.say("from the first");
      await sent(first, "from the first");
      const pid = pidInside(first);
      process.kill(pid, "SIGSTOP");
      first.say("too late");
      const second = start(cluster, runtime, cluster.portOf(2));
      await second.event("role", (e) => e.role === "leader", 0, TAKEN_MS);
      second.say("from the second");
      await sent(second, "from the second");
      process.kill(pid, "SIGCONT");
      expect(await first.exited).toBe(1);
      const told = first.all("error").map((e) => e.message);
      expect(told).toContainEqual(expect.stringContaining("the data directory is not this process's any more"));
      expect(first.all("sent").length).toBe(1);
      second.say("and on");
      await sent(second, "and on");
      await second.stop();
      const chats = checkHistory([cluster.dir(1)], sentBy([first, second]));
      expect(chats.map((c) => c.payload)).toEqual(["from the first", "from the second", "and on"]);
      await cluster.stop();
    },
    90_000,
  );
}

contained(
  "[D1] a container that was killed gives its directory back after ten seconds, or at once to --take-lock",
  async () => {
    const cluster = await Cluster.reserve(1);
    for (const args of [[], ["--take-lock"]]) {
      const first = start(cluster, "binary", cluster.portOf(1));
      await first.event("role", (e) => e.role === "leader", 0, TAKEN_MS);
      await first.stop();
      const began = performance.now();
      const peer = ["--id", "1", "--port", String(cluster.portOf(1)), "--data-dir", cluster.dir(1), "--json", ...args];
      const second = new PeerProcess([...RUNTIMES.binary, ...peer]);
      await second.event("started", () => true, 0, TAKEN_MS);
      const tookMs = performance.now() - began;
      if (args.length === 0) expect(tookMs).toBeGreaterThan(10_000);
      else expect(tookMs).toBeLessThan(10_000);
      expect(await second.stop("SIGTERM")).toBe(0);
    }
    await cluster.stop();
  },
  90_000,
);
