/**
 * Exchanges an invitation for a token, on the client's side [A8]. It asks the peers that the invitation names, one after the
 * other and round after round, until one of them has taken the hash of the token. All are asked for the same, so a lost
 * answer costs nothing. The token itself stays with the caller.
 */
import { place } from "../../core/address.ts";
import type { Redeem, Redeemed } from "../../core/client-frames.ts";
import { DEFAULT_TIMINGS } from "../../core/config.ts";
import type { Millis } from "../../core/ids.ts";
import { OWN_VERSIONS, sayVersions } from "../../core/versions.ts";
import { encodeFrame } from "../../wire/encode.ts";
import { type Invitation, type InvitingPeer, pinOf } from "../../wire/invitation.ts";
import type { Clock, Network, Timer } from "../contracts.ts";
import type { Channel } from "../net/channel.ts";
import { dialPeer } from "./dial.ts";

/** A peer is left after this time. It answers earlier, even if no majority has taken the token. */
const ANSWER_MS = 10_000;
const PAUSE_MS = 300;
/** Rounds through all the peers. */
const ROUNDS_MAX = 4;

/** After these refusals another peer is asked, or the same one a little later. */
const MAY_PASS: ReadonlySet<string> = new Set(["closing", "behind", "limit", "stranger"]);

export interface RedeemingPorts {
  readonly clock: Clock;
  /** The network of secured clusters. */
  readonly network: Network;
}

export interface RedeemingEvents {
  redeemed(redeemed: Redeemed): void;
  /** Nobody took the invitation. `code` is that of the last refusal, or null where no peer was reached. */
  refused(code: string | null, message: string): void;
}

export class Redeeming {
  readonly #ports: RedeemingPorts;
  readonly #invitation: Invitation;
  readonly #frame: Redeem;
  readonly #events: RedeemingEvents;
  #left: InvitingPeer[] = [];
  #rounds = 0;
  #channel: Channel | null = null;
  #timer: Timer | null = null;
  #why: { code: string | null; message: string } = { code: null, message: "" };
  #isOver = false;

  /** `tokenHash`: of the token that the caller has made; null: only to look. `user`: the name it would like. */
  constructor(
    ports: RedeemingPorts,
    invitation: Invitation,
    { tokenHash, user }: { readonly tokenHash: string | null; readonly user: string },
    events: RedeemingEvents,
  ) {
    this.#ports = ports;
    this.#invitation = invitation;
    this.#events = events;
    const { cluster_id, secret: invite } = invitation;
    const frame = { type: "REDEEM" as const, ...sayVersions(OWN_VERSIONS), cluster_id, invite, user };
    this.#frame = tokenHash === null ? frame : { ...frame, token: tokenHash };
    this.#next();
  }

  /** No event is called afterwards. */
  close(): void {
    this.#isOver = true;
    this.#timer?.cancel();
    this.#channel?.end();
  }

  #next(): void {
    const peer = this.#left.shift();
    if (peer !== undefined) return this.#ask(peer);
    if (this.#rounds === ROUNDS_MAX) return this.#end(() => this.#events.refused(this.#why.code, this.#why.message));
    this.#rounds += 1;
    this.#left = [...this.#invitation.addresses];
    this.#timer = this.#ports.clock.after(this.#rounds === 1 ? 0 : PAUSE_MS, () => this.#next());
  }

  #ask(peer: InvitingPeer): void {
    let refused: { code: string; message: string } | null = null;
    const channel = dialPeer({ ...this.#ports, trusts: (key) => pinOf(key) === peer.pin }, peer, this.#frame, {
      frame: (_, frame) => {
        if (frame.type === "REDEEMED") this.#end(() => this.#events.redeemed(frame));
      },
      refused: ({ code, message }) => {
        refused = { code, message: `refused by ${place(peer)}: ${message}` };
      },
      malformed: (message) => {
        refused = { code: "malformed", message };
      },
      closed: (_, code) => {
        this.#timer?.cancel();
        this.#channel = null;
        if (this.#isOver) return;
        // What a peer has said tells more than that another one was not reached.
        this.#why = refused ?? (this.#why.code === null ? { code: null, message: unreached(peer, code) } : this.#why);
        if (refused !== null && !MAY_PASS.has(refused.code))
          return this.#end(() => this.#events.refused(this.#why.code, this.#why.message));
        this.#next();
      },
    });
    this.#channel = channel;
    this.#waitFor(channel, this.#ports.clock.now() + ANSWER_MS);
  }

  /** Says something in every heartbeat interval: a peer gives up a connection that is silent. */
  #waitFor(channel: Channel, until: Millis): void {
    const { clock } = this.#ports;
    this.#timer = clock.after(DEFAULT_TIMINGS.heartbeat, () => {
      if (clock.now() >= until) return channel.destroy("ETIMEDOUT");
      if (channel.isGreeted) channel.write(encodeFrame({ type: "PING", at: clock.now() }), false);
      this.#waitFor(channel, until);
    });
  }

  #end(tell: () => void): void {
    this.close();
    tell();
  }
}

function unreached(peer: InvitingPeer, code: string): string {
  if (code === "EPIN")
    return `at ${place(peer)} somebody else answers than whom the invitation names: nothing was said to it`;
  return `cannot reach ${place(peer)} (${code === "" ? "it closed the connection" : code})`;
}
