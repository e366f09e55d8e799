/** One host (and now and then two) on virtual time, disk and network: founding, sending, failing disks, restarts. */
import { expect, test } from "bun:test";
import { DEFAULT_TIMINGS, PROTOCOL_VERSION } from "../../src/core/config.ts";
import type { PeerInfo } from "../../src/core/log-entry.ts";
import { DEFAULT_ENGINE } from "../../src/engines/default.ts";
import { PortError } from "../../src/host/contracts.ts";
import type { DeliveredMessage, HostEvent, Stopped } from "../../src/host/events.ts";
import { Host } from "../../src/host/host.ts";
import type { Submitted } from "../../src/host/service.ts";
import { HostError } from "../../src/host/store/unusable.ts";
import { VirtualDisk } from "../../src/sim/virtual-disk.ts";
import { VirtualNetwork } from "../../src/sim/virtual-network.ts";
import { seeded, VirtualClock, VirtualTime } from "../../src/sim/virtual-time.ts";

/** Virtual milliseconds: enough for a lone peer to found, elect itself and send. */
const A_WHILE_MS = 5000;
const SYNC_MS = 2;
const SEED: PeerInfo = { id: 1, host: "virtual", port: 6001 };
const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** One process on one machine. */
interface Run {
  readonly host: Host;
  readonly clock: VirtualClock;
  readonly events: HostEvent[];
  readonly stops: Stopped[];
  die(): void;
}

class Room {
  readonly time = new VirtualTime();
  readonly random: () => number;
  readonly network: VirtualNetwork;

  constructor(seed = 1) {
    this.random = seeded(seed);
    this.network = new VirtualNetwork(this.time, this.random);
  }

  disk(): VirtualDisk {
    const clock = { after: (ms: number, fn: () => void) => this.time.at(this.time.now + ms, fn) };
    const disk = new VirtualDisk({ clock, random: this.random });
    disk.faults.syncMs = () => SYNC_MS;
    return disk;
  }

  start(id: number, disk: VirtualDisk, options: { seeds?: readonly PeerInfo[]; port?: number } = {}): Run {
    const clock = new VirtualClock(this.time, this.random);
    const { network, die } = this.network.attach(id, clock);
    const [events, stops]: [HostEvent[], Stopped[]] = [[], []];
    const host = new Host(
      { clock, network, disk },
      {
        engine: DEFAULT_ENGINE.create,
        id,
        host: "virtual",
        port: options.port ?? 6000 + id,
        advertise: null,
        seeds: options.seeds ?? [],
        name: `user${id}`,
        timings: DEFAULT_TIMINGS,
        durability: "fsync",
      },
      {
        event: (event) => {
          expect(stops).toEqual([]); // `stopped` is the last call
          events.push(event);
        },
        log: () => {},
        writable: () => {},
        stopped: (stopped) => stops.push(stopped),
      },
    );
    host.start();
    const end = () => {
      clock.end();
      die(false);
    };
    return { host, clock, events, stops, die: end };
  }

  /** Started, leading alone, and with nothing under way. */
  leader(disk: VirtualDisk): Run {
    const run = this.start(1, disk);
    this.passUntil(() => run.events.some((e) => e.event === "role" && e.role === "leader"));
    this.passUntil(() => run.host.status().waiting === null);
    this.passUntil(() => run.host.status().commit_index === run.host.status().last_index);
    this.pass(10 * SYNC_MS);
    return run;
  }

  pass(ms = A_WHILE_MS): void {
    this.time.runUntil(this.time.now + ms);
  }

  passUntil(done: () => boolean, ms = A_WHILE_MS): void {
    this.time.runUntil(this.time.now + ms, done);
    expect(done()).toBe(true);
  }
}

const messages = (run: Run) => run.events.filter((e): e is DeliveredMessage => e.event === "message");
const payloads = (run: Run) => messages(run).map((m) => m.payload);
const errors = (run: Run) => run.events.flatMap((e) => (e.event === "error" ? [e.message] : []));
const notices = (run: Run) => run.events.flatMap((e) => (e.event === "notice" ? [e.code] : []));

function accepted(submitted: Submitted): string {
  if (!submitted.ok) throw new Error(submitted.message);
  return submitted.msg_id;
}

/** Everything in the log of a directory, line by line. */
function logLines(disk: VirtualDisk): { index: number; kind: string; payload?: unknown }[] {
  return disk
    .paths()
    .filter((path) => path.startsWith("log/"))
    .flatMap((path) => decoder.decode(disk.contents(path)).split("\n").slice(0, -1))
    .map((line) => JSON.parse(line));
}

// ── founding and sending ─────────────────────────────────────────────────────────────────────────────────────────────

test("[M1] a lone peer founds a cluster once, leads it and delivers its own messages in order", () => {
  const room = new Room();
  const disk = room.disk();
  const run = room.start(1, disk);
  room.passUntil(() => run.host.status().role === "leader");
  const said = ["one", "two", "three"];
  for (const text of said) accepted(run.host.submit("general", text));
  room.pass();
  expect(notices(run).filter((code) => code === "founded")).toEqual(["founded"]);
  expect(run.events.filter((e) => e.event === "started")).toEqual([
    {
      ...{ event: "started", id: 1, host: "virtual", port: 6001 },
      ...{ cluster_id: expect.any(String), founding_ms: DEFAULT_TIMINGS.founding },
    },
  ]);
  expect(messages(run).map((m) => [m.payload, m.seq_no, m.sender_id, m.user, m.room_id])).toEqual(
    said.map((text, i) => [text, i + 1, 1, "user1", "general"]),
  );
  expect(logLines(disk)[0]?.kind).toBe("genesis");
  expect(run.host.status()).toMatchObject({ role: "leader", leader_id: 1, quorum: true, pending: 0 });

  run.host.stop();
  const again = room.start(1, disk);
  room.pass();
  expect(notices(again)).not.toContain("founded");
  expect(logLines(disk).filter((l) => l.kind === "genesis").length).toBe(1);
});

test("[M1] a peer with a seed never founds, however long nobody answers, and says why it waits", () => {
  const room = new Room();
  const disk = room.disk();
  const run = room.start(2, disk, { seeds: [SEED] });
  accepted(submitWhenRunning(room, run, "kept"));
  room.pass(120_000);
  expect(logLines(disk)).toEqual([]);
  expect(notices(run)).toEqual(["waiting"]);
  expect(run.host.status()).toMatchObject({ role: "observer", leader_id: null, pending: 1 });
  // And when the seed comes, what was typed long ago goes out.
  const seed = room.leader(room.disk());
  room.passUntil(() => payloads(seed).includes("kept") && payloads(run).includes("kept"), 20_000);
});

test("[M8] where a peer is now goes before what its log says, in its own status at once and in the others' when they meet", () => {
  const room = new Room();
  const disk = room.disk();
  room.leader(disk).host.stop();
  const moved = room.start(1, disk, { port: 7001 });
  room.passUntil(() => moved.events.some((e) => e.event === "started"));
  const places = (run: Run) => run.host.status().members.map((m) => m.port);
  expect(moved.host.status().role).not.toBe("leader");
  expect(places(moved)).toEqual([7001]);
  const two = room.start(2, room.disk(), { seeds: [{ ...SEED, port: 7001 }] });
  room.passUntil(() => places(two).length === 2);
  expect(places(two)).toEqual([7001, 6002]);
});

function submitWhenRunning(room: Room, run: Run, text: string): Submitted {
  room.passUntil(() => run.events.some((e) => e.event === "started"));
  return run.host.submit("general", text);
}

test("[S1] a message is pending at once, then delivered, then sent; and neither before it is durable", () => {
  const room = new Room();
  const disk = room.disk();
  const run = room.leader(disk);
  disk.faults.syncMs = () => 500;
  run.events.length = 0;
  const id = accepted(run.host.submit("general", "hello"));
  room.passUntil(() => run.events.length > 0, 1);
  expect(run.events).toEqual([{ event: "pending", msg_id: id, room_id: "general", payload: "hello" }]);
  expect(run.host.pending).toBe(1);
  room.pass(499);
  expect(run.events.length).toBe(1);
  room.pass(1000);
  expect(run.events.map((e) => e.event)).toEqual(["pending", "message", "sent"]);
  const [, message, sent] = run.events as [HostEvent, DeliveredMessage, HostEvent];
  expect(message).toMatchObject({ msg_id: id, payload: "hello", seq_no: 1 });
  expect(sent).toEqual({ event: "sent", msg_id: id, index: message.index, room_id: "general", seq_no: 1 });
  expect(run.host.pending).toBe(0);
  expect(decoder.decode(disk.contents("outbox.jsonl"))).toBe("");
});

test("[S1] two peers: each message is pending on its sender only, delivered once on both, sent on its sender only", () => {
  const room = new Room();
  const one = room.leader(room.disk());
  const two = room.start(2, room.disk(), { seeds: [SEED] });
  room.passUntil(() => two.host.status().leader_id !== null && one.host.status().members.length === 2, 20_000);
  for (let i = 0; i < 10; i++) {
    accepted((i % 2 ? two : one).host.submit("general", `text ${i}`));
    room.pass(3);
  }
  room.pass();
  expect(messages(one).length).toBe(10);
  expect(messages(two)).toEqual(messages(one));
  for (const [run, parity] of [
    [one, 0],
    [two, 1],
  ] as const) {
    const own = messages(run).filter((m) => Number(m.payload.slice(5)) % 2 === parity);
    expect(own.length).toBe(5);
    for (const { msg_id } of own) {
      const told = run.events.filter((e) => "msg_id" in e && e.msg_id === msg_id).map((e) => e.event);
      expect(told).toEqual(["pending", "message", "sent"]);
    }
    expect(run.events.filter((e) => e.event === "pending" || e.event === "sent").length).toBe(10);
  }
});

test("a peer that joins knows how far the others are, and how far it has come", () => {
  const room = new Room();
  const first = room.leader(room.disk());
  for (let i = 0; i < 100; i++) accepted(first.host.submit("general", `message ${i}`));
  room.passUntil(() => messages(first).length === 100);
  const second = room.start(2, room.disk(), { seeds: [SEED] });
  expect(second.host.catchUp()).toBe(null);
  room.passUntil(() => (second.host.catchUp()?.of ?? 0) >= first.host.commit);
  room.passUntil(() => messages(second).length === 100);
  const { at, of } = second.host.catchUp() as { at: number; of: number };
  expect(at).toBe(second.host.commit);
  expect(of - at).toBeLessThan(3);
  expect(first.host.catchUp()).toEqual({ at: first.host.commit, of: first.host.commit });
});

test("what is not taken is not pending: an empty text, one too long, a bad room, a peer that is not running", () => {
  const room = new Room();
  const run = room.leader(room.disk());
  run.events.length = 0;
  const code = (submitted: Submitted) => (submitted.ok ? "ok" : submitted.code);
  expect(code(run.host.submit("general", ""))).toBe("empty");
  expect(code(run.host.submit("general", "x".repeat(65_537)))).toBe("too-large");
  expect(code(run.host.submit("general", "ä".repeat(32_769)))).toBe("too-large");
  expect(code(run.host.submit("a\nb", "text"))).toBe("bad-room");
  expect(run.events).toEqual([]);
  expect(code(run.host.submit("general", "ä".repeat(32_768)))).toBe("ok");
  run.host.stop();
  expect(code(run.host.submit("general", "late"))).toBe("closing");
});

test("a port in use ends the start with what is wrong and what to try", () => {
  const room = new Room();
  room.leader(room.disk());
  const run = room.start(2, room.disk(), { port: 6001 });
  room.pass();
  expect(run.stops).toEqual([
    {
      code: 1,
      reason: "cannot listen on virtual:6001: the port is in use (another chatpeer? try --port 6002)",
    },
  ]);
  expect(errors(run)).toEqual([run.stops[0]?.reason ?? ""]);
});

test("[W2] [M1] a peer of another cluster is refused with both clusters named, on both sides, and neither stops", () => {
  const room = new Room();
  const one = room.leader(room.disk());
  const disk = room.disk();
  const two = room.start(2, disk);
  room.pass();
  two.host.stop();
  const again = room.start(2, disk, { seeds: [SEED] });
  room.pass();
  const clusters = [one, two].map((run) => {
    const founded = run.events.find((e) => e.event === "notice" && e.code === "founded");
    return founded?.event === "notice" ? (/cluster (\w+)/.exec(founded.message)?.[1] ?? "") : "";
  });
  const [mine, theirs] = clusters as [string, string];
  expect(mine).not.toBe(theirs);
  const heard = errors(again).join() + again.stops.map((s) => s.reason).join();
  expect(heard).toContain(`belongs to cluster ${mine}, not to ${theirs}`);
  expect(errors(one).join()).toContain(`belongs to cluster ${theirs}, not to ${mine}`);
  expect(one.stops).toEqual([]);
  expect(messages(one)).toEqual([]);
});

// But for "emptied-founder": there a member dials the founder, who stops for it [M1].
for (const code of ["wrong-version", "wrong-cluster", "duplicate-id", "id-away", "malformed", "limit", "closing"])
  for (const introduced of [false, true])
    test(`[I10] a stranger who dials in${introduced ? ", says HELLO" : ""} and says REFUSE ${code} stops nobody`, () => {
      const room = new Room();
      const one = room.leader(room.disk());
      const { network } = room.network.attach(9, new VirtualClock(room.time, room.random));
      let closed = false;
      const stranger = network.connect("virtual", 6001, {
        data: () => {},
        drain: () => {},
        close: () => {
          closed = true;
        },
      });
      const hello = { type: "HELLO", version: PROTOCOL_VERSION, cluster_id: null, id: 9, inc: "nine", boot: 1 };
      const refuse = { type: "REFUSE", code, message: "go away", seed: "" };
      for (const frame of introduced ? [{ ...hello, host: "virtual", port: 6009 }, refuse] : [refuse])
        stranger.write(encoder.encode(`${JSON.stringify(frame)}\n`));
      room.passUntil(() => closed);
      expect(one.stops).toEqual([]);
      accepted(one.host.submit("general", "still here"));
      room.pass();
      expect(payloads(one)).toEqual(["still here"]);
    });

// ── disks that fail ──────────────────────────────────────────────────────────────────────────────────────────────────

for (const [what, path] of [
  ["the log", "log/"],
  ["the promise", "promise.slots"],
] as const)
  test(`[D3] when the sync of ${what} fails, the peer says so and stops with 1; nothing is tried again`, () => {
    const room = new Room();
    const disk = room.disk();
    const run = path === "promise.slots" ? room.start(1, disk) : room.leader(disk);
    const after: string[] = [];
    disk.faults.before = (call, at) => {
      if (disk.faults.syncError !== null) after.push(`${call} ${at}`);
      if (call === "sync" && at.startsWith(path)) disk.faults.syncError = "EIO";
    };
    if (path !== "promise.slots") accepted(run.host.submit("general", "at risk"));
    room.passUntil(() => run.stops.length > 0);
    expect(run.stops.length).toBe(1);
    expect(run.stops[0]?.code).toBe(1);
    expect(run.stops[0]?.reason).toContain("EIO");
    expect(run.stops[0]?.reason).toContain("check the disk, then start again");
    expect(run.events[run.events.length - 1]).toEqual({
      event: "error",
      code: "fatal",
      message: run.stops[0]?.reason ?? "",
    });
    if (path === "log/") expect([...messages(run), ...run.events.filter((e) => e.event === "sent")]).toEqual([]);
    const said = run.events.length;
    room.pass(60_000);
    expect(run.events.length).toBe(said);
    expect(after.filter((call) => call.startsWith("sync"))).toEqual([]);
    expect(run.host.submit("general", "late").ok).toBe(false);
  });

test("[D3] what a failed sync may have lost is not lost to people: the next start sends it, once", () => {
  for (const power of [false, true]) {
    const room = new Room();
    const disk = room.disk();
    const run = room.leader(disk);
    accepted(run.host.submit("general", "before"));
    room.pass(100);
    disk.faults.before = (call, at) => {
      if (call === "sync" && at.startsWith("log/")) disk.faults.syncError = "EIO";
    };
    accepted(run.host.submit("general", "at risk"));
    room.passUntil(() => run.stops.length > 0);
    run.die();
    disk.faults.before = null;
    disk.faults.syncError = null;
    disk.kill();
    const again = room.leader(disk);
    room.pass();
    const both = [...payloads(run), ...payloads(again)];
    expect([...new Set(both)]).toEqual(["before", "at risk"]);
    expect(payloads(again).filter((p) => p === "at risk").length).toBe(1);
    // What is said to be sent now is on the medium, not in the page cache that lied before.
    if (power) {
      again.die();
      disk.crash();
      room.leader(disk);
    }
    expect(logLines(disk).flatMap((l) => (l.kind === "chat" ? [l.payload] : []))).toEqual(["before", "at risk"]);
  }
});

test("[D4] a disk that fills up at any byte: what was taken is kept, sent once and in order when there is room", () => {
  let refused = 0;
  let abdicated = 0;
  for (let extra = 0; extra < 1200; extra += 37) {
    const room = new Room(extra + 1);
    const disk = room.disk();
    const run = room.leader(disk);
    accepted(run.host.submit("general", "before"));
    room.pass(100);
    const held = disk.paths().reduce((sum, path) => sum + disk.contents(path).length, 0);
    disk.faults.capacity = held + extra;
    const taken = ["before"];
    run.events.length = 0;
    for (let i = 0; i < 4; i++) {
      const answer = run.host.submit("general", `text ${i}`);
      if (answer.ok) taken.push(`text ${i}`);
      else {
        refused += 1;
        expect(answer.code).toBe("disk");
        expect(answer.message).toContain("this one was not taken");
      }
      // By twos, so that an append may fit in part.
      if (i % 2) room.pass(50);
    }
    room.pass(3500);
    expect(run.stops).toEqual([]);
    if (run.events.some((e) => e.event === "role" && e.role !== "leader")) abdicated += 1;
    // Nothing counts as sent that is not on the disk.
    const onDisk = logLines(disk).flatMap((l) => (l.kind === "chat" ? [l.payload] : []));
    const sent = run.events.filter((e) => e.event === "sent").length;
    expect(onDisk.length - 1).toBeGreaterThanOrEqual(sent);
    expect(run.host.pending).toBe(taken.length - 1 - sent);

    disk.faults.capacity = Number.POSITIVE_INFINITY;
    room.passUntil(() => run.host.pending === 0 && run.host.status().role === "leader", 20_000);
    accepted(run.host.submit("general", "after"));
    room.pass();
    expect(["before", ...payloads(run)]).toEqual([...taken, "after"]);
    run.die();
    disk.crash();
    room.leader(disk);
    expect(logLines(disk).flatMap((l) => (l.kind === "chat" ? [l.payload] : []))).toEqual([...taken, "after"]);
  }
  // Otherwise the bytes were all enough, or none were.
  expect(refused).toBeGreaterThan(10);
  expect(abdicated).toBeGreaterThan(3);
});

test("[D4] a disk without room for the log only: the leader steps down and says nothing is sent, then goes on", () => {
  const room = new Room();
  const disk = room.disk();
  const run = room.leader(disk);
  let full = true;
  disk.faults.before = (call, path) => {
    if (full && call === "write" && path.startsWith("log/"))
      throw new PortError("ENOSPC", "no space left on device (ENOSPC)");
  };
  run.events.length = 0;
  for (const text of ["one", "two"]) accepted(run.host.submit("general", text));
  room.pass(30_000);
  expect(messages(run)).toEqual([]);
  expect(run.host.pending).toBe(2);
  expect(run.host.status().role).not.toBe("leader");
  expect(run.stops).toEqual([]);
  full = false;
  room.passUntil(() => payloads(run).length === 2, 10_000);
  expect(payloads(run)).toEqual(["one", "two"]);
});

/** What a start does after it has begun to listen fails where nobody stands ready to catch it. */
test("[D4] a disk that fills up while the cluster is founded ends the start with the reason", () => {
  const room = new Room();
  const disk = room.disk();
  const run = room.start(1, disk);
  disk.faults.capacity = 0;
  room.passUntil(() => run.stops.length > 0);
  expect(run.stops[0]?.code).toBe(1);
  expect(run.stops[0]?.reason).toContain("ENOSPC");
  // With room again the same directory founds its cluster.
  run.die();
  disk.kill();
  disk.faults.capacity = Number.POSITIVE_INFINITY;
  expect(notices(room.leader(disk))).toContain("founded");
});

test("[D3] a disk that fails while the cluster is founded ends the start with the reason", () => {
  const room = new Room();
  const disk = room.disk();
  const run = room.start(1, disk);
  disk.faults.syncError = "EIO";
  room.passUntil(() => run.stops.length > 0);
  expect(run.stops[0]?.code).toBe(1);
  expect(run.stops[0]?.reason).toContain("EIO");
});

test("[D4] a joiner whose disk is full when a cluster takes it in harms nobody, and joins when there is room", () => {
  const room = new Room();
  const one = room.leader(room.disk());
  const disk = room.disk();
  const two = room.start(2, disk, { seeds: [SEED] });
  room.passUntil(() => two.events.some((e) => e.event === "started"));
  disk.faults.capacity = 0;
  room.pass(10_000);
  accepted(one.host.submit("general", "meanwhile"));
  room.pass(1000);
  expect(payloads(one)).toEqual(["meanwhile"]);
  disk.faults.capacity = Number.POSITIVE_INFINITY;
  if (two.stops.length > 0) {
    // To stop with the reason is as good.
    expect(two.stops[0]?.reason).toContain("ENOSPC");
    two.die();
    disk.kill();
    const again = room.start(2, disk, { seeds: [SEED] });
    room.passUntil(() => payloads(again).includes("meanwhile"), 20_000);
  } else room.passUntil(() => payloads(two).includes("meanwhile"), 20_000);
});

test("a start with a directory that cannot be used throws with the reason, and leaves the directory to others", () => {
  const room = new Room();
  const disk = room.disk();
  room.leader(disk);
  expect(() => room.start(1, disk)).toThrow(HostError);
  expect(() => room.start(1, disk)).toThrow("in use by another process");
  const full = room.disk();
  full.faults.capacity = 0;
  expect(() => room.start(1, full)).toThrow("the data directory cannot be used");
  full.faults.capacity = Number.POSITIVE_INFINITY;
  expect(() => room.start(1, full, { port: 6009 })).not.toThrow();
});

// ── restarts ─────────────────────────────────────────────────────────────────────────────────────────────────────────

test("[D7] after a clean stop every message has been delivered once, over any number of processes", () => {
  const room = new Room();
  const disk = room.disk();
  const delivered: number[] = [];
  for (let boot = 0; boot < 5; boot++) {
    const run = room.leader(disk);
    for (let i = 0; i < 4; i++) accepted(run.host.submit("general", `${boot}.${i}`));
    // The last ones are delivered by this process or by the next.
    room.pass(boot % 2 ? 1 : 100);
    run.host.stop();
    run.die();
    expect(run.stops).toEqual([{ code: 0, reason: "stopped" }]);
    delivered.push(...messages(run).map((m) => m.seq_no));
  }
  const last = room.leader(disk);
  room.pass();
  delivered.push(...messages(last).map((m) => m.seq_no));
  expect(delivered).toEqual(Array.from({ length: 20 }, (_, i) => i + 1));
});

test("[D7] after a kill or a power cut a restart goes on where the note says: some twice, none left out", () => {
  let twice = 0;
  for (let seed = 1; seed <= 40; seed++) {
    const room = new Room(seed);
    const disk = room.disk();
    let run = room.leader(disk);
    let expected = 1;
    for (let boot = 0; boot < 4; boot++) {
      const waiting = new Set<string>();
      for (let i = 0; i < 10; i++) {
        waiting.add(accepted(run.host.submit("general", `${boot}.${i}`)));
        room.pass(room.random() * 300);
      }
      // All that was accepted is sent: what a power cut takes of the outbox is not the matter here.
      room.passUntil(() => {
        for (const e of run.events) if (e.event === "sent") waiting.delete(e.msg_id);
        return waiting.size === 0;
      });
      run.die();
      if (seed % 2 === 0) disk.crash();
      else disk.kill();
      const seen = messages(run).map((m) => m.seq_no);
      const first = seen[0] ?? expected;
      expect(first).toBeLessThanOrEqual(expected);
      expect(seen).toEqual(Array.from({ length: seen.length }, (_, i) => first + i));
      twice += expected - first;
      expected = (seen[seen.length - 1] ?? 0) + 1;
      expect(expected).toBe(10 * (boot + 1) + 1);
      run = room.leader(disk);
    }
  }
  // The note is written lazily: some were told again.
  expect(twice).toBeGreaterThan(0);
});

test("[D7] a note of progress is at most some seconds old: what was delivered long before a kill is not told again", () => {
  const room = new Room();
  const disk = room.disk();
  const run = room.leader(disk);
  for (let i = 0; i < 10; i++) accepted(run.host.submit("general", `old ${i}`));
  room.pass(3000);
  run.die();
  disk.kill();
  const again = room.leader(disk);
  accepted(again.host.submit("general", "new"));
  room.pass();
  expect(payloads(again)).toEqual(["new"]);
});

test("[D7] what was committed while delivery was paused is delivered by the next process", () => {
  const room = new Room();
  const disk = room.disk();
  const run = room.leader(disk);
  accepted(run.host.submit("general", "read"));
  room.pass(100);
  run.host.pauseDelivery();
  for (let i = 0; i < 5; i++) accepted(run.host.submit("general", `unread ${i}`));
  room.pass();
  expect([payloads(run), run.host.pending]).toEqual([["read"], 0]);
  run.host.stop();
  run.die();
  const again = room.leader(disk);
  room.pass();
  expect(payloads(again)).toEqual(Array.from({ length: 5 }, (_, i) => `unread ${i}`));
  // It was committed then: nobody needs to lead now for it to be told.
  const told = again.events.map((e) => (e.event === "role" && e.role === "leader" ? "leader" : e.event));
  expect(told.lastIndexOf("message")).toBeLessThan(told.indexOf("leader"));
  expect(again.host.delivered).toBe(again.host.status().commit_index);
});

test("[S3] messages of a killed process are sent by the next one under their old ids, before new ones", () => {
  const room = new Room();
  const disk = room.disk();
  const run = room.leader(disk);
  // Nothing becomes durable any more: all of it is pending when the process dies.
  disk.faults.syncMs = () => 1e9;
  const ids = ["a", "b", "c"].map((text) => accepted(run.host.submit("general", text)));
  room.pass(100);
  expect(messages(run)).toEqual([]);
  run.die();
  disk.kill();
  disk.faults.syncMs = () => SYNC_MS;
  const again = room.start(1, disk);
  ids.push(accepted(submitWhenRunning(room, again, "d")));
  room.pass();
  expect(messages(again).map((m) => m.msg_id)).toEqual(ids);
  expect(again.events.flatMap((e) => (e.event === "sent" ? [e.msg_id] : []))).toEqual(ids);
  expect(ids[3]?.split(".")[1]).not.toBe(ids[0]?.split(".")[1]);
});

test("[S2] [S3] where the outbox lost a message, what was typed behind it goes out under new numbers, once, and then the rest", () => {
  for (const [lost, kept] of [
    ["one", ["two", "three"]],
    ["two", ["one", "three"]],
    ["three", ["one", "two"]],
  ] as const) {
    const room = new Room();
    const [home, disk] = [room.disk(), room.disk()];
    const first = room.leader(home);
    const run = room.start(2, disk, { seeds: [SEED] });
    room.passUntil(() => run.host.status().leader_id === 1);
    first.die();
    for (const text of ["one", "two", "three"]) {
      accepted(run.host.submit("general", text));
      // Each on a line of its own.
      room.pass(10);
    }
    run.die();
    for (const each of [home, disk]) each.kill();
    disk.damage("outbox.jsonl", (bytes) =>
      new TextEncoder().encode(decoder.decode(bytes).replace(`"${lost}"`, `"${lost}!"`)),
    );
    room.start(1, home);
    const again = room.start(2, disk, { seeds: [SEED] });
    accepted(submitWhenRunning(room, again, "four"));
    room.pass();
    expect(payloads(again)).toEqual([...kept, "four"]);
    expect(again.host.pending).toBe(0);
    const told = new Map(again.events.flatMap((e) => (e.event === "pending" ? [[e.msg_id, e.payload] as const] : [])));
    for (const { msg_id, payload } of messages(again).slice(lost === "three" ? 3 : 2))
      expect(told.get(msg_id)).toBe(payload);
    again.die();
    disk.kill();
    const third = room.start(2, disk, { seeds: [SEED] });
    room.pass();
    expect(third.host.pending).toBe(0);
    expect(logLines(disk).flatMap((l) => (l.kind === "chat" ? [l.payload] : []))).toEqual([...kept, "four"]);
  }
});

test("quit leaves in good order: pending messages are named as kept, and stopped is told once with 0", () => {
  const room = new Room();
  const disk = room.disk();
  const run = room.start(2, disk, { seeds: [SEED] });
  accepted(submitWhenRunning(room, run, "kept"));
  run.host.quit();
  room.passUntil(() => run.stops.length > 0);
  expect(notices(run)).toContain("kept");
  run.host.quit();
  run.host.stop();
  room.pass();
  expect(run.stops.map((s) => s.code)).toEqual([0]);
});
