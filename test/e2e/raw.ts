/** Somebody who speaks the protocol frame by frame: a peer that is none, or another's client. */
import { connect, type Socket } from "node:net";
import { PROTOCOL_VERSION } from "../../src/core/config.ts";
import type { Frame } from "../../src/core/frame.ts";
import type { ProcessKey } from "../../src/core/ids.ts";
import type { Hello } from "../../src/core/message.ts";
import { FrameDecoder } from "../../src/wire/decoder.ts";
import { encodeFrame } from "../../src/wire/encode.ts";

type Of<T extends Frame["type"]> = Extract<Frame, { readonly type: T }>;

export class Raw {
  readonly frames: Frame[] = [];
  readonly closed: Promise<void>;
  readonly #socket: Socket;
  readonly #decoder = new FrameDecoder();
  #wake = () => {};

  constructor(port: number) {
    this.#socket = connect(port, "127.0.0.1");
    this.#socket.on("error", () => {});
    this.closed = new Promise((resolve) => this.#socket.on("close", () => resolve()));
    this.#socket.on("data", (bytes) => {
      this.#decoder.push(bytes as Uint8Array);
      for (let frame = this.#decoder.next(); frame !== null; frame = this.#decoder.next()) {
        if (frame.type === "PING") this.send({ type: "PONG", at: frame.at });
        this.frames.push(frame);
      }
      this.#wake();
    });
  }

  send(...frames: Frame[]): void {
    for (const frame of frames) for (const piece of encodeFrame(frame)) this.#socket.write(piece);
  }

  /** Says who it is; the cluster is the one that the other side names. */
  async greet(as: ProcessKey, over: Partial<Hello> = {}): Promise<Hello> {
    const theirs = await this.next("HELLO");
    const { cluster_id } = theirs;
    const hello = { ...theirs, version: PROTOCOL_VERSION, cluster_id, ...as, host: "127.0.0.1", port: 9 };
    this.send({ ...hello, ...over });
    return theirs;
  }

  /** The first frame of this kind behind those that were there at `from`. */
  async next<T extends Frame["type"]>(type: T, from = 0, ms = 10_000): Promise<Of<T>> {
    const deadline = performance.now() + ms;
    for (;;) {
      const found = this.frames.slice(from).find((f): f is Of<T> => f.type === type);
      if (found !== undefined) return found;
      const left = deadline - performance.now();
      if (left <= 0)
        throw new Error(
          `no ${type} within ${ms} ms, but ${this.frames.map((f) => (f.type === "REFUSE" ? f.message : f.type)).join(", ")}`,
        );
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, left);
        this.#wake = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
  }

  close(): void {
    this.#socket.destroy();
  }
}
