/**
 * A stage for stories about a few peers, everything around them moved by hand: frames wait in per-pair queues until
 * the test delivers or loses them, time passes when told. The stage itself watches one thing, always: no two peers
 * ever commit different entries at one index [I2].
 */
import { DEFAULT_TIMINGS, type Timings } from "../../../src/core/config.ts";
import type { Frame } from "../../../src/core/frame.ts";
import { type LinkId, type PeerId, sameBallot } from "../../../src/core/ids.ts";
import type { Entry, Role } from "../../../src/core/log-entry.ts";
import { address, genesisOf, hashOf } from "../../core/entries.ts";
import { Puppet } from "./puppet.ts";

interface Cast<R extends readonly Role[]> {
  readonly stage: Stage;
  readonly peers: { readonly [K in keyof R]: Puppet };
}

type Held = (frame: Frame, from: Puppet, to: Puppet) => boolean;

export class Stage {
  now = 1000;
  readonly timings: Timings;
  readonly puppets: Puppet[] = [];
  /** Frames for which this says true stay in their queue while others go. */
  held: Held = () => false;
  readonly #links = new Map<LinkId, { from: Puppet; to: Puppet; frames: Frame[] }>();
  readonly #committed = new Map<number, Entry>();
  #lastLink = 0;

  constructor(timings: Partial<Timings> = {}) {
    this.timings = { ...DEFAULT_TIMINGS, ...timings };
  }

  /** Peers 1, 2, … with a genesis that names these roles, started but not connected. */
  static with<const R extends readonly Role[]>(roles: R, timings: Partial<Timings> = {}, secured = false): Cast<R> {
    const stage = new Stage(timings);
    const genesis = genesisOf(roles, secured);
    const peers = roles.map((_, i) => stage.add(i + 1));
    if (secured) for (const peer of peers) peer.key = hashOf(`k${peer.id}`);
    for (const peer of peers) {
      peer.disk.entries.push(genesis);
      peer.disk.durable = 1;
      peer.start();
    }
    return { stage, peers: peers as Cast<R>["peers"] };
  }

  /** A peer on an empty directory, not started. */
  add(id: PeerId, inc = `i${id}`): Puppet {
    const puppet = new Puppet(this, id, inc);
    this.puppets.push(puppet);
    return puppet;
  }

  connect(...peers: Puppet[]): void {
    for (const [i, a] of peers.entries()) for (const b of peers.slice(i + 1)) this.#connect(a, b);
  }

  #connect(a: Puppet, b: Puppet): void {
    if (this.#linkBetween(a, b) !== undefined) return;
    const link = ++this.#lastLink;
    this.#links.set(link, { from: a, to: b, frames: [] });
    this.#links.set(-link, { from: b, to: a, frames: [] });
    const peerOf = ({ id, inc, boot, key }: Puppet) => ({
      id,
      inc,
      boot,
      ...address(id),
      ...(key !== null && { key }),
    });
    a.input({ type: "link-up", link, peer: peerOf(b) });
    b.input({ type: "link-up", link: -link, peer: peerOf(a) });
  }

  /** Closes the connection; what is under way on it is lost. */
  cut(a: Puppet, b: Puppet): void {
    const link = this.#linkBetween(a, b);
    if (link !== undefined) this.hangUp(link);
  }

  isolate(a: Puppet): void {
    for (const b of this.puppets) this.cut(a, b);
  }

  hangUp(link: LinkId): void {
    const ends = this.#links.get(link);
    this.#links.delete(link);
    this.#links.delete(-link);
    if (ends?.from.runs) ends.from.input({ type: "link-down", link });
    if (ends?.to.runs) ends.to.input({ type: "link-down", link: -link });
  }

  #linkBetween(a: Puppet, b: Puppet): LinkId | undefined {
    for (const [link, ends] of this.#links) if (ends.from === a && ends.to === b) return link;
    return undefined;
  }

  post(from: Puppet, link: LinkId, frame: Frame): void {
    const ends = this.#links.get(link);
    // Copied, as a wire does: peers share no objects.
    if (ends === undefined || ends.from !== from) return;
    // As a host does: an engine sees the hash of a secret only.
    const hashed = frame.type === "JOIN" && frame.invite !== undefined;
    ends.frames.push(structuredClone(hashed ? { ...frame, invite: hashOf(frame.invite as string) } : frame));
  }

  /** The frames of this type under way from one to the other. */
  under<T extends Frame["type"]>(from: Puppet, to: Puppet, type: T): Extract<Frame, { type: T }>[] {
    const frames = this.#links.get(this.#linkBetween(from, to) ?? 0)?.frames ?? [];
    return frames.filter((f): f is Extract<Frame, { type: T }> => f.type === type);
  }

  /** Hands over the first frame of this type: control frames go ahead of bulk [W5], so types may overtake each other. */
  deliver(from: Puppet, to: Puppet, type: Frame["type"]): void {
    this.hand(from, to, this.lose(from, to, type));
  }

  /** Hands over a frame as if the other had sent it. */
  hand(from: Puppet, to: Puppet, frame: Frame): void {
    to.input({ type: "frame", link: this.#linkBetween(to, from) as LinkId, frame });
  }

  /** Takes the first frame of this type out of the queue. */
  lose(from: Puppet, to: Puppet, type: Frame["type"]): Frame {
    const frames = this.#links.get(this.#linkBetween(from, to) ?? 0)?.frames ?? [];
    const at = frames.findIndex((f) => f.type === type);
    const [frame] = at < 0 ? [] : frames.splice(at, 1);
    if (frame === undefined) throw new Error(`no ${type} is under way from ${from.id} to ${to.id}`);
    return frame;
  }

  /** Delivers all that is not held back, until nothing moves. */
  quiet(): void {
    for (let rounds = 0; rounds < 2000; rounds++) {
      let moved = false;
      for (const [link, { from, to, frames }] of [...this.#links]) {
        const at = frames.findIndex((f) => !this.held(f, from, to));
        const [frame] = at < 0 ? [] : frames.splice(at, 1);
        if (frame === undefined || !this.#links.has(link)) continue;
        moved = true;
        to.input({ type: "frame", link: -link, frame });
      }
      if (!moved) return;
    }
    throw new Error("the peers never stop talking");
  }

  /** Lets time pass in small steps (a peer that is late forgives the others' silence [E1]), delivering all the while. */
  pass(ms: number, enough: () => boolean = () => false): void {
    this.quiet();
    for (const end = this.now + ms; this.now < end && !enough(); ) {
      this.now = Math.min(end, this.now + 50);
      for (const puppet of this.puppets) if (puppet.runs) puppet.tick();
      this.quiet();
    }
  }

  /** Lets time pass until something holds; a minute without it fails the test. */
  until(what: string, holds: () => boolean): void {
    this.pass(60_000, holds);
    if (!holds()) throw new Error(`in vain: ${what}`);
  }

  /** [I2] */
  witness(by: Puppet, entry: Entry): void {
    const known = this.#committed.get(entry.index);
    if (known === undefined) this.#committed.set(entry.index, entry);
    else if (known.crc !== entry.crc || !sameBallot(known, entry))
      throw new Error(`peer ${by.id} committed another entry ${entry.index} than was committed before [I2]`);
  }
}

/** Three voters under way; the one with the highest id leads. */
export function trio(secured = false): { stage: Stage; b: Puppet; c: Puppet; leader: Puppet } {
  const { stage, peers } = Stage.with(["voter", "voter", "voter"], {}, secured);
  const [c, b, leader] = peers;
  stage.connect(c, b, leader);
  stage.until("the highest leads", () => leader.leads && peers.every((p) => p.delivered.length === leader.last));
  return { stage, b, c, leader };
}
