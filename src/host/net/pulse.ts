/**
 * Keeps links alive, gives up those on which nothing is heard, and measures what they carry: round trips [E15], and how
 * much bulk may be under way [R10].
 */
import type { LinkId } from "../../core/ids.ts";
import type { DiskTimes, Ping, Pong } from "../../core/message.ts";
import { encodeFrame } from "../../wire/encode.ts";
import type { Clock, Timer } from "../contracts.ts";
import type { Channel } from "./channel.ts";
import type { Link } from "./link.ts";
import type { LinkOptions } from "./link-options.ts";

/** Where there is always something to send, the round trip is measured this often, in heartbeat intervals. */
const MEASURE_EVERY_HEARTBEATS = 5;
/** So many times within the silence that is borne something is sent, and the round trip measured, where that is long [R10]. */
const [HEARD_PER_SILENCE, MEASURED_PER_SILENCE] = [4, 2];
const NO_DISK: DiskTimes = { mean: 0, bound: 0 };

export class Pulse {
  readonly #options: Pick<LinkOptions, "clock" | "timings" | "holds" | "disk" | "silenceMax" | "events">;
  readonly #clock: Clock;
  readonly #channels: ReadonlySet<Channel>;
  readonly #links: ReadonlyMap<LinkId, Link>;
  readonly #onBeatEnd: () => void;
  /** The last PING of each that came while this process did not know that it holds its directory. */
  readonly #unanswered = new Map<Channel, number>();
  #timer: Timer | null = null;
  #dueAt = 0;
  #wallDueAt = 0;

  /** `channels` and `links` are the ones of now, as their owner changes them; `onBeatEnd` is called after each beat. */
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
    // Whoever stood still while another process took over the directory does not say that it lives; one that still has
    // it does as soon as it knows that, because the other side asks one thing at a time.
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
    // While a process stands still, or a cable is pulled, nothing at all is heard: that time is not the line's.
    const { silence } = link.channel;
    const still = silence > this.#options.timings.leaderTimeout ? silence : 0;
    link.roundTrip = Math.max(0, now - at - still);
    this.#options.events.measured(link.id, link.roundTrip, disk ?? NO_DISK);
  }

  /** Keeps the connection alive; where no measurement is under way it begins one. */
  ping(channel: Channel, link: Link | undefined): void {
    const at = channel.ping();
    if (link === undefined || link.askedAt !== null) return;
    link.askedAt = at;
    channel.silence = 0;
  }

  tellWindow(link: Link): void {
    if (link.channel.window.size !== link.window) this.#tellFlow(link, false, null);
  }

  /** Tells of frames that take longer than a heartbeat interval: that nothing else is heard of them says nothing. */
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
    this.#schedule();
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
    // The clock of a machine that sleeps stands still too, but for the one that shows the time of day.
    const away = Math.max(late, this.#clock.wall() - this.#wallDueAt);
    if (away > 2 * timings.leaderTimeout) this.#options.events.goesOn(away);
    for (const [channel, at] of this.#unanswered) this.onPing(channel, { type: "PING", at });
    for (const channel of this.#channels) {
      // Being late ourselves, we heard nothing because we did not listen.
      if (late > heartbeat) channel.heardAt += late;
      if (!channel.isGreeted) continue;
      const link = channel.link === null ? undefined : this.#links.get(channel.link);
      // What was asked before this process stood still is answered in its own time.
      if (link !== undefined && late > heartbeat) link.askedAt = null;
      const silence = link === undefined ? 2 * timings.leaderTimeout : silenceMax(link.id);
      if (now - channel.heardAt > silence) {
        channel.destroy("silent");
        continue;
      }
      const every = Math.max(MEASURE_EVERY_HEARTBEATS * heartbeat, silence / MEASURED_PER_SILENCE);
      const isDue = link?.askedAt === null && now - link.measuredAt >= every;
      // A narrow line has better things to carry than more of them.
      const idle = Math.max(heartbeat, Math.min(silence / HEARD_PER_SILENCE, timings.leaderTimeout));
      if (isDue || channel.window.hasUnmarked || now - channel.sentAt >= idle) this.ping(channel, link);
      if (link !== undefined) this.#tellProgress(link, now);
    }
    this.#onBeatEnd();
    this.#schedule();
  }
}
