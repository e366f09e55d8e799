/** A client whose connection is no TCP channel: it hands frames over in memory, as a WebSocket's port would [S8]. */
import { expect, test } from "bun:test";
import type { Ask } from "../../../src/core/client-frames.ts";
import { PROTOCOL_VERSION } from "../../../src/core/config.ts";
import type { Frame } from "../../../src/core/frame.ts";
import { NO_BALLOT } from "../../../src/core/ids.ts";
import type { Entry } from "../../../src/core/log-entry.ts";
import type { Refuse } from "../../../src/core/message.ts";
import { Client } from "../../../src/core/thin-client.ts";
import type { ClientEvents, ClientLink } from "../../../src/host/client/client-link.ts";
import type { Host } from "../../../src/host/host.ts";
import { FrameDecoder } from "../../../src/wire/decoder.ts";
import { encodeFrame } from "../../../src/wire/encode.ts";
import { WireError } from "../../../src/wire/wire-error.ts";
import { Cluster, payloads, type Run, say, sent } from "../virtual-cluster.ts";

/** The first frame to anybody, which whoever accepts connections says. */
const HELLO: Frame = {
  ...{ type: "HELLO", version: PROTOCOL_VERSION, cluster_id: null, id: 1, inc: "one", boot: 1 },
  ...{ host: "virtual", port: 6001 },
};

/** Both ends: what the peer writes is decoded and taken up by a client's core, whose answers go back in a later turn. */
class Handover implements ClientLink {
  heardAt = 0;
  /** As of a narrow line. */
  readonly window = { frame: 1000, answer: 4000 };
  readonly entries: Entry[] = [];
  readonly frames: Frame[] = [];
  readonly sent: string[] = [];
  refusal: Refuse | null = null;
  isEnded = false;
  readonly #decoder = new FrameDecoder();
  readonly #client: Client;
  readonly #peer: Run<Host>;
  readonly #door: ClientEvents;
  readonly #all: boolean;

  /** `all`: it reads from the beginning of the log. */
  constructor(peer: Run<Host>, user: string, all = false) {
    this.#peer = peer;
    this.#all = all;
    this.#door = peer.service.clients as ClientEvents;
    this.write(encodeFrame(HELLO), false);
    this.#client = new Client({ user, room: "general", session: `of${user}` });
    this.#door.attach(this, this.#client.attach());
  }

  write(frame: readonly Uint8Array[], _bulk: boolean): void {
    for (const piece of frame) this.#decoder.push(piece);
    for (let next = this.#decoder.next(); next !== null; next = this.#decoder.next()) this.#onFrame(next);
  }

  refuse(refuse: Refuse): void {
    this.refusal = refuse;
    this.end();
  }

  end(): void {
    if (this.isEnded) return;
    this.isEnded = true;
    this.#peer.clock.soon(() => this.#door.closed(this));
  }

  /** What the client says to its peer. */
  say(frame: Frame): void {
    this.heardAt = this.#peer.clock.now();
    this.#door.frame(this, frame);
  }

  submit(payload: string): void {
    this.#client.submit({ room_id: "general", user: this.#client.user, ts: 1, payload });
    this.#goOn(() => this.#client.nextChat(this.#peer.clock.now()));
  }

  #goOn(next: () => Frame | null): void {
    this.#peer.clock.soon(() => {
      const frame = this.isEnded ? null : next();
      if (frame !== null) this.say(frame);
    });
  }

  #onFrame(frame: Frame): void {
    this.frames.push(frame);
    const now = this.#peer.clock.now();
    if (frame.type === "PING") return this.#goOn(() => ({ type: "PONG", at: frame.at }));
    if (frame.type === "ATTACHED") {
      this.#client.onAttached(frame, now);
      if (this.#all) this.#client.readFrom({ index: 0, ballot: NO_BALLOT });
    } else if (frame.type === "CATCHUP_RESP")
      for (const entry of frame.entries) {
        this.entries.push(entry);
        if (this.#client.onEntry(entry, now) === "own") this.sent.push(entry.text);
      }
    else return;
    const { seen } = this.#client;
    if (seen !== null && !(frame.type === "CATCHUP_RESP" && frame.more))
      this.#goOn(() => ({ type: "CATCHUP_REQ", ballot: null, after: seen }));
  }
}

const isAttached = ({ frames }: Handover) => frames.some((f) => f.type === "ATTACHED");

test("[S8] a client over another kind of connection reads, says, asks and is seen like any other", () => {
  const cluster = Cluster.formed();
  const [first, third] = [1, 3].map((id) => cluster.peers.get(id) as Run<Host>) as [Run<Host>, Run<Host>];
  const client = new Handover(first, "wanda");
  cluster.until(() => isAttached(client));
  client.submit("over another way");
  cluster.until(() => client.sent.length === 1);
  say(third, "heard there");
  cluster.until(() => sent(third).length === 1 && payloads(first).length === 2);
  cluster.until(() => client.entries.filter((e) => e.kind === "chat").length === 2);
  expect(client.sent).toEqual(["over another way"]);
  const read = client.entries.flatMap((e) => (e.kind === "chat" ? [e.text] : []));
  expect(read).toEqual(payloads(third));
  expect(read).toEqual(["over another way", "heard there"]);
  const question: Ask = { type: "ASK", request: 1, question: { what: "who" } };
  client.say(question);
  client.say({ type: "PING", at: 7 });
  cluster.until(() => client.frames.some((f) => f.type === "TELL" && f.request === 1));
  const who = client.frames.flatMap((f) => (f.type === "TELL" && f.told.event === "who" ? f.told.people : []));
  expect(who.filter((p) => p.user === "wanda")).toMatchObject([{ client: true }]);
  expect(client.frames).toContainEqual({ type: "PONG", at: 7 });
});

test("[R10] what it reads comes in frames that its line carries, several to an answer", () => {
  const cluster = Cluster.formed();
  const peer = cluster.peers.get(1) as Run<Host>;
  for (let i = 0; i < 100; i++) say(peer, `${i} ${"x".repeat(100)}`);
  cluster.until(() => sent(peer).length === 100);
  const client = new Handover(peer, "wanda", true);
  cluster.until(() => client.entries.at(-1)?.index === peer.service.status().commit_index);
  const answers = client.frames.filter((f) => f.type === "CATCHUP_RESP");
  const sizes = answers.map(({ entries }) => entries.reduce((sum, { start, end }) => sum + end - start, 0));
  expect(Math.max(...sizes)).toBeLessThanOrEqual(client.window.frame);
  expect(answers.filter(({ more }) => more).length).toBeGreaterThan(answers.length / 2);
  expect(client.entries.map(({ index }) => index)).toEqual(client.entries.map((_, i) => i + 1));
});

test("[S8] it is refused, let go and called malformed like any other", () => {
  const cluster = Cluster.formed();
  const peer = cluster.peers.get(1) as Run<Host>;
  const wanda = new Handover(peer, "wanda");
  cluster.until(() => isAttached(wanda));
  const namesake = new Handover(peer, "wanda2");
  cluster.until(() => isAttached(namesake));
  expect(new Handover(peer, "user1").refusal?.code).toBe("name-in-use");
  expect(() => wanda.say({ type: "ASK", request: 1, question: { what: "here" } })).toThrow(WireError);
  expect(wanda.refusal).toBeNull();
  wanda.say({ type: "DETACH" });
  expect([wanda.isEnded, wanda.refusal]).toEqual([true, null]);
  cluster.pass();
  const again = new Handover(peer, "wanda");
  cluster.until(() => isAttached(again));
  peer.service.stop();
  expect(new Handover(peer, "late").refusal?.code).toBe("closing");
});
