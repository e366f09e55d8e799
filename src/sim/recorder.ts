/**
 * Records a run: a hash of everything that happened, and the last lines in words. Where a picture is wanted it also
 * records every event, and every frame with the times when it left and arrived.
 */
import type { Frame } from "../core/frame.ts";
import type { ReportEvent, ReportMessage } from "../report/sim-report.ts";
import { FrameDecoder } from "../wire/decoder.ts";
import { CLIENTS_FROM } from "./clients.ts";
import type { NetworkWatcher, WatchedEnd } from "./pair.ts";
import type { VirtualTime } from "./virtual-time.ts";

const LINES_KEPT = 400;

export function siteName(site: number): string {
  return `${site >= CLIENTS_FROM ? "client" : "peer"} ${site}`;
}

export class Recorder {
  readonly #time: VirtualTime;
  readonly #lines: string[] = [];
  /** Two independent 32-bit FNV-1a sums: 64 bits in all. */
  #high = 0x811c9dc5;
  #low = 0x01000193;
  readonly events: ReportEvent[] = [];
  readonly frames: FrameRecorder | null;

  constructor(time: VirtualTime, picture: boolean) {
    this.#time = time;
    this.frames = picture ? new FrameRecorder(time) : null;
  }

  /** `peer` 0: everybody. */
  tell(peer: number, what: string, event: Partial<ReportEvent> & Pick<ReportEvent, "kind">): void {
    const line = `${this.#time.now.toFixed(1).padStart(9)} ${peer === 0 ? "" : `${siteName(peer)} `}${what}`;
    this.#add(line);
    this.#lines.push(line);
    if (this.#lines.length > 2 * LINES_KEPT) this.#lines.splice(0, LINES_KEPT);
    if (this.frames === null) return;
    this.events.push({ atMs: this.#time.now, peer, term: 0, role: "", index: 0, to: 0, note: what, ...event });
  }

  /** The last lines, oldest first. */
  get lines(): readonly string[] {
    return this.#lines.slice(-LINES_KEPT);
  }

  /** Hash of all lines so far, 16 hexadecimal digits. */
  get hash(): string {
    const hex = (n: number) => (n >>> 0).toString(16).padStart(8, "0");
    return hex(this.#high) + hex(this.#low);
  }

  #add(line: string): void {
    for (let i = 0; i < line.length; i++) {
      const code = line.charCodeAt(i);
      this.#high = Math.imul(this.#high ^ code, 0x01000193);
      this.#low = Math.imul(this.#low ^ (code + i), 0x5bd1e995);
    }
  }
}

interface Sending {
  readonly message: { -readonly [K in keyof ReportMessage]: ReportMessage[K] };
  readonly end: WatchedEnd;
  /** Bytes of its connection up to the frame's end. */
  readonly through: number;
}

/** Reads the frames on the virtual wires. */
class FrameRecorder implements NetworkWatcher {
  readonly #time: VirtualTime;
  readonly #streams = new Map<WatchedEnd, { decoder: FrameDecoder; left: number; arrived: number; under: Sending[] }>();
  readonly messages: ReportMessage[] = [];

  constructor(time: VirtualTime) {
    this.#time = time;
  }

  left(end: WatchedEnd, bytes: Uint8Array): void {
    const stream = this.#stream(end);
    stream.left += bytes.length;
    let frame: Frame | null;
    try {
      stream.decoder.push(bytes.slice());
      frame = stream.decoder.next();
    } catch {
      return; // what strangers send need not be frames
    }
    for (; frame !== null; frame = stream.decoder.next()) {
      const message = {
        sentMs: this.#time.now,
        arrivedMs: null,
        from: end.machine,
        to: end.towards,
        frame: frame.type,
        term: "ballot" in frame && frame.ballot !== null ? frame.ballot.term : 0,
        note: describeFrame(frame),
      };
      this.messages.push(message);
      stream.under.push({ message, end, through: stream.left });
    }
  }

  arrived(end: WatchedEnd, bytes: number): void {
    const stream = this.#stream(end);
    stream.arrived += bytes;
    while (stream.under[0] !== undefined && stream.under[0].through <= stream.arrived) {
      const { message } = stream.under.shift() as Sending;
      message.arrivedMs = this.#time.now;
      message.to = end.towards;
    }
  }

  #stream(end: WatchedEnd) {
    let stream = this.#streams.get(end);
    if (stream === undefined) {
      stream = { decoder: new FrameDecoder(), left: 0, arrived: 0, under: [] };
      this.#streams.set(end, stream);
    }
    return stream;
  }
}

/** The fields that tell a reader what a frame is about. */
function describeFrame(frame: Frame): string {
  const shown: string[] = [];
  for (const [name, value] of Object.entries(frame)) {
    if (name === "type" || name === "prev_crc" || name === "peer") continue;
    if (name === "entries") shown.push(`${(value as unknown[]).length} entries`);
    else if (name === "messages") shown.push(`${(value as unknown[]).length} messages`);
    else if (name === "members") shown.push(`${(value as unknown[]).length} members`);
    else if (name.includes("ballot") || name === "promised") shown.push(`${name} ${ballotText(value)}`);
    else if (value !== null && typeof value === "object") shown.push(`${name} ${JSON.stringify(value)}`);
    else if (value !== null) shown.push(`${name} ${value}`);
  }
  return shown.join(", ");
}

function ballotText(value: unknown): string {
  if (value === null) return "none";
  const { term, leader_id } = value as { term: number; leader_id: number };
  return `${term}.${leader_id}`;
}
