/** The screen of a chat whose peer fetches what it missed: a row above the status says how far it is, and goes when it is done. */
import { expect, test } from "bun:test";
import { PassThrough, Writable } from "node:stream";
import { Chat } from "../../../src/cli/chat/chat.ts";
import { ScreenFace } from "../../../src/cli/faces/screen-face.ts";
import { startingStatus } from "../../../src/host/answers/status.ts";
import type { HostListener } from "../../../src/host/host-contract.ts";
import { Rooms } from "../../../src/host/rooms.ts";
import type { Service } from "../../../src/host/service.ts";
import { seeded, VirtualClock, VirtualTime } from "../../../src/sim/virtual-time.ts";
import { VirtualTerminal } from "../screen/virtual-terminal.ts";

/** A peer that has told nothing but how far its log is. */
class CatchingUp implements Service {
  stand: ReturnType<Service["catchUp"]> = null;
  readonly rooms = new Rooms(
    () => new Map(),
    () => {},
  );
  readonly pending = 0;
  readonly delivered = 0;
  readonly #listener: HostListener;

  constructor(listener: HostListener) {
    this.#listener = listener;
  }

  start(): void {
    const about = { id: 1, name: "alice", host: "127.0.0.1", port: 6001, cluster_id: "c" };
    this.#listener.event({ event: "started", ...about });
  }

  status() {
    return { ...startingStatus(1, []), quorum: true, leader_id: 2, waiting: null };
  }

  catchUp() {
    return this.stand;
  }

  ask: Service["ask"] = ({ what }, answer) => {
    if (what === "history") answer({ event: "history", room_id: "general", messages: [], more: null });
    else answer({ event: "confirmations", room_id: "general", readers: [] });
  };

  stop(): void {
    this.#listener.stopped({ code: 0, reason: "stopped" });
  }

  quit(): void {
    this.stop();
  }

  submit(): never {
    throw new Error("nothing is said here");
  }

  confirmRead(): void {}
  transfer(): void {}
  evict(): void {}
  acknowledge(): void {}
  pauseDelivery(): void {}
  resumeDelivery(): void {}
}

function startedOn(columns: number, rows: number) {
  const time = new VirtualTime();
  const screen = new VirtualTerminal(columns, rows);
  const write = (chunk: Buffer, _encoding: string, done: () => void) => {
    screen.write(chunk.toString());
    done();
  };
  const output = Object.assign(new Writable({ write }), { columns, rows });
  let service: CatchingUp | undefined;
  const makeService = (listener: HostListener) => {
    service = new CatchingUp(listener);
    return service;
  };
  const chat = new Chat(
    new VirtualClock(time, seeded(1)),
    makeService,
    (chatting) => new ScreenFace(chatting),
    {
      ...{ name: "alice", room: "general", senderId: 1, mode: "terminal", headless: false, prints: true },
      ...{ history: 20, bell: "off", dataDir: null, logLevel: "off", logFormat: "text" },
    },
    { input: new PassThrough(), output, error: new PassThrough() },
    () => {},
  );
  chat.start();
  const pass = async (ms: number) => {
    for (const end = time.now + ms; time.now < end; ) {
      time.runUntil(time.now + 50);
      await new Promise((resolve) => setImmediate(resolve));
    }
  };
  return { screen, service: service as CatchingUp, pass };
}

const STATUS = expect.stringContaining("peer 2 leads");

test("the row of a catch-up stands above the status, counts on, and goes when it is done", async () => {
  const { screen, service, pass } = startedOn(100, 10);
  await pass(1000);
  expect(screen.screen).toEqual([STATUS, "alice> ▏"]);
  service.stand = { at: 1000, of: 101_000 };
  await pass(300);
  expect(screen.screen).toEqual(["catching up: 1,000 of 101,000 entries", STATUS, "alice> ▏"]);
  service.stand = { at: 51_000, of: 101_000 };
  await pass(250);
  expect(screen.screen[0]).toStartWith("catching up: 51,000 of 101,000 entries, ");
  service.stand = { at: 100_900, of: 101_000 };
  await pass(300);
  expect(screen.screen).toEqual([STATUS, "alice> ▏"]);
  service.stop();
});

test("the row of a catch-up leaves with the screen", async () => {
  const { screen, service, pass } = startedOn(60, 6);
  service.stand = { at: 0, of: 50_000 };
  await pass(1000);
  expect(screen.screen[0]).toStartWith("catching up: ");
  service.stop();
  await pass(100);
  expect(screen.screen.join("\n")).toContain("-- stopped: stopped");
  expect(screen.screen.join("\n")).not.toContain("catching up");
});
