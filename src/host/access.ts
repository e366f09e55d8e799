/** Access at this peer: changes on their way into the log, the rights of clients, and the owner's token. */
import type { Address } from "../core/address.ts";
import type { Millis } from "../core/ids.ts";
import type { Notice } from "../core/reports.ts";
import type { Input, Output } from "../engines/engine.ts";
import type { EngineView } from "../engines/view.ts";
import { AccessDesk } from "./answers/access-desk.ts";
import { AccessChanges } from "./client/access-changes.ts";
import { Grants } from "./client/grants.ts";
import { type Clock, type Disk, PortError, type Trust } from "./contracts.ts";
import { OWNER_TOKEN, writeOwnerToken } from "./store/owner-token.ts";
import type { Troubles } from "./store/troubles.ts";

/** A peer that listens at all addresses of its machine is dialled there at this one. */
const ITSELF: Readonly<Record<string, string>> = { "0.0.0.0": "127.0.0.1", "::": "::1" };
/** After this time the owner's token is written again to a disk that has refused it. */
const AGAIN_MS = 1000;

export interface AccessHost {
  readonly clock: Clock;
  readonly disk: Disk;
  readonly troubles: Troubles;
  readonly trust: Trust | null;
  peer(): EngineView | null;
  clusterId(): string | null;
  input(input: Input): void;
}

export class Access {
  readonly #host: AccessHost;
  readonly changes: AccessChanges;
  readonly desk: AccessDesk;
  readonly grants: Grants;
  #listensAt: Address | null = null;
  #isOwned = false;
  #triedAt: Millis = Number.NEGATIVE_INFINITY;

  constructor(host: AccessHost) {
    this.#host = host;
    this.changes = new AccessChanges(host);
    this.grants = new Grants(host.trust);
    this.desk = new AccessDesk({ ...host, changes: this.changes });
  }

  /** Tells where this peer listens, for scripts on its machine. */
  listens(host: string, port: number): void {
    this.#listensAt = { host: ITSELF[host] ?? host, port };
  }

  onAnswer(answer: Extract<Output, { do: "access" }>): void {
    this.changes.onAnswer(answer);
  }

  onNotice(notice: Notice): void {
    this.desk.onNotice(notice);
  }

  onTurn(peer: EngineView): void {
    this.changes.onTurn();
    if (!this.#isOwned && peer.secure) this.#own(peer);
  }

  stop(): void {
    this.changes.stop();
    this.desk.stop();
  }

  #own(peer: EngineView): void {
    const { clock, disk, trust, troubles } = this.#host;
    const key = peer.keyOf(peer.self);
    if (trust === null || key === null || this.#listensAt === null || clock.now() - this.#triedAt < AGAIN_MS) return;
    this.#triedAt = clock.now();
    const token = trust.secret();
    try {
      writeOwnerToken(disk, { token, key, ...this.#listensAt });
    } catch (error) {
      if (!(error instanceof PortError)) throw error;
      return troubles.note(OWNER_TOKEN, error);
    }
    troubles.note(OWNER_TOKEN, null);
    this.grants.owner = trust.hash(token);
    this.#isOwned = true;
  }
}
