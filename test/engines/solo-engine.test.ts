/** Another engine moves in: the host, the adapters and the simulator run it as they are. */
import { afterEach, expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { platformPorts } from "../../src/adapters/platform.ts";
import { DEFAULT_TIMINGS } from "../../src/core/config.ts";
import { ClientHost } from "../../src/host/client/client-host.ts";
import type { HostEvent, Stopped } from "../../src/host/events.ts";
import { Host } from "../../src/host/host.ts";
import type { HostListener } from "../../src/host/host-contract.ts";
import { parseScenario } from "../../src/sim/scenario.ts";
import { World } from "../../src/sim/world.ts";
import { SOLO } from "./solo-engine.ts";

/** What somebody who runs is told, and a promise for what is still to come. */
class Told implements HostListener {
  readonly #events: HostEvent[] = [];
  #stopped: Stopped | null = null;
  readonly #waiting: { readonly done: () => boolean; readonly resolve: () => void }[] = [];

  event(event: HostEvent): void {
    this.#events.push(event);
    this.#look();
  }

  log(): void {}

  writable(): void {}

  stopped(stopped: Stopped): void {
    this.#stopped = stopped;
    this.#look();
  }

  #look(): void {
    for (const { done, resolve } of this.#waiting) if (done()) resolve();
  }

  #until(done: () => boolean): Promise<void> {
    return new Promise((resolve) => {
      this.#waiting.push({ done, resolve });
      this.#look();
    });
  }

  all<E extends HostEvent["event"]>(name: E): Extract<HostEvent, { event: E }>[] {
    return this.#events.filter((e): e is Extract<HostEvent, { event: E }> => e.event === name);
  }

  async first<E extends HostEvent["event"]>(name: E): Promise<Extract<HostEvent, { event: E }>> {
    await this.#until(() => this.all(name).length > 0);
    return this.all(name)[0] as Extract<HostEvent, { event: E }>;
  }

  /** Texts delivered, once there are so many. */
  async texts(count: number): Promise<string[]> {
    await this.#until(() => this.all("message").length >= count);
    return this.all("message").map((m) => `${m.index} ${m.seq_no} ${m.user}: ${m.payload}`);
  }

  async end(): Promise<Stopped | null> {
    await this.#until(() => this.#stopped !== null);
    return this.#stopped;
  }
}

const folders: string[] = [];

afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true });
});

function startHost(folder: string): { host: Host; told: Told } {
  const told = new Told();
  const options = { id: 1, host: "127.0.0.1", port: 0, advertise: null, seeds: [], name: "ann" };
  const host = new Host(
    platformPorts(folder),
    { ...options, engine: SOLO, timings: DEFAULT_TIMINGS, durability: "fsync" },
    told,
  );
  host.start();
  return { host, told };
}

test("on files and sockets: what is said is delivered, to a client too, and is still there after a restart", async () => {
  const folder = mkdtempSync(join(tmpdir(), "chatpeer-solo-"));
  folders.push(folder);
  const { host, told } = startHost(join(folder, "data"));
  const { port } = await told.first("started");
  expect(host.submit("general", "one")).toMatchObject({ ok: true });
  expect(await told.texts(1)).toEqual(["2 1 ann: one"]);
  expect(await told.first("sent")).toMatchObject({ index: 2, room_id: "general", seq_no: 1 });

  const clientTold = new Told();
  const addresses = [{ host: "127.0.0.1", port }];
  const client = new ClientHost(
    platformPorts(join(folder, "unused")),
    { addresses, name: "bob", room: "general", since: 0, follow: true },
    clientTold,
  );
  client.start();
  await clientTold.first("started");
  expect(client.submit("general", "two")).toMatchObject({ ok: true });
  expect(await told.texts(2)).toEqual(["2 1 ann: one", "3 2 bob: two"]);
  expect(await clientTold.first("sent")).toMatchObject({ index: 3 });
  client.quit();
  await clientTold.end();

  expect(host.status()).toMatchObject({
    ...{ id: 1, role: "leader", term: 1, leader_id: 1, quorum: true, pending: 0, waiting: null },
    ...{ last_index: 3, commit_index: 3 },
  });
  host.quit();
  expect(await told.end()).toEqual({ code: 0, reason: "nobody to say goodbye to" });

  const { host: again, told: toldAgain } = startHost(join(folder, "data"));
  await toldAgain.first("started");
  expect(again.messagesAfter(0, null).messages.map((m) => m.payload)).toEqual(["one", "two"]);
  again.submit("general", "three");
  expect(await toldAgain.texts(1)).toEqual(["4 3 ann: three"]);
  again.quit();
  await toldAgain.end();
});

const STORY = `title: one peer on an engine of its own
peers: 1
seed: 7

at 0 start 1
at 500 say 1 before the crash
at 1000 kill 1
at 1100 start 1
at 1500 say 1 in doubt
at 1501 power-cut 1
at 3000 start 1
at 4000 say 1 after it
at 5000 expect 1 delivered before the crash
at 5000 expect 1 delivered after it

until: 6000
ending: heal-all
`;

test("in the simulator: crashes and power cuts lose nothing that was sent, and all invariants hold", () => {
  const { plan } = parseScenario(STORY);
  const outcome = new World(plan, { parts: { engine: SOLO } }).run();
  expect(outcome.violation).toBeNull();
  expect(outcome.drained).toBe(true);
  expect(outcome.messages).toBe(3);
});
