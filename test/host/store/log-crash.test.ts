/**
 * The store against a disk that forgets: random appends, truncations, syncs, restarts and crashes between any two
 * calls. Whatever happens, what was reported durable is there.
 */
import { expect, test } from "bun:test";
import { type Directory, openDirectory } from "../../../src/host/store/directory.ts";
import { VirtualDisk } from "../../../src/sim/virtual-disk.ts";
import { ManualClock, seeded } from "../manual-clock.ts";
import { LogMaker, lineOf, promiseAbove } from "./log-maker.ts";

const SEEDS = 100;
const STEPS = 120;

class PowerCut extends Error {}

class Machine {
  readonly random: () => number;
  readonly clock: ManualClock;
  readonly disk: VirtualDisk;
  readonly log: LogMaker;
  directory: Directory | null = null;
  /** Highest index reported durable and not truncated since. */
  reported = 0;
  commit = 0;
  notes: string[] = [];
  crashes = 0;

  constructor(seed: number) {
    this.random = seeded(seed);
    this.clock = new ManualClock(this.random);
    this.disk = new VirtualDisk({ clock: this.clock, random: this.random });
    promiseAbove(this.disk);
    this.disk.faults.syncMs = () => this.random() * 3;
    const segment_entries = 1 + this.below(12);
    this.log = new LogMaker({ segment_entries, segment_bytes: 300 + this.below(6000) });
  }

  below(n: number): number {
    return Math.floor(this.random() * n);
  }

  /** Starts until it works: the power may be cut during recovery too. */
  start(): void {
    for (;;) {
      try {
        const directory = openDirectory(this.disk, this.clock, {
          id: 1,
          founds: true,
          fsync: true,
          events: {
            durable: (index) => {
              this.reported = Math.max(this.reported, index);
            },
            failed: (error) => {
              throw error;
            },
            noted: () => {},
          },
        });
        return this.check(directory);
      } catch (error) {
        if (!(error instanceof PowerCut)) throw error;
        this.crash();
      }
    }
  }

  check(directory: Directory): void {
    this.directory = directory;
    this.notes.push(...directory.notes, `reported ${this.reported}, last ${directory.store.last}`);
    const { restored, store } = directory;
    const last = store.last;
    expect(restored.faulty).toBe(false);
    expect(last).toBeGreaterThanOrEqual(this.reported);
    expect([restored.state.index, restored.durable]).toEqual([last, last]);
    const held = store.readEntries(1, last).map(lineOf);
    expect(held.length).toBe(last);
    for (let index = 1; index <= this.reported; index++) expect(held[index - 1]).toBe(this.log.line(index));
    // What recovery hands to the core: the newest entries without a gap, everything uncommitted among them.
    expect(restored.entries.map(lineOf)).toEqual(held.slice(last - restored.entries.length));
    expect(restored.commit).toBeLessThanOrEqual(Math.min(this.commit, last));
    expect(last - restored.entries.length).toBeLessThanOrEqual(restored.commit);
    expect(restored.state.crc).toBe(restored.entries[restored.entries.length - 1]?.crc ?? restored.beforeCrc);
    expect(this.disk.list("damaged")).toEqual([]);
    // The disk decided what came through of the rest: from here on that is the log.
    this.log.adopt(store.readEntries(1, last));
    expect(this.log.state.toData()).toEqual(restored.state.toData());
    this.reported = last;
  }

  crash(): void {
    this.crashes += 1;
    this.disk.faults.before = null;
    this.directory = null;
    if (this.random() < 0.3) this.disk.kill();
    else this.disk.crash();
    // A power cut some calls later, during the recovery or after it.
    if (this.random() < 0.3) this.cutAfter(this.below(40));
  }

  cutAfter(calls: number): void {
    let left = calls;
    this.disk.faults.before = () => {
      if (left-- <= 0) throw new PowerCut();
    };
  }

  step(): void {
    const directory = this.directory as Directory;
    const what = this.random();
    if (what < 0.4) {
      const from = this.log.last;
      for (let n = 1 + this.below(15); n > 0; n--) {
        if (this.log.last === 0) this.log.genesis();
        else if (this.random() < 0.1) this.log.leader();
        else this.log.chat("x".repeat(1 + this.below(400)), `room${this.below(3)}`, `s${this.below(2)}`);
      }
      directory.store.append(this.log.entries.slice(from));
      expect(directory.store.last).toBe(this.log.last);
    } else if (what < 0.5 && this.log.last > Math.max(1, this.commit)) {
      const from = Math.max(this.commit, 1) + 1 + this.below(this.log.last - Math.max(this.commit, 1));
      this.reported = Math.min(this.reported, from - 1);
      directory.truncate(from);
      this.log.truncate(from);
      this.log.term += 1;
    } else if (what < 0.7) {
      directory.store.flush();
      for (let n = this.below(4); n > 0; n--) this.clock.step();
    } else if (what < 0.8) {
      this.commit += this.below(this.reported - this.commit + 1);
      const progress = { durable: this.reported, commit: this.commit, delivered: this.commit, clean: false };
      directory.saveProgress(progress);
    } else if (what < 0.85) {
      directory.store.syncNow();
      this.reported = directory.store.last;
      directory.saveProgress({ durable: this.reported, commit: this.commit, delivered: this.commit, clean: true });
      directory.close();
      this.start();
    } else if (what < 0.9) this.cutAfter(this.below(12));
    else if (what < 0.95) throw new PowerCut();
    else this.clock.step();
  }

  run(): void {
    this.start();
    for (let n = 0; n < STEPS; n++) {
      try {
        this.step();
      } catch (error) {
        if (!(error instanceof PowerCut)) throw error;
        this.crash();
        this.start();
      }
    }
  }
}

test(`[D2] [D3] [D5] [L4] after a crash between any two calls, what was reported durable is there and nothing is called damaged (${SEEDS} seeds)`, () => {
  let crashes = 0;
  let cuts = 0;
  for (let seed = 1; seed <= SEEDS; seed++) {
    const machine = new Machine(seed);
    try {
      machine.run();
    } catch (error) {
      throw new Error(`seed ${seed}: ${(error as Error).message}\n${machine.notes.join("\n")}`, { cause: error });
    }
    crashes += machine.crashes;
    cuts += machine.notes.filter((n) => n.startsWith("cut ")).length;
  }
  // The runs do meet what they are for.
  expect(crashes).toBeGreaterThan(SEEDS * 5);
  expect(cuts).toBeGreaterThan(SEEDS);
}, 120_000);
