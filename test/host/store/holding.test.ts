/** Who holds a directory while others may want it that cannot be seen: leases, looks, takeovers. In virtual time. */
import { expect, test } from "bun:test";
import { LOCK_LEASE_MS, LOCK_LOOK_MS, LOCK_SETTLE_MS } from "../../../src/core/config.ts";
import { type Disk, type Holder, PortError } from "../../../src/host/contracts.ts";
import { HeldDisk, Outwait } from "../../../src/host/store/holding.ts";
import { VirtualDisk } from "../../../src/sim/virtual-disk.ts";
import { ManualClock, seeded } from "../manual-clock.ts";

const bytes = (text: string) => new TextEncoder().encode(text);

function machine() {
  const clock = new ManualClock();
  const disk = new VirtualDisk({ clock, random: seeded(1) });
  return { clock, disk, other: disk.beside("elsewhere", clock) };
}

function held(disk: Disk, clock: ManualClock) {
  expect(disk.lock()).toBeNull();
  const lost: string[] = [];
  const unrenewed: (string | null)[] = [];
  const events = {
    lost: (reason: string) => void lost.push(reason),
    unrenewed: (error: PortError | null) => void unrenewed.push(error?.code ?? null),
  };
  return { held: new HeldDisk(disk, clock, events), lost, unrenewed };
}

function outwait(disk: Disk, clock: ManualClock, force = false) {
  const told: string[] = [];
  const holder = disk.lock() as Holder;
  const wait = new Outwait(disk, clock, holder, force, {
    waiting: (message) => void told.push(message),
    taken: () => void told.push("taken"),
    refused: (error) => void told.push(error.message),
  });
  return { wait, told };
}

test("[D1] a holder that cannot be seen is dead when its lease has not moved for ten seconds, and nothing is read for three more", () => {
  const { clock, disk, other } = machine();
  expect(disk.lock()).toBeNull();
  const { told } = outwait(other, clock);
  expect(told).toEqual([
    expect.stringContaining("held by a process here, which cannot be seen from here: waiting 10 s"),
  ]);
  clock.pass(LOCK_LEASE_MS - 1);
  expect(disk.holds()).toBe(true);
  clock.pass(1);
  expect([disk.holds(), other.holds()]).toEqual([false, true]);
  clock.pass(LOCK_SETTLE_MS - 1);
  expect(told.length).toBe(1);
  clock.pass(1);
  expect(told.slice(1)).toEqual(["taken"]);
});

test("[D1] a holder that cannot be seen lives as long as its lease moves", () => {
  const { clock, disk, other } = machine();
  const { held: first, lost } = held(disk, clock);
  const { told } = outwait(other, clock);
  clock.pass(3 * LOCK_LOOK_MS);
  expect(told.slice(1)).toEqual(["a process here has it, and renews its lease"]);
  expect([disk.holds(), lost]).toEqual([true, []]);
  first.unlock();
  expect(other.lock()).toBeNull();
});

test("[D1] a lease that moves at the very last moment is a living holder's", () => {
  const { clock, disk, other } = machine();
  expect(disk.lock()).toBeNull();
  const { told } = outwait(other, clock);
  clock.pass(LOCK_LEASE_MS - 1);
  disk.renewLock();
  clock.pass(1);
  expect(told.slice(1)).toEqual(["a process here has it, and renews its lease"]);
  expect(disk.holds()).toBe(true);
});

test("[D1] a person who says that the holder is dead does not wait for its lease, but only until a look of it is outdated", () => {
  for (const moves of [false, true]) {
    const { clock, disk, other } = machine();
    const { lost } = held(disk, clock);
    if (!moves) disk.kill();
    const { told } = outwait(other, clock, true);
    clock.pass(0);
    expect(other.holds()).toBe(true);
    clock.pass(LOCK_SETTLE_MS);
    expect(told).toEqual(["taken"]);
    expect(lost).toEqual([expect.stringContaining("a process elsewhere has taken it")]);
  }
});

test("[D1] a directory given back meanwhile is taken at once; another one that waits is outwaited in its turn", () => {
  const { clock, disk, other } = machine();
  expect(disk.lock()).toBeNull();
  const { told } = outwait(other, clock);
  clock.pass(2 * LOCK_LOOK_MS);
  disk.unlock();
  clock.pass(LOCK_LOOK_MS);
  expect(told.slice(1)).toEqual(["taken"]);

  const third = disk.beside("yet elsewhere", clock);
  const { told: thirdTold } = outwait(third, clock);
  clock.pass(LOCK_LEASE_MS / 2);
  other.unlock();
  expect(disk.lock()).toBeNull();
  clock.pass(LOCK_LEASE_MS);
  expect(thirdTold.length).toBe(2);
  expect(disk.holds()).toBe(true);
  clock.pass(LOCK_LOOK_MS + LOCK_SETTLE_MS);
  expect(thirdTold.slice(2)).toEqual(["taken"]);
});

test("[D1] time in which the start itself stood still does not count", () => {
  const { clock, disk, other } = machine();
  expect(disk.lock()).toBeNull();
  // Its look at two seconds comes a minute late, and so would the holder's own have.
  const late: Disk = other;
  const { told } = outwait(late, new LateClock(clock, 2, 60_000));
  clock.pass(60_000 + 2 * LOCK_LOOK_MS);
  expect(disk.holds()).toBe(true);
  disk.renewLock();
  clock.pass(LOCK_LOOK_MS);
  expect(told.slice(1)).toEqual(["a process here has it, and renews its lease"]);
});

test("[D1] a cancelled start gives back what it had taken, and takes nothing more", () => {
  const { clock, disk, other } = machine();
  expect(disk.lock()).toBeNull();
  const first = outwait(other, clock);
  first.wait.cancel();
  clock.pass(2 * LOCK_LEASE_MS);
  expect(disk.holds()).toBe(true);
  const second = outwait(other, clock);
  clock.pass(LOCK_LEASE_MS);
  expect(other.holds()).toBe(true);
  second.wait.cancel();
  expect(disk.lock()).toBeNull();
  expect([...first.told, ...second.told]).not.toContain("taken");
});

test("[D1] a process that stood still looks before it writes: nothing of it reaches the files of the one that took over", () => {
  const { clock, disk, other } = machine();
  const { held: first, lost } = held(disk, clock);
  const file = first.open("a", "create");
  file.write(0, bytes("mine"));
  // The process stands still: none of its timers runs, time passes.
  expect(other.lock(other.lock() as Holder)).toBeNull();
  clock.skip(LOCK_LOOK_MS);
  for (const call of [
    () => file.write(0, bytes("yours")),
    () => file.truncate(0),
    () => file.read(0, 4),
    () => first.open("b", "create"),
    () => first.rename("a", "b"),
    () => first.remove("a"),
    () => first.makeDirectory("log"),
    () => first.check(),
  ])
    expect(call).toThrow("the data directory is not this process's any more (a process elsewhere has taken it)");
  expect(new TextDecoder().decode(disk.contents("a"))).toBe("mine");
  expect(disk.paths()).toEqual(["a"]);
  expect(lost.length).toBe(1);
  first.unlock();
  expect(other.holds()).toBe(true);
});

test("[D1] a machine that slept and says so by its wall clock only is looked at, too", () => {
  const { clock, disk, other } = machine();
  const { held: first } = held(disk, clock);
  first.check();
  expect(other.lock(other.lock() as Holder)).toBeNull();
  first.check();
  clock.jumpWall(60_000);
  expect(() => first.check()).toThrow("not this process's any more");
});

test("[D1] an idle holder looks every second by itself, and no more when it has given the directory back", () => {
  const { clock, disk } = machine();
  let renewals = 0;
  const counting = Object.assign(Object.create(null) as Disk, {
    lock: () => disk.lock(),
    unlock: () => disk.unlock(),
    renewLock: () => {
      renewals += 1;
      return disk.renewLock();
    },
  });
  const { held: first } = held(counting, clock);
  clock.pass(10 * LOCK_LOOK_MS);
  expect(renewals).toBe(10);
  first.unlock();
  clock.run();
  expect(renewals).toBe(10);
});

test("[D1] a lock that cannot be read counts as lost; a lease that cannot be renewed is told once, and again when it can be", () => {
  const { clock, disk } = machine();
  let answer: PortError | "throw" | null = null;
  const failing = Object.assign(Object.create(null) as Disk, {
    lock: () => disk.lock(),
    unlock: () => disk.unlock(),
    renewLock: () => {
      if (answer === "throw") throw new PortError("EIO", "input/output error (EIO)");
      return answer;
    },
  });
  const { held: first, lost, unrenewed } = held(failing, clock);
  clock.pass(LOCK_LOOK_MS);
  answer = new PortError("EROFS", "read-only (EROFS)");
  clock.pass(3 * LOCK_LOOK_MS);
  answer = null;
  clock.pass(LOCK_LOOK_MS);
  expect(unrenewed).toEqual(["EROFS", null]);
  answer = "throw";
  clock.pass(LOCK_LOOK_MS);
  expect(lost).toEqual([expect.stringContaining("cannot be seen (input/output error (EIO))")]);
  expect(() => first.check()).toThrow(PortError);
});

/** Its timer number `which` comes so much later. */
class LateClock extends ManualClock {
  readonly #clock: ManualClock;
  readonly #which: number;
  readonly #lateMs: number;
  #timers = 0;

  constructor(clock: ManualClock, which: number, lateMs: number) {
    super();
    this.#clock = clock;
    this.#which = which;
    this.#lateMs = lateMs;
  }

  override now(): number {
    return this.#clock.now();
  }

  override after(ms: number, fn: () => void) {
    this.#timers += 1;
    return this.#clock.after(this.#timers === this.#which ? ms + this.#lateMs : ms, fn);
  }
}
