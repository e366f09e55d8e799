/** What a host relies on, of every engine alike: see `src/engines/engine.ts`. */
import { describe, expect, test } from "bun:test";
import { DEFAULT_TIMINGS } from "../../src/core/config.ts";
import { type Ballot, ballotOf, NO_BALLOT, sameBallot } from "../../src/core/ids.ts";
import type { Entry } from "../../src/core/log-entry.ts";
import { LogState } from "../../src/core/log-state.ts";
import { DEFAULT_ENGINE } from "../../src/engines/default.ts";
import type { Engine, EngineFactory, Output } from "../../src/engines/engine.ts";
import { address, draft, genesisOf, seal } from "../core/entries.ts";
import { SOLO } from "./solo-engine.ts";

const ENGINES: readonly [string, EngineFactory][] = [
  ["the default", DEFAULT_ENGINE.create],
  ["one that runs alone", SOLO],
];
/** Longer than a founder waits, and than an election takes. */
const A_WHILE_MS = 20_000;
const TURN_MS = 50;

/** A founder's directory, and a process on it whose disk confirms what and when the test wants. */
class MiniHost {
  readonly #create: EngineFactory;
  #now = 0;
  #boots = 0;
  entries: Entry[] = [genesisOf(["voter"])];
  durable = 1;
  promised: Ballot = NO_BALLOT;
  /** Whether the disk confirms by itself. */
  syncsLog = true;
  syncsPromise = true;
  /** Everything that the running process was told to do. */
  outputs: Output[] = [];
  engine: Engine;

  constructor(create: EngineFactory) {
    this.#create = create;
    this.engine = this.restart();
  }

  /** On what was durable. */
  restart(): Engine {
    this.entries = this.entries.slice(0, this.durable);
    const state = new LogState();
    for (const entry of this.entries) state.apply(entry);
    this.#boots += 1;
    const options = {
      ...{ self: { id: 1, inc: "i1", boot: this.#boots }, address: address(1), timings: DEFAULT_TIMINGS, seal },
      ...{ random: () => 0.5, wall: () => 0, session: `s${this.#boots}`, newSession: () => "another" },
    };
    const log = { state, entries: this.entries, beforeCrc: 0, durable: this.durable, commit: 1 };
    this.outputs = [];
    this.engine = this.#create(options, { ...log, promised: this.promised, faulty: false, outbox: [] }, this.#now);
    return this.engine;
  }

  submit(text: string): void {
    this.engine.step({ type: "submit", drafts: [draft(text)] }, this.#now);
  }

  sync(): void {
    this.durable = this.entries.length;
    this.engine.step({ type: "durable", index: this.durable }, this.#now);
  }

  pass(ms = A_WHILE_MS): void {
    const end = this.#now + ms;
    for (; this.#now < end; this.#now += TURN_MS) {
      this.engine.step({ type: "tick" }, this.#now);
      this.engine.settle(this.#now);
      const outputs = this.engine.takeOutputs();
      expect(this.engine.takeOutputs()).toEqual([]);
      for (const output of outputs) this.#carryOut(output);
      this.engine.carriedOut(this.engine.view.log.commit);
      expect(this.engine.wakeAt()).toBeGreaterThan(this.#now);
      if (this.syncsLog && this.durable < this.entries.length) this.sync();
    }
  }

  #carryOut(output: Output): void {
    this.outputs.push(output);
    if (output.do === "append") this.entries.push(...output.entries);
    if (output.do === "promise" && this.syncsPromise) {
      this.promised = output.ballot;
      this.engine.step({ type: "promised", ballot: output.ballot }, this.#now);
    }
  }

  all<D extends Output["do"]>(what: D): Extract<Output, { do: D }>[] {
    return this.outputs.filter((o): o is Extract<Output, { do: D }> => o.do === what);
  }

  get texts(): string[] {
    return this.entries.filter((e) => e.kind === "chat").map((e) => e.text);
  }

  get committed(): string[] {
    const through = Math.max(1, ...this.all("commit").map((o) => o.through));
    return this.entries.filter((e) => e.kind === "chat" && e.index <= through).map((e) => e.text);
  }
}

describe.each(ENGINES)("%s", (_, create) => {
  test("commits nothing before it is durable, and says then what was sent", () => {
    const host = new MiniHost(create);
    host.pass();
    host.syncsLog = false;
    host.submit("one");
    host.submit("two");
    host.pass(2000);
    expect(host.texts).toEqual(["one", "two"]);
    expect(host.committed).toEqual([]);
    expect(host.engine.view.pending).toBe(2);
    host.sync();
    host.pass(1000);
    expect(host.committed).toEqual(["one", "two"]);
    expect(host.all("sent").flatMap((o) => o.entries.map((e) => e.counter))).toEqual([1, 2]);
    expect(host.engine.view).toMatchObject({ pending: 0, nextCounter: 3 });
  });

  test("[D2] appends no entry whose ballot is not promised on disk", () => {
    const host = new MiniHost(create);
    host.syncsPromise = false;
    host.submit("one");
    host.pass();
    expect(host.all("promise").length).toBeGreaterThan(0);
    expect(host.entries).toHaveLength(1);
    host.syncsPromise = true;
    const { ballot } = host.all("promise").at(-1) as { ballot: Ballot };
    host.promised = ballot;
    host.engine.step({ type: "promised", ballot }, A_WHILE_MS);
    host.pass();
    expect(host.committed).toEqual(["one"]);
    expect(host.entries.slice(1).every((e) => sameBallot(ballotOf(e), host.promised))).toBe(true);
  });

  test("begins again with what was durable, and commits that before anything new", () => {
    const host = new MiniHost(create);
    host.pass();
    host.submit("one");
    host.pass(1000);
    host.syncsLog = false;
    host.submit("lost");
    host.pass(1000);
    expect(host.texts).toEqual(["one", "lost"]);
    host.syncsLog = true;
    host.restart();
    host.submit("two");
    host.pass();
    expect(host.committed).toEqual(["one", "two"]);
    const indexes = host.entries.map((e) => e.index);
    expect(indexes).toEqual(indexes.map((_index, i) => i + 1));
  });

  test("does the same again with the same inputs at the same times", () => {
    const run = () => {
      const host = new MiniHost(create);
      host.pass();
      host.submit("one");
      host.pass(1000);
      return JSON.stringify(host.outputs);
    };
    expect(run()).toBe(run());
  });

  test("shows the same array of peers to connect as long as it says the same, and takes frames that its protocol does not have", () => {
    const host = new MiniHost(create);
    host.pass();
    const { view } = host.engine;
    expect(view.targets()).toBe(view.targets());
    host.engine.step({ type: "link-down", link: 99 }, A_WHILE_MS);
    host.engine.step({ type: "promised", ballot: NO_BALLOT }, A_WHILE_MS);
    host.engine.step({ type: "silence", user: "nobody" }, A_WHILE_MS);
    host.pass(1000);
    expect(view.standing).toMatchObject({ role: "leader", leader_id: 1, quorum: true });
  });
});
