/** A recovered cluster on virtual time and network, while peers of the one before it are still about [M9]. */
import { expect, test } from "bun:test";
import { DEFAULT_TIMINGS, TERMS_PER_CLUSTER } from "../../../src/core/config.ts";
import type { Ballot } from "../../../src/core/ids.ts";
import type { PeerInfo } from "../../../src/core/log-entry.ts";
import { DEFAULT_ENGINE } from "../../../src/engines/default.ts";
import type { DeliveredMessage, HostEvent, Stopped } from "../../../src/host/events.ts";
import { Host } from "../../../src/host/host.ts";
import { inspectSurvivor, recoverByForce } from "../../../src/host/store/forced.ts";
import { makePromiseFile, readPromise } from "../../../src/host/store/promise-file.ts";
import { VirtualDisk } from "../../../src/sim/virtual-disk.ts";
import { VirtualNetwork } from "../../../src/sim/virtual-network.ts";
import { seeded, VirtualClock, VirtualTime } from "../../../src/sim/virtual-time.ts";

interface Run {
  readonly host: Host;
  readonly events: HostEvent[];
  readonly stops: Stopped[];
}

class Room {
  readonly time = new VirtualTime();
  readonly random: () => number;
  readonly network: VirtualNetwork;

  constructor(seed: number) {
    this.random = seeded(seed);
    this.network = new VirtualNetwork(this.time, this.random);
  }

  disk(): VirtualDisk {
    const clock = { after: (ms: number, fn: () => void) => this.time.at(this.time.now + ms, fn) };
    return new VirtualDisk({ clock, random: this.random });
  }

  start(id: number, disk: VirtualDisk, seeds: readonly PeerInfo[]): Run {
    const clock = new VirtualClock(this.time, this.random);
    const { network } = this.network.attach(id, clock);
    const [events, stops]: [HostEvent[], Stopped[]] = [[], []];
    const host = new Host(
      { clock, network, disk },
      {
        ...{ id, host: "virtual", port: 6000 + id, advertise: null, seeds, name: `user${id}` },
        ...{
          engine: DEFAULT_ENGINE.create,
          timings: DEFAULT_TIMINGS,
          durability: "fsync",
          segments: { entries: 8, bytes: 1 << 20 },
        },
      },
      {
        event: (event) => events.push(event),
        log: () => {},
        writable: () => {},
        stopped: (stopped) => stops.push(stopped),
      },
    );
    host.start();
    return { host, events, stops };
  }

  passUntil(what: string, done: () => boolean, ms = 60_000): void {
    this.time.runUntil(this.time.now + ms, done);
    if (!done()) throw new Error(`${ms} ms passed before ${what}`);
  }

  say(run: Run, text: string, ...hearers: Run[]): void {
    this.passUntil("it runs", () => run.events.some((e) => e.event === "started"));
    expect(run.host.submit("general", text).ok).toBe(true);
    this.passUntil(`everyone hears ${text}`, () => [run, ...hearers].every((r) => payloads(r).includes(text)));
  }
}

const payloads = (run: Run) =>
  run.events.filter((e): e is DeliveredMessage => e.event === "message").map((m) => m.payload);
const SEED = { id: 1, host: "virtual", port: 6001 };

for (let seed = 1; seed <= 20; seed++)
  test(`[M9] a straggler dials the places of the old cluster: who starts anew there joins the new one (seed ${seed})`, () => {
    const room = new Room(seed);
    const disks = [room.disk(), room.disk(), room.disk()] as const;
    const old = disks.map((disk, i) => room.start(i + 1, disk, i === 0 ? [] : [SEED])) as [Run, Run, Run];
    room.passUntil("three vote", () =>
      old.every((r) => r.host.status().members.filter((m) => m.role === "voter").length === 3),
    );
    for (let i = 0; i < 20; i++) room.say(old[i % 3] as Run, `text ${i}`, ...old);
    for (const run of old) run.host.stop();

    const clock = new VirtualClock(room.time, room.random);
    expect(recoverByForce(disks[0], clock)).not.toBeNull();
    // Peer 3 was not dead: it dials the others where they were, and finds peer 2 before that finds its seed.
    const straggler = room.start(3, disks[2], []);
    const fresh = room.start(2, room.disk(), [SEED]);
    room.time.runUntil(room.time.now + 3000);
    const recovered = room.start(1, disks[0], []);
    room.passUntil("it leads", () => recovered.host.status().role === "leader");
    room.say(fresh, "new here", recovered);
    room.say(recovered, "welcome", fresh);
    expect(payloads(fresh)).toEqual([...payloads(old[0]), "new here", "welcome"]);
    expect([...recovered.stops, ...fresh.stops, ...straggler.stops]).toEqual([]);
    expect(payloads(straggler)).toEqual([]);
    room.passUntil("the straggler is told what to do", () =>
      straggler.events.some((e) => e.event === "error" && e.message.includes("Move the data directory of peer 3 away")),
    );

    // And so it is done.
    straggler.host.stop();
    const anew = room.start(3, room.disk(), [{ id: 2, host: "virtual", port: 6002 }]);
    room.say(anew, "me too", recovered, fresh);
    expect(payloads(anew)).toEqual([...payloads(fresh)]);
  });

test("[M9] [E12] a cluster whose terms are used up elects nobody and says so; recovered, one has as many again", () => {
  const room = new Room(1);
  const disk = room.disk();
  const first = room.start(1, disk, []);
  room.say(first, "in good order");
  first.host.stop();
  // The next election takes the last term there is.
  const promise = readPromise(disk) as Ballot;
  makePromiseFile(disk, { ...promise, term: TERMS_PER_CLUSTER - 1 });
  const last = room.start(1, disk, []);
  room.say(last, "in the last term");
  expect(last.host.status().term).toBe(TERMS_PER_CLUSTER);
  const codes = (run: Run) => run.events.flatMap((e) => (e.event === "notice" ? [e.code] : []));
  expect(codes(last)).toContain("terms-low");
  last.host.stop();
  const stuck = room.start(1, disk, []);
  room.passUntil("it says why it elects nobody", () => codes(stuck).includes("terms-used-up"));
  stuck.host.stop();

  const clock = new VirtualClock(room.time, room.random);
  expect(inspectSurvivor(disk, clock)).toMatchObject({ needless: false, termsLeft: 0 });
  expect(recoverByForce(disk, clock)).not.toBeNull();
  expect(inspectSurvivor(disk, clock)).toMatchObject({
    needless: true,
    tail: { ballot: { term: TERMS_PER_CLUSTER + 1 } },
  });
  const again = room.start(1, disk, []);
  const joined = room.start(2, room.disk(), [SEED]);
  room.say(joined, "there are more terms", again);
  expect(payloads(joined)).toEqual(["in good order", "in the last term", "there are more terms"]);
  const { term } = again.host.status();
  expect(term).toBeGreaterThan(TERMS_PER_CLUSTER);
  // And elections go on.
  again.host.stop();
  const third = room.start(1, disk, []);
  room.passUntil("it leads", () => third.host.status().role === "leader");
  expect(third.host.status().term).toBeGreaterThan(term);
  expect(codes(again)).not.toContain("terms-low");
});

test("[M9] [E12] a promise that no elections could have led to is not kept by the recovered one", () => {
  const room = new Room(1);
  const disk = room.disk();
  const first = room.start(1, disk, []);
  room.say(first, "hello");
  const { term } = first.host.status();
  first.host.stop();
  const promise = readPromise(disk) as Ballot;
  makePromiseFile(disk, { ...promise, term: TERMS_PER_CLUSTER });
  recoverByForce(disk, new VirtualClock(room.time, room.random));
  const again = room.start(1, disk, []);
  room.say(again, "as before");
  expect(again.host.status().term).toBe(term + 2);
});
