/**
 * Keeps links alive, gives up silent ones, and measures what they carry: round trips [E15], and how much bulk may be
 * under way [R10].
 */
import type { LinkId } from "../../core/ids.ts";
import type { DiskTimes, Ping, Pong } from "../../core/message.ts";
import { encodeFrame } from "../../wire/encode.ts";
import type { Clock, Timer } from "../contracts.ts";
import type { Channel } from "./channel.ts";
import type { Link } from "./link.ts";
import type { LinkOptions } from "./link-options.ts";

/** Heartbeat intervals between two measurements of the round trip, on links where there is always something to send. */
const MEASURE_EVERY_HEARTBEATS = 5;
/**
 * How many times something is sent, and the round trip measured, within the silence that is tolerated, where that is
 * long [R10].
 */
const [HEARD_PER_SILENCE, MEASURED_PER_SILENCE] = [4, 2];
const NO_DISK: DiskTimes = { mean: 0, bound: 0 };

export class Pulse {
  readonly #options: Pick<LinkOptions, "clock" | "timings" | "holds" | "disk" | "silenceMax" | "events">;
  readonly #clock: Clock;
  readonly #channels: ReadonlySet<Channel>;
  readonly #links: ReadonlyMap<LinkId, Link>;
  readonly #onBeatEnd: () => void;
  /** The last PING on each connection that came while this process did not know that it holds its directory. */
  readonly #unanswered = new Map<Channel, number>();
  #timer: Timer | null = null;
  #dueAt = 0;
  #wallDueAt = 0;

  /** `channels` and `links` are live: their owner changes them. `onBeatEnd` is called after each beat. */
  constructor(
    options: Pick<LinkOptions, "clock" | "timings" | "holds" | "disk" | "silenceMax" | "events">,
    channels: ReadonlySet<Channel>,
    links: ReadonlyMap<LinkId, Link>,
    onBeatEnd: () => void,
  ) {
    this.#options = options;
    this.#clock = options.clock;
    this.#channels = channels;
    this.#links = links;
    this.#onBeatEnd = onBeatEnd;
  }

  onPing(channel: Channel, { at }: Ping): void {
    // A process that stood still while another one took over its directory must not say that it lives. One that still
    // has its directory answers as soon as it knows that, because the other side asks one thing at a time.
    if (!this.#options.holds()) return void this.#unanswered.set(channel, at);
    this.#unanswered.delete(channel);
    channel.write(encodeFrame({ type: "PONG", at, disk: this.#options.disk() }), false);
  }

  onPong(link: Link | undefined, { at, disk }: Pong): void {
    if (link === undefined) return;
    this.tellWindow(link);
    if (link.askedAt !== at) return;
    const now = this.#clock.now();
    link.askedAt = null;
    link.measuredAt = now;
    // While a process stands still, or a cable is pulled, nothing at all is heard. That time does not measure the line.
    const { silence } = link.channel;
    const still = silence > this.#options.timings.leaderTimeout ? silence : 0;
    link.roundTrip = Math.max(0, now - at - still);
    this.#options.events.measured(link.id, link.roundTrip, disk ?? NO_DISK);
  }

  /** Keeps the connection alive; begins a measurement where none is under way. */
  ping(channel: Channel, link: Link | undefined): void {
    const at = channel.ping();
    if (link === undefined || link.askedAt !== null) return;
    link.askedAt = at;
    channel.silence = 0;
  }

  tellWindow(link: Link): void {
    if (link.channel.window.size !== link.window) this.#tellFlow(link, false, null);
  }

  /**
   * Reports frames that take longer than a heartbeat interval: silence means nothing while such a frame is on its way.
   */
  #tellProgress(link: Link, now: number): void {
    const { channel } = link;
    const { heartbeat, leaderTimeout } = this.#options.timings;
    const isHeard = now - channel.heardAt <= leaderTimeout;
    const receives = isHeard && now - (channel.receivesSince ?? now) > heartbeat;
    const sends = isHeard && now - (channel.window.waitsSince ?? now) > heartbeat;
    if (receives || sends) this.#tellFlow(link, receives, sends ? channel.window.arrivedUntil : null);
  }

  #tellFlow(link: Link, receives: boolean, arrivedUntil: number | null): void {
    const { size: window, frame } = link.channel.window;
    link.window = window;
    this.#options.events.flow(link.id, { window, frame, receives, arrivedUntil });
  }

  start(): void {
    if (this.#timer === null) this.#schedule();
  }

  stop(): void {
    this.#timer?.cancel();
  }

  /** The connection is closed. */
  forget(channel: Channel): void {
    this.#unanswered.delete(channel);
  }

  #schedule(): void {
    const every = this.#options.timings.heartbeat;
    this.#dueAt = this.#clock.now() + every;
    this.#wallDueAt = this.#clock.wall() + every;
    this.#timer = this.#clock.after(every, () => this.#onBeat());
  }

  #onBeat(): void {
    const now = this.#clock.now();
    const late = Math.max(0, now - this.#dueAt);
    const { timings, silenceMax } = this.#options;
    const { heartbeat } = timings;
    // While a machine sleeps its monotonic clock stands still too; only the wall clock goes on.
    const away = Math.max(late, this.#clock.wall() - this.#wallDueAt);
    if (away > 2 * timings.leaderTimeout) this.#options.events.goesOn(away);
    for (const [channel, at] of this.#unanswered) this.onPing(channel, { type: "PING", at });
    for (const channel of this.#channels) {
      // This process was late, so it heard nothing because it did not listen.
      if (late > heartbeat) channel.heardAt += late;
      // The handshake has a time limit of its own.
      if (!channel.isGreeted || channel.isStranger) continue;
      const link = channel.link === null ? undefined : this.#links.get(channel.link);
      // An answer to what was asked before this process stood still measures nothing.
      if (link !== undefined && late > heartbeat) link.askedAt = null;
      const silence = link === undefined ? channel.silenceBorne(heartbeat, timings.leaderTimeout) : silenceMax(link.id);
      if (now - channel.heardAt > silence) {
        channel.destroy("silent");
        continue;
      }
      const every = Math.max(MEASURE_EVERY_HEARTBEATS * heartbeat, silence / MEASURED_PER_SILENCE);
      const isDue = link?.askedAt === null && now - link.measuredAt >= every;
      // A narrow line should not carry more of them.
      const idle = Math.max(heartbeat, Math.min(silence / HEARD_PER_SILENCE, timings.leaderTimeout));
      if (isDue || channel.window.hasUnmarked || now - channel.sentAt >= idle) this.ping(channel, link);
      if (link !== undefined) this.#tellProgress(link, now);
    }
    this.#onBeatEnd();
    this.#schedule();
  }
}
