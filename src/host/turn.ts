/**
 * The loop: the engine decides on everything that came in since the last turn, and its outputs are carried out in
 * order. There is one turn for everything that arrives together.
 */
import type { LogIndex } from "../core/ids.ts";
import type { Output } from "../engines/engine.ts";
import type { Timer } from "./contracts.ts";
import type { Stopped } from "./events.ts";
import type { HostListener } from "./host-contract.ts";
import type { Presence } from "./net/presence.ts";
import { refusalFor } from "./net/refusal.ts";
import type { Started } from "./parts.ts";
import type { Telling } from "./telling.ts";
import type { Whole } from "./whole.ts";

export interface TurnHost extends Pick<Whole, "clock" | "input" | "guarded" | "event" | "log"> {
  readonly listener: HostListener;
  readonly presence: Presence;
  readonly telling: Telling;
  isStopping(): boolean;
  /** Whether this process still has the directory; if not, the peer has ended. */
  holds(): boolean;
  /** Everything through this index is committed. */
  deliver(through: LogIndex): void;
  end(stopped: Stopped): void;
}

export class Turn {
  readonly #host: TurnHost;
  readonly #parts: Started;
  #scheduled = false;
  #timer: Timer | null = null;

  constructor(host: TurnHost, parts: Started) {
    this.#host = host;
    this.#parts = parts;
  }

  /** Plans a turn soon, one for all calls until then. */
  schedule(): void {
    if (this.#scheduled || this.#host.isStopping()) return;
    this.#scheduled = true;
    this.#host.clock.soon(() => this.#run());
  }

  stop(): void {
    this.#timer?.cancel();
    this.#parts.access.stop();
  }

  #run(): void {
    this.#scheduled = false;
    const { engine, peer, directory, intake, meeting, access, clients, security, gate } = this.#parts;
    if (!this.#host.holds()) return;
    intake.keep(engine);
    engine.settle(this.#host.clock.now());
    this.#host.guarded(() => {
      for (const output of engine.takeOutputs()) {
        this.#carryOut(output);
        if (this.#host.isStopping()) return;
      }
      engine.carriedOut(this.#parts.delivery.cursor);
      directory.store.flush();
    });
    if (this.#host.isStopping()) return;
    security.onTurn(peer);
    gate.onTurn(peer);
    if (this.#host.isStopping()) return;
    meeting.updateTargets(peer);
    this.#host.telling.onTurn(peer);
    access.onTurn(peer);
    this.#host.guarded(() => clients.onTurn());
    if (this.#host.isStopping()) return;
    if (intake.hasRoomAgain(peer)) this.#host.listener.writable();
    this.#host.listener.turned?.();
    this.#timer?.cancel();
    this.#timer = this.#host.clock.after(Math.max(0, engine.wakeAt() - this.#host.clock.now()), () => {
      this.#timer = null;
      this.#host.input({ type: "tick" });
    });
  }

  #carryOut(output: Output): void {
    const { peer, writer, links, directory } = this.#parts;
    switch (output.do) {
      case "append":
      case "truncate":
        return writer.write(output);
      case "promise":
        return writer.promise(output.ballot);
      case "send":
        return links.send(output.link, output.frame);
      case "serve":
        return this.#parts.serving.serve(peer, output);
      case "commit":
        this.#host.deliver(output.through);
        return this.#host.listener.committed?.();
      case "sent":
        return this.#parts.intake.onSent(output.entries);
      case "renamed":
        return this.#parts.intake.onRenamed(output);
      case "answer-client":
        return this.#parts.clients.answer(output.client, output.frame);
      case "role":
        this.#host.log("info", `role ${output.role}, term ${output.term}, leader ${output.leader_id ?? "none"}`);
        return this.#host.event({ event: "role", role: output.role, term: output.term, leader_id: output.leader_id });
      case "member":
        return this.#host.presence.onMember({ event: "member", id: output.id, state: output.state, role: output.role });
      case "refuse":
        return links.refuse(output.link, refusalFor(output));
      case "damaged":
        return directory.markDamage(output.from);
      case "repaired":
        return directory.clearDamage();
      case "unsent":
        return this.#host.telling.onUnsent(output);
      case "twins":
        return this.#parts.meeting.standAside(peer, output.at);
      case "access":
        return this.#parts.access.onAnswer(output);
      case "notice": {
        const { code, message } = output;
        this.#host.log("info", message);
        this.#host.event({ event: "notice", code, message });
        return this.#parts.access.onNotice({ event: "notice", code, message });
      }
      case "debug":
        return this.#host.log("debug", output.message);
      case "stop": {
        const kept = peer.pending;
        if (kept > 0) {
          this.#host.event({
            event: "notice",
            code: "kept",
            message: `${kept === 1 ? "1 message is" : `${kept} messages are`} not sent yet: what is pending is kept and goes out at the next start`,
          });
        }
        const last = peer.lastWords();
        if (last !== null) this.#host.event({ event: "notice", code: "last-voter", message: last });
        return this.#host.end({ code: 0, reason: output.reason });
      }
    }
  }
}
