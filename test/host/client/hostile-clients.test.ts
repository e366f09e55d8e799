/** Twenty clients hold tokens and want the chat to end. Whatever they send, two others that talk wait no longer [A9]. */
import { expect, test } from "bun:test";
import type { Frame } from "../../../src/core/frame.ts";
import { NO_BALLOT } from "../../../src/core/ids.ts";
import { sessionStart } from "../../../src/core/thin-client.ts";
import type { ClientHost } from "../../../src/host/client/client-host.ts";
import { type Enrolled, RawClient, SecuredCluster } from "../secured-cluster.ts";
import { messages, type Run } from "../virtual-cluster.ts";

const HOSTILE = 20;
const PHASE_MS = 600;
const SAY_MS = 25;

/** From the key press to "sent", of everything said in a while. */
class Talk {
  readonly times: number[] = [];
  readonly #cluster: SecuredCluster;
  readonly #run: Run<ClientHost>;
  readonly #saidAt = new Map<string, number>();

  constructor(cluster: SecuredCluster, run: Run<ClientHost>) {
    this.#cluster = cluster;
    this.#run = run;
    const { events } = run;
    events.push = (event) => {
      const at = event?.event === "sent" ? this.#saidAt.get(event.msg_id) : undefined;
      if (at !== undefined) this.times.push(cluster.time.now - at);
      return Array.prototype.push.call(events, event);
    };
  }

  say(): void {
    const { time } = this.#cluster;
    const submitted = this.#run.service.submit("general", `said at ${time.now}`);
    if (submitted.ok) this.#saidAt.set(submitted.msg_id, time.now);
  }
}

/** The highest of so few that a hundredth of them is less than one. */
const p99 = (times: readonly number[]) =>
  [...times].sort((x, y) => x - y)[Math.floor(times.length * 0.99)] ?? Number.NaN;

/** Comes again and again, each time with what is in its power. */
class Hostile {
  readonly #cluster: SecuredCluster;
  readonly #enrolled: Enrolled;
  readonly #kind: number;
  #raw: RawClient | null = null;
  #first = 1;
  #request = 1;
  beats = 0;

  constructor(cluster: SecuredCluster, enrolled: Enrolled, kind: number) {
    this.#cluster = cluster;
    this.#enrolled = enrolled;
    this.#kind = kind;
  }

  beat(): void {
    this.beats += 1;
    if (this.#raw === null || this.#raw.closed !== null) return this.#come();
    this.#raw.say(...this.#frames());
  }

  get #session(): string {
    return `${sessionStart(this.#enrolled.index)}abcdefghi`;
  }

  #come(): void {
    const { token, name } = this.#enrolled;
    this.#first = 1;
    const attach = { token, user: name, session: this.#session };
    this.#raw = new RawClient(this.#cluster, 1 + (this.#kind % 3), attach, true);
  }

  #chat(count: number, bytes: number): Frame {
    const first = this.#first;
    this.#first += count;
    const draft = { room_id: "general", user: "x", ts: 1, payload: "x".repeat(bytes) };
    return {
      type: "CHAT",
      sender_id: 1 + (this.#kind % 3),
      session: this.#session,
      first,
      messages: Array(count).fill(draft),
    };
  }

  #frames(): Frame[] {
    const request = () => this.#request++;
    switch (this.#kind % 7) {
      case 0:
        return [this.#chat(300, 10)];
      case 1:
        return [this.#chat(2, 60_000)];
      case 2:
        return Array.from({ length: 20 }, () => this.#chat(1, 100));
      case 3:
        return Array.from({ length: 20 }, () => ({
          ...{
            type: "ASK",
            request: request(),
            question: { what: "history", room_id: "general", count: 500, text: "zz" },
          },
        }));
      case 4:
        return Array.from({ length: 3 }, () => ({
          ...{ type: "CATCHUP_REQ", ballot: null, after: { index: 0, ballot: NO_BALLOT } },
        }));
      case 5:
        // It is back before anybody has noticed.
        return [{ type: "DETACH" }];
      default:
        return [
          ...Array.from({ length: 40 }, (_, at): Frame => ({ type: "PING", at })),
          { type: "ASK", request: request(), question: { what: "who" } },
          {
            ...{ type: "ASK", request: request() },
            question: { what: "say", room_id: "general", user: "bob", payload: "x".repeat(1000) },
          },
        ];
    }
  }
}

test("[A9] the messages of two clients are as fast beside twenty hostile ones, and all of them come through", () => {
  const cluster = SecuredCluster.invited();
  const honest = [cluster.isServed(cluster.enrols("bob"), 1), cluster.isServed(cluster.enrols("carl"), 2)];
  const tokens = Array.from({ length: HOSTILE }, (_, i) => cluster.enrols(`hostile ${i}`));
  const phase = (hostile: readonly Hostile[]) => {
    const talks = honest.map((run) => new Talk(cluster, run));
    const end = cluster.time.now + PHASE_MS;
    for (let beat = 0; cluster.time.now < end; beat++) {
      if (beat % 2 === 0) for (const one of hostile) one.beat();
      for (const talk of talks) talk.say();
      cluster.pass(SAY_MS);
    }
    cluster.until(() => honest.every(({ service }) => service.pending === 0));
    return talks.flatMap(({ times }) => times);
  };
  const calm = phase([]);
  const hostile = tokens.map((enrolled, kind) => new Hostile(cluster, enrolled, kind));
  const beside = phase(hostile);
  expect([calm.length, beside.length]).toEqual([2 * (PHASE_MS / SAY_MS), 2 * (PHASE_MS / SAY_MS)]);
  expect(p99(beside) - p99(calm)).toBeLessThan(100);
  // They were there all the time, and did what they could.
  expect(hostile.every(({ beats }) => beats > 5)).toBe(true);
  expect(messages(cluster.peer(3)).filter(({ user }) => user.startsWith("hostile")).length).toBeGreaterThan(500);
  expect(cluster.status(1).term).toBe(cluster.status(3).term);
});
