/**
 * Sees everything that peers and clients do and tell: writes it into the record, and hands it to the checkers. Looks at
 * times at what no event tells: promises, commit indexes, committed lines.
 */
import type { DeliveredMessage, HostEvent, Stopped } from "../host/events.ts";
import type { Checkers } from "./checkers.ts";
import type { VirtualClient } from "./clients.ts";
import { committedLines, durablePromise, firstIndex, logPaths } from "./files.ts";
import { Machine } from "./machine.ts";
import { type Losses, memberOf, processOf } from "./member-losses.ts";
import type { WatchedEnd } from "./pair.ts";
import type { Recorder } from "./recorder.ts";
import type { Promised } from "./seen-ballots.ts";
import type { Actor } from "./stage.ts";
import { PowerCut } from "./steps.ts";
import type { VirtualTime } from "./virtual-time.ts";

const SAMPLE_MS = 250;
const LOOK_MS = 400;
const LATIN1 = new TextDecoder("latin1");
/** The beginning of a PROMISE frame. */
const PROMISE = new TextEncoder().encode('{"type":"PROMISE"');

/** The machines that are watched, as they are now. */
interface Scene {
  readonly machines: readonly Machine[];
  readonly losses: Losses;
  readonly isSecured: boolean;
}

export class Witness {
  /** Codes of notices and errors told by each since its start. */
  readonly told = new Map<Actor, string[]>();
  /** Texts of others that each has shown as pending since its start [S7]. */
  readonly shown = new Map<Actor, string[]>();
  readonly #time: VirtualTime;
  readonly #checkers: Checkers;
  readonly #recorder: Recorder;
  readonly #scene: Scene;
  readonly #texts = new Map<string, string[]>();
  readonly #lastTyped = new Map<Actor, string>();
  readonly #handled = new Map<string, string[]>();
  #lookedAt = 0;
  /** The committed lines through here have been searched for configurations. */
  #configurationsThrough = 0;

  constructor(time: VirtualTime, checkers: Checkers, recorder: Recorder, scene: Scene) {
    this.#time = time;
    this.#checkers = checkers;
    this.#recorder = recorder;
    this.#scene = scene;
  }

  /** Looks from now on, again and again. */
  begin(): void {
    this.#time.at(SAMPLE_MS, () => this.sample());
  }

  delivered(actor: Actor): readonly string[] {
    return this.#texts.get(actor.name) ?? [];
  }

  handled(machine: Machine): string[] {
    const name = machine.name;
    const handled = this.#handled.get(name) ?? [];
    this.#handled.set(name, handled);
    return handled;
  }

  lastTyped(machine: Machine): string | null {
    return this.#lastTyped.get(machine) ?? null;
  }

  // ── what peers tell ────────────────────────────────────────────────────────────────────────────────────────────

  event(actor: Actor, event: HostEvent): void {
    const peer = actor.site;
    switch (event.event) {
      case "message": {
        const { index, msg_id, payload } = event;
        this.#recorder.tell(peer, `delivers ${index} = ${msg_id} ${payload.slice(0, 40)}`, { kind: "deliver", index });
        const texts = this.#texts.get(actor.name);
        if (texts === undefined) this.#texts.set(actor.name, [payload]);
        else texts.push(payload);
        return this.#checkers.delivered(actor.name, event);
      }
      case "sent":
        this.#recorder.tell(peer, `is told that ${event.msg_id} is sent`, { kind: "sent", index: event.index });
        return this.#checkers.sent(
          actor.name,
          event.msg_id,
          event.index,
          this.#looksNow() ? (voter) => this.#holds(voter, event.index, event.msg_id) : null,
        );
      case "pending":
        this.#recorder.tell(peer, `says ${event.msg_id} ${event.payload.slice(0, 40)}`, { kind: "submit" });
        this.#lastTyped.set(actor, event.msg_id);
        return this.#checkers.submitted(actor.name, event.msg_id, event.payload, event.was);
      case "unsent":
        this.shown.get(actor)?.push(event.payload);
        return this.#recorder.tell(peer, `shows ${event.msg_id} as pending`, { kind: "notice" });
      case "role": {
        const { role, term, leader_id } = event;
        this.#recorder.tell(peer, `is ${role}, term ${term}, leader ${leader_id ?? "none"}`, {
          kind: "role",
          role,
          term,
        });
        if (actor instanceof Machine && role === "leader")
          this.#checkers.ballots.leads(actor.name, `${term}.${processOf(actor)}`);
        return;
      }
      case "twins":
        this.told.get(actor)?.push(event.event);
        return this.#recorder.tell(peer, event.message, { kind: "notice" });
      case "error":
      case "notice":
        this.told.get(actor)?.push(event.code);
        return this.#recorder.tell(peer, `${event.code}: ${event.message}`, { kind: "notice" });
      case "member":
        return this.#recorder.tell(peer, `sees peer ${event.id} ${event.state} (${event.role})`, { kind: "notice" });
      case "started":
        return this.#checkers.restarted(actor.name);
    }
  }

  onHandled(machine: Machine, message: DeliveredMessage): void {
    const { index, msg_id, payload } = message;
    this.#recorder.tell(machine.site, `has handled ${index} = ${msg_id} ${payload.slice(0, 40)}`, { kind: "notice" });
    this.handled(machine).push(payload);
    this.#checkers.handled(machine.name, message);
  }

  ended(actor: Actor, { code, reason }: Stopped): void {
    this.told.get(actor)?.push(code === 0 ? "stopped" : "failed");
    this.#recorder.tell(actor.site, `stops (${code}): ${reason}`, { kind: "stop" });
  }

  starting(machine: Machine): void {
    this.#recorder.tell(machine.site, "starts", { kind: "start" });
    this.told.set(machine, []);
    this.shown.set(machine, []);
    if (machine.owner.handleMs !== null) this.#checkers.embedded(machine.name);
  }

  clientStarting(client: VirtualClient): void {
    this.#recorder.tell(client.site, "starts", { kind: "start" });
    this.told.set(client, []);
    this.#checkers.beganAnywhere(client.name);
  }

  /** Whether to look through the logs of all voters, which is expensive: at most once in `LOOK_MS` of virtual time. */
  #looksNow(): boolean {
    if (this.#time.now < this.#lookedAt + LOOK_MS) return false;
    this.#lookedAt = this.#time.now;
    this.readConfigurations();
    return true;
  }

  /** Whether a peer's disk has a message for certain; a directory that lost what it had confirmed cannot say no. */
  #holds(member: string, index: number, msgId: string): boolean {
    const field = `"msg_id":"${msgId}"`;
    const has = (machine: Machine) => {
      const path = logPaths(machine).findLast((p) => firstIndex(p) <= index);
      return path !== undefined && LATIN1.decode(machine.disk.durableContents(path)).includes(field);
    };
    return this.#scene.losses.hasLost(member) || this.#scene.machines.some((m) => memberOf(m) === member && has(m));
  }

  left(end: WatchedEnd, bytes: Uint8Array): void {
    this.#recorder.frames?.left(end, bytes);
    const machine = this.#scene.machines.find((m) => m.site === end.machine);
    if (machine === undefined) return;
    this.#checkers.queued(machine.name, end.queued);
    if (machine.sendsLeft > 0 && --machine.sendsLeft === 0) {
      machine.cutPower();
      throw new PowerCut();
    }
    if (!PROMISE.every((byte, i) => bytes[i] === byte)) return;
    const { ballot } = JSON.parse(LATIN1.decode(bytes)) as { ballot: Promised };
    this.#checkers.ballots.promiseLeft(machine.name, ballot, durablePromise(machine));
  }

  /** Looks at what no event tells: promises and commit indexes must not go back, committed lines name the voters. */
  sample(): void {
    for (const machine of this.#scene.machines) {
      const { running } = machine;
      if (running !== null && machine.holds) this.#checkers.commits(machine.name, running.host.commit);
      const promise = durablePromise(machine);
      if (promise !== null) this.#checkers.ballots.promises(machine.name, promise);
    }
    this.readConfigurations();
    if (this.#scene.isSecured)
      for (const machine of this.#scene.machines) this.#checkers.outside(machine.name, memberOf(machine));
    this.#time.at(this.#time.now + SAMPLE_MS, () => this.sample());
  }

  readConfigurations(): void {
    for (const machine of this.#scene.machines) {
      for (const [index, line] of committedLines(machine, this.#configurationsThrough)) {
        this.#checkers.configurations.committedLine(line);
        if (this.#scene.isSecured) this.#checkers.access.committedLine(line);
        this.#configurationsThrough = index;
      }
    }
  }
}
