/** Hosts on virtual time in a secured cluster: members come by invitation, clients by tokens. */
import { expect } from "bun:test";
import type { Attach, Redeemed } from "../../src/core/client-frames.ts";
import { PROTOCOL_VERSION } from "../../src/core/config.ts";
import type { Frame } from "../../src/core/frame.ts";
import type { InvitedRole, Rights } from "../../src/core/log-entry.ts";
import type { Told } from "../../src/core/reports.ts";
import type { ClientAccess } from "../../src/core/thin-client.ts";
import { ClientHost } from "../../src/host/client/client-host.ts";
import { Redeeming } from "../../src/host/client/redeeming.ts";
import type { Connection } from "../../src/host/contracts.ts";
import type { LogRecord } from "../../src/host/events.ts";
import type { Host } from "../../src/host/host.ts";
import type { OwnQuestion } from "../../src/host/service.ts";
import { VirtualClock } from "../../src/sim/virtual-time.ts";
import { FrameDecoder } from "../../src/wire/decoder.ts";
import { encodeFrame } from "../../src/wire/encode.ts";
import { type Invitation, parseInvitation } from "../../src/wire/invitation.ts";
import { Cluster, type Run } from "./virtual-cluster.ts";
import { hashOf, secretOf } from "./virtual-trust.ts";

const A_MINUTE_MS = 60_000;
const HOUR_MS = 3_600_000;

/** What a client keeps of its invitation. */
export interface Enrolled extends ClientAccess {
  readonly name: string;
}

export class SecuredCluster extends Cluster {
  readonly logs: LogRecord[] = [];
  #tokens = 0;

  /** Three members; whoever leads, leads. */
  static invited(seed = 7): SecuredCluster {
    const cluster = new SecuredCluster({}, seed);
    cluster.start(1, { secured: true }, "1");
    cluster.until(() => cluster.status(1).role === "leader");
    for (const id of [2, 3]) {
      const invitation = cluster.invites(1, { role: "member" });
      cluster.start(id, { seeds: [], invitation }, `${id}`);
      cluster.until(() => cluster.status(1).members.some((m) => m.id === id && m.state === "alive"));
    }
    cluster.until(() => [1, 2, 3].every((id) => cluster.status(id).leader_id === 3));
    return cluster;
  }

  peer(id: number): Run<Host> {
    return this.peers.get(id) as Run<Host>;
  }

  override log(record: LogRecord): void {
    this.logs.push(record);
  }

  /** The answer to what somebody asks. */
  asks(run: Run<Pick<Host, "ask">>, question: OwnQuestion): Told {
    const told: Told[] = [];
    run.service.ask(question, (answer) => told.push(answer));
    this.until(() => told.length === 1);
    return told[0] as Told;
  }

  invites(
    peer: number,
    of: { role?: InvitedRole; name?: string; rights?: Rights; uses?: number } = {},
  ): Invitation & { readonly text: string } {
    const { role = "client", name = "", rights = "write", uses = 1 } = of;
    const run = this.peer(peer);
    const expires = run.clock.wall() + HOUR_MS;
    const told = this.asks(run, { what: "invite", role, name, rights, uses, expires });
    expect(told).toMatchObject({ event: "invitation", role, rights });
    const text = told.event === "invitation" ? told.invitation : "";
    const parsed = parseInvitation(text);
    if (!parsed.ok) throw new Error(parsed.message);
    return { ...parsed.invitation, text };
  }

  /** Somebody who says something that is no frame, over TLS. */
  stranger(peer: number, text: string): void {
    const network = this.network.attach(this.nextSite++, new VirtualClock(this.time, this.random)).secured(null);
    const bytes = new TextEncoder().encode(`${text}\n`);
    const connection = network.connect("virtual", 6000 + peer, {
      open: () => connection.write(bytes),
      data: () => {},
      drain: () => {},
      close: () => {},
    });
  }

  /** Goes with an invitation to the peers that it names: a token, or the code of the refusal. */
  redeems(invitation: Invitation, user: string): Enrolled | string | null {
    const token = secretOf(`token ${this.#tokens++}`);
    const ends: (Redeemed | string | null)[] = [];
    this.run(this.nextSite++, ({ clock, secured }) => ({
      start: () =>
        new Redeeming(
          { clock, network: secured(null) },
          invitation,
          { tokenHash: hashOf(token), user },
          { redeemed: (redeemed) => ends.push(redeemed), refused: (code) => ends.push(code) },
        ),
    }));
    this.time.runUntil(this.time.now + A_MINUTE_MS, () => ends.length === 1);
    expect(ends).toHaveLength(1);
    const end = ends[0] as Redeemed | string | null;
    if (typeof end === "string" || end === null) return end;
    return { token, index: end.index, keys: end.members.map(({ key }) => key), name: end.name };
  }

  /** Somebody is invited at peer 1, and comes. */
  enrols(name: string, rights: Rights = "write"): Enrolled {
    const enrolled = this.redeems(this.invites(1, { name, rights }), "whoever");
    if (enrolled === null || typeof enrolled === "string") throw new Error(`refused: ${enrolled}`);
    return enrolled;
  }

  /** The holder of a token as a client of that peer at first. */
  comes({ name, ...access }: Enrolled, peer: number, reads = false): Run<ClientHost> {
    const addresses = [{ host: "virtual", port: 6000 + peer }];
    return this.run(this.nextSite++, ({ clock, secured }, listener) => {
      const options = { addresses, name: reads ? "" : name, room: "general", since: null, follow: true, access };
      return new ClientHost({ clock, network: secured(null) }, options, listener);
    });
  }

  /** The same, when it has begun. */
  isServed(enrolled: Enrolled, peer: number): Run<ClientHost> {
    const client = this.comes(enrolled, peer);
    this.until(() => client.events.some((e) => e.event === "started"));
    return client;
  }
}

/** A client's connection on which somebody says what he likes. */
export class RawClient {
  readonly frames: Frame[] = [];
  closed: string | null = null;
  readonly #connection: Connection;
  readonly #waiting: Frame[] = [];
  #isOpen = false;

  /** `isDeaf`: it does not look at what it is told. */
  constructor(cluster: SecuredCluster, peer: number, greeting: Partial<Attach>, isDeaf = false) {
    const decoder = new FrameDecoder();
    const clock = new VirtualClock(cluster.time, cluster.random);
    const network = cluster.network.attach(cluster.nextSite++, clock).secured(null);
    const attach: Attach = {
      ...{ type: "ATTACH", version: PROTOCOL_VERSION, cluster_id: null, user: "", room_id: "general" },
      ...{ session: "", sender_id: 0, seen: 0 },
      ...greeting,
    };
    this.#connection = network.connect("virtual", 6000 + peer, {
      open: () => {
        this.#isOpen = true;
        this.#write([attach, ...this.#waiting]);
      },
      data: (bytes) => {
        if (isDeaf) return;
        decoder.push(bytes);
        for (let frame = decoder.next(); frame !== null; frame = decoder.next()) this.frames.push(frame);
      },
      drain: () => {},
      close: (code) => {
        this.closed = code;
      },
    });
  }

  /** Behind its greeting. */
  say(...frames: readonly Frame[]): void {
    if (this.#isOpen) this.#write(frames);
    else this.#waiting.push(...frames);
  }

  #write(frames: readonly Frame[]): void {
    for (const frame of frames) for (const piece of encodeFrame(frame)) this.#connection.write(piece);
  }

  get refusal(): string | null {
    return this.frames.flatMap((frame) => (frame.type === "REFUSE" ? [frame.code] : []))[0] ?? null;
  }

  get isServed(): boolean {
    return this.frames.some(({ type }) => type === "ATTACHED");
  }
}
