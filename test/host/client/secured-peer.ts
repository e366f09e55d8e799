/** The clients' part of a peer in a secured cluster, without the rest. The log shows what a test lets it show. */
import { createHash } from "node:crypto";
import { AccessLog } from "../../../src/core/access-log.ts";
import { toBase32 } from "../../../src/core/base32.ts";
import type { Ask, Attach } from "../../../src/core/client-frames.ts";
import { DEFAULT_TIMINGS, PROTOCOL_VERSION } from "../../../src/core/config.ts";
import type { Frame } from "../../../src/core/frame.ts";
import { NO_BALLOT } from "../../../src/core/ids.ts";
import type { AccessChange, Entry, Rights } from "../../../src/core/log-entry.ts";
import type { Refuse } from "../../../src/core/message.ts";
import type { Question, Told } from "../../../src/core/reports.ts";
import { sessionStart } from "../../../src/core/thin-client.ts";
import type { Input } from "../../../src/engines/engine.ts";
import type { EngineView } from "../../../src/engines/view.ts";
import { Access } from "../../../src/host/access.ts";
import { Answers } from "../../../src/host/answers/answers.ts";
import { Slices } from "../../../src/host/answers/slices.ts";
import { startingStatus } from "../../../src/host/answers/status.ts";
import { Clients } from "../../../src/host/client/attached-clients.ts";
import type { ClientLink } from "../../../src/host/client/client-link.ts";
import type { Trust } from "../../../src/host/contracts.ts";
import { OwnPerson } from "../../../src/host/own-person.ts";
import { VirtualDisk } from "../../../src/sim/virtual-disk.ts";
import { FrameDecoder } from "../../../src/wire/decoder.ts";
import { encodeFrame } from "../../../src/wire/encode.ts";
import { ManualClock, seeded } from "../manual-clock.ts";

export const hashOf = (secret: string) => toBase32(createHash("sha256").update(secret).digest());
export const secretOf = (what: string) => hashOf(what).slice(0, 25) + "a";
const HELLO: Frame = {
  ...{ type: "HELLO", version: PROTOCOL_VERSION, cluster_id: null, id: 1, inc: "one", boot: 1 },
  ...{ host: "virtual", port: 6001 },
};

/** What a client's connection has been told. */
export class Line implements ClientLink {
  heardAt = 0;
  readonly window = { frame: 65_536, answer: 1_048_576 };
  refusal: Refuse | null = null;
  isEnded = false;
  readonly frames: Frame[] = [];
  readonly #decoder = new FrameDecoder();

  constructor() {
    this.write(encodeFrame(HELLO));
  }

  write(frame: readonly Uint8Array[]): void {
    for (const piece of frame) this.#decoder.push(piece.slice());
    for (let next = this.#decoder.next(); next !== null; next = this.#decoder.next()) this.frames.push(next);
  }

  refuse(refuse: Refuse): void {
    this.refusal = refuse;
    this.isEnded = true;
  }

  end(): void {
    this.isEnded = true;
  }

  get isServed(): boolean {
    return this.frames.some(({ type }) => type === "ATTACHED");
  }

  told(request: number): Told | undefined {
    return this.frames.flatMap((f) => (f.type === "TELL" && f.request === request ? [f.told] : []))[0];
  }
}

/** What a token's holder keeps. */
export interface Held {
  readonly token: string;
  readonly index: number;
}

export class SecuredPeer {
  readonly clock = new ManualClock();
  readonly access = new AccessLog();
  readonly inputs: Input[] = [];
  readonly present = new Set<string>();
  readonly disk: VirtualDisk;
  readonly clients: Clients;
  readonly desk: Access;
  readonly person: OwnPerson;
  readonly secrets: string[] = [];
  secure = true;
  commit = 10;
  last = 10;
  /** A leader appends what it can; whatever clients say is in the log at once. */
  leads = true;

  constructor(name = "olga") {
    const { clock } = this;
    this.disk = new VirtualDisk({ clock, random: seeded(1) });
    const peer = () => this.#view();
    const input = (given: Input) => this.#take(given);
    const trust: Trust = { hash: hashOf, secret: () => this.#secret(), key: () => {}, network: () => {} };
    this.person = new OwnPerson({ name, announces: true }, clock, input, () => {});
    const shared = { clock, peer, input, trust, clusterId: () => "cluster" };
    this.desk = new Access({ ...shared, disk: this.disk, troubles: { note: () => {} } as never });
    this.desk.listens("0.0.0.0", 6001);
    const slices = new Slices(clock, (work) => work());
    const status = () => startingStatus(1, []);
    const answers = new Answers({
      ...{ clock, slices, peer, input, status, desk: this.desk.desk, past: {} as never },
      who: { ask: (done: (list: Told) => void) => done({ event: "who", people: [] }) } as never,
      isHere: (user) => this.clients.has(user) || this.person.announced === user || this.clients.keeps(user),
    });
    this.clients = new Clients({
      ...shared,
      ...{ timings: DEFAULT_TIMINGS, answers, status, grants: this.desk.grants, changes: this.desk.changes },
      past: { forget: () => {} } as never,
      ownName: () => this.person.announced,
      signs: () => this.person.name,
      hindrances: () => "",
      waiting: () => null,
      onRenamed: () => {},
      say: () => ({ ok: true, msg_id: "1.own.1" }),
    });
  }

  #secret(): string {
    const secret = secretOf(`secret ${this.secrets.length}`);
    this.secrets.push(secret);
    return secret;
  }

  // ── the log ────────────────────────────────────────────────────────────────────────────────────────────────────

  /** Appends it and commits all. */
  enters(change: AccessChange): void {
    this.appends(change);
    this.commits();
  }

  appends(data: AccessChange): void {
    this.last += 1;
    this.access.apply({ index: this.last, ts: this.clock.wall(), data } as Entry);
  }

  commits(): void {
    this.commit = this.last;
    this.turn();
  }

  turn(): void {
    this.desk.onTurn(this.#view());
    this.clients.onTurn();
  }

  /** Somebody is invited, comes, and holds a token. */
  enrols(name: string, rights: Rights): Held {
    const invite = secretOf(`invitation of ${name} ${this.last}`);
    this.invites(invite, { name, rights });
    const token = secretOf(`token of ${name} ${this.last}`);
    this.enters({ change: "user", hash: hashOf(token), name, rights, invite: hashOf(invite) });
    return { token, index: this.last };
  }

  invites(
    secret: string,
    of: { name?: string; rights?: Rights; uses?: number; expires?: number; role?: "member" } = {},
  ): void {
    const { name = "", rights = "write", uses = 1, expires = this.clock.wall() + 60_000, role = "client" } = of;
    this.enters({ change: "invite", hash: hashOf(secret), role, name, rights, uses, expires, by: "olga" });
  }

  #take(input: Input): void {
    this.inputs.push(input);
    if (input.type === "client-chat" && this.leads) this.clock.soon(() => this.turn());
    if (input.type !== "access" || !this.leads) return;
    const { request, change } = input;
    const isThere = this.access.says(change);
    const against = isThere ? null : this.access.judge(change, this.clock.wall());
    if (against === null && !isThere) this.appends(change);
    const { code = null, message = "" } = against ?? {};
    this.clock.soon(() => this.desk.onAnswer({ do: "access", request, ok: against === null, code, message }));
  }

  #view(): EngineView {
    const { secure, access, commit, last } = this;
    const keyOf = ({ id }: { id: number }) => (secure ? hashOf(`key ${id}`) : null);
    const members = [1, 2, 3].map((id) => ({ id, inc: `inc${id}`, host: "virtual", port: 6000 + id, role: "voter" }));
    const tailAt = (index: number) => ({ index, ballot: NO_BALLOT });
    const state = {
      sessions: { get: () => (this.leads ? Number.MAX_SAFE_INTEGER : 0) },
      people: { present: this.present },
      ballotAt: () => NO_BALLOT,
    };
    return {
      ...{ secure, access, keyOf, self: { id: 1, inc: "inc1", boot: 1 }, quitting: false, configuration: { members } },
      ...{ log: { first: 1, commit, last, tailAt, state, slice: () => [], crcAt: () => 0 }, sequencer: NO_BALLOT },
      ...{ standing: { term: 1, leader_id: 3, quorum: true }, links: new Map() },
      ...{ present: () => members, isLinked: () => true, lagOf: () => 0 },
    } as unknown as EngineView;
  }

  // ── clients ────────────────────────────────────────────────────────────────────────────────────────────────────

  /** A connection that says this first, and what has come of it. */
  attach(attach: Partial<Attach>): Line {
    const line = new Line();
    this.clients.attach(line, {
      ...{ type: "ATTACH", version: PROTOCOL_VERSION, cluster_id: null, user: "", room_id: "general" },
      ...{ session: "", sender_id: 0, seen: 0, ...attach },
    });
    this.clock.pass(10);
    return line;
  }

  /** The holder of a token, with a session of its own. */
  comes({ token, index }: Held, user: string): Line {
    return this.attach({ token, user, session: sessionOf({ index }) });
  }

  redeem(invite: string, token: string, user: string, cluster_id = "cluster"): Line {
    const line = new Line();
    const version = PROTOCOL_VERSION;
    this.clients.redeem(line, { type: "REDEEM", version, cluster_id, invite, token: hashOf(token), user });
    this.clock.pass(10);
    return line;
  }

  say(line: Line, session: string, user: string, ...texts: string[]): void {
    const messages = texts.map((payload) => ({ room_id: "general", user, ts: 1, payload }));
    this.clients.frame(line, { type: "CHAT", sender_id: 1, session, first: 1, messages });
  }

  ask(line: Line, question: Question, request = 1): Told | undefined {
    const ask: Ask = { type: "ASK", request, question };
    this.clients.frame(line, ask);
    this.clock.pass(10);
    this.commits();
    return line.told(request);
  }

  /** What went to the engine in clients' sessions. */
  get chats() {
    return this.inputs.flatMap((input) => (input.type === "client-chat" ? [input.chat] : []));
  }
}

export const sessionOf = ({ index }: Pick<Held, "index">) => `${sessionStart(index)}abcdefghi`;
