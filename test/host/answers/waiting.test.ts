/** Whom everybody waits for, by name and address, and what can be done [S9] [M5]. */
import { describe, expect, test } from "bun:test";
import type { Waiting } from "../../../src/core/reports.ts";
import { Waiter } from "../../../src/host/answers/waiter.ts";
import { Cluster, say, sent, told } from "../virtual-cluster.ts";

const waiting = (cluster: Cluster, id: number) => cluster.status(id).waiting as Waiting;
const missing = (cluster: Cluster, id: number) => waiting(cluster, id).peers.map((p) => `${p.id} ${p.port} ${p.why}`);

describe("a majority that is not there", () => {
  test("is named with its addresses, and what helps; the notice says the same", () => {
    const cluster = Cluster.formed();
    cluster.kill(2);
    cluster.kill(3);
    cluster.pass();
    expect(missing(cluster, 1)).toEqual(["2 6002 away", "3 6003 away"]);
    const { message, needed } = waiting(cluster, 1);
    expect(needed).toBe(1);
    expect(message).toBe(
      "waiting for a majority (1 of 3 voters here, 2 needed): peer 2 (virtual:6002) is away; peer 3 (virtual:6003) is away. Start peer 2 or peer 3 again; if a majority is lost for good, `chatpeer recover DIR --force` on one survivor. Messages are kept and will be sent",
    );
    const run = cluster.peers.get(1) as never;
    expect(told(run).filter((t) => t.code === "waiting" && t.message === message)).toHaveLength(1);
  });

  test("[D4] may be here without a vote: its full disk is named, and when there is room somebody leads", () => {
    const cluster = Cluster.formed();
    const disk = cluster.disks[1];
    if (disk === undefined) throw new Error("there are three");
    disk.faults.capacity = 0;
    const writer = cluster.peers.get(1) as never;
    say(writer, "fills it");
    cluster.until(() => cluster.status(2).troubles.length > 0);
    cluster.kill(3);
    cluster.pass();
    for (const id of [1, 2]) {
      expect(missing(cluster, id)).toEqual(["2 6002 room", "3 6003 away"]);
      expect(waiting(cluster, id).message).toContain(
        "peer 2 (virtual:6002) cannot vote, because its disk is full; peer 3 (virtual:6003) is away. Start peer 3 again; make room on the disk of peer 2;",
      );
    }
    disk.faults.capacity = Number.POSITIVE_INFINITY;
    cluster.until(() => cluster.status(1).waiting === null && cluster.status(1).leader_id !== null);
    say(writer, "and on");
    cluster.until(() => sent(writer).length === 2);
  });
});

describe("the morning after", () => {
  /** All of so many, who quit in the order of their ids; the words of the last one. */
  function night(peers: number): { cluster: Cluster; last: string[] } {
    const cluster = new Cluster({}, 7, peers);
    for (let id = 1; id <= peers; id++) {
      cluster.start(id);
      cluster.pass(2000);
    }
    cluster.until(() => cluster.status(1).members.filter((m) => m.state !== "unreachable").length === peers);
    for (let id = 1; id <= peers; id++) {
      const run = cluster.peers.get(id);
      if (run === undefined) throw new Error("it runs");
      run.service.quit();
      cluster.until(() => run.stops.length > 0);
      run.die();
      cluster.disks[id - 1]?.kill();
      cluster.pass(2000);
    }
    const last = told(cluster.peers.get(peers) as never).flatMap((t) => (t.code === "last-voter" ? [t.message] : []));
    return { cluster, last };
  }

  test("eight quit in turn, five come back: all name the same peers to wait for; with the last one all goes on", () => {
    const { cluster, last } = night(8);
    expect(last).toEqual([
      "this peer holds the only vote: peer 1, peer 2, peer 3, peer 4, peer 5, peer 6 and peer 7 cannot go on until it is back. Start it first, or leave it running",
    ]);
    for (const id of [1, 2, 3, 4, 5]) cluster.start(id);
    cluster.pass(20_000);
    // Peer 5 knows most of them: when it left, these three had the votes.
    for (const id of [1, 2, 3, 4, 5]) {
      expect(missing(cluster, id)).toEqual(["6 6006 away", "7 6007 away", "8 6008 away"]);
      expect(waiting(cluster, id).needed).toBe(2);
      expect(waiting(cluster, id).message).toContain("Start peer 6, peer 7 or peer 8 again");
    }
    // The next one knows that only the last has a vote, and so do all whom it meets.
    cluster.start(7);
    cluster.pass(20_000);
    for (const id of [1, 2, 3, 4, 5, 7]) {
      expect(missing(cluster, id)).toEqual(["8 6008 away"]);
      expect(waiting(cluster, id).message).toContain("waiting for the only voter: peer 8 (virtual:6008) is away");
      expect(waiting(cluster, id).message).toContain("Who left last must return first: start peer 8");
    }
    cluster.start(8);
    cluster.until(() => [1, 2, 3, 4, 5, 7, 8].every((id) => cluster.status(id).waiting === null));
    const run = cluster.peers.get(1) as never;
    say(run, "good morning");
    cluster.until(() => sent(run).length === 1);
  });

  test("whoever holds the only vote is told so when it quits while others are away", () => {
    const cluster = new Cluster({}, 7, 2);
    for (const id of [1, 2]) cluster.start(id);
    cluster.until(() => cluster.status(1).members.length === 2);
    cluster.pass();
    const voter = cluster.status(1).members.find((m) => m.role === "voter")?.id ?? 0;
    cluster.kill(3 - voter);
    cluster.pass(2000);
    const run = cluster.peers.get(voter);
    run?.service.quit();
    cluster.until(() => (run?.stops.length ?? 0) > 0);
    expect(told(run as never).find((t) => t.code === "last-voter")?.message).toBe(
      `this peer holds the only vote: peer ${3 - voter} cannot go on until it is back. Start it first, or leave it running`,
    );
  });
});

describe("no cluster yet", () => {
  test("no seed answers: which one, and how to see why", () => {
    const cluster = new Cluster();
    cluster.start(2);
    cluster.pass();
    expect(waiting(cluster, 2).message).toBe(
      "not in a cluster yet: no seed has answered (peer 1 (virtual:6001)). Is a peer running there? `chatpeer doctor virtual:6001` says what is in the way",
    );
  });

  test("somebody has founded one as soon as a seed says so, before it lets this peer in", () => {
    const cluster = new Cluster();
    cluster.start(1);
    cluster.pass();
    cluster.start(2);
    const told = new Set<string>();
    while (cluster.status(2).members.length === 0) {
      told.add(cluster.status(2).waiting?.message ?? "");
      cluster.pass(0.1);
    }
    expect([...told].join("\n")).toContain("peer 1 (virtual:6001) answers, and a leader there is waited for");
    expect([...told].join("\n")).not.toContain("nobody has founded one");
  });

  test("a seed that is this peer itself is no other peer: its id, or its address", () => {
    const cluster = new Cluster();
    cluster.start(2, { seeds: [{ id: 2, host: "virtual", port: 6002 }] });
    cluster.start(3, { seeds: [1, 7].map((id) => ({ id, host: "virtual", port: id === 7 ? 6007 : 6003 })) });
    cluster.pass();
    expect(waiting(cluster, 2).message).toBe(
      "not in a cluster yet: --seed names this peer itself, and no other one. To found a cluster, start it again without --seed; to join one, name another peer",
    );
    expect(waiting(cluster, 3).message).toContain("no seed has answered (peer 7 (virtual:6007)). Is a peer");
  });

  test("[M1] everybody lists everybody as seed: all are told that one must found; the one that then does is joined", () => {
    const all = [1, 2, 3].map((id) => ({ id, host: "virtual", port: 6000 + id }));
    const cluster = new Cluster();
    for (const id of [1, 2, 3]) cluster.start(id, { seeds: all.filter((seed) => seed.id !== id) });
    cluster.pass();
    for (const id of [1, 2, 3]) {
      expect(waiting(cluster, id).message).toContain("but nobody has founded one. Exactly one of you must: stop one");
      expect(waiting(cluster, id).message).toContain(
        `peer ${id === 3 ? 2 : 3} (virtual:600${id === 3 ? 2 : 3}) answer`,
      );
    }
    cluster.kill(2);
    cluster.start(2, { seeds: [] });
    cluster.until(() => [1, 2, 3].every((id) => cluster.status(id).members.length === 3));
    const run = cluster.peers.get(3) as never;
    say(run, "here we are");
    cluster.until(() => sent(run).length === 1);
  });
});

describe("the waiter", () => {
  function waiter() {
    let now = 0;
    const said: string[] = [];
    const one = new Waiter({ now: () => now }, (message) => said.push(`${now} ${message}`));
    /** The reason from now until `ms` later. */
    const stays = (reason: string | null, ms: number) => {
      for (const until = now + ms; now < until; now += 50) one.onTurn(reason);
    };
    return { said, stays };
  }

  test("says nothing of what passes at once, and each reason once", () => {
    const { said, stays } = waiter();
    stays("a", 250);
    stays(null, 100);
    stays("b", 10_000);
    expect(said).toEqual(["600 b"]);
    stays(null, 50);
    stays("b", 1000);
    expect(said).toHaveLength(2);
  });

  test("reasons that change all the time are told ever more seldom, and the last one always", () => {
    const { said, stays } = waiter();
    for (let i = 0; i < 600; i++) stays(`reason ${i}`, 500);
    expect(said.length).toBeLessThan(15);
    stays("at last", 61_000);
    expect(said.at(-1)).toContain("at last");
  });
});
