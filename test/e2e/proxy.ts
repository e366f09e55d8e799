/**
 * A network that can be cut: every peer advertises a proxy's address, the proxy reads from the first line (HELLO) who
 * dials, and a cut between two peers holds back every byte between them, as a dropped cable does: nobody is told. It can
 * also be far: then every piece takes its time, and some are lost once and come again a second later.
 */
import { connect, createServer, type Server, type Socket } from "node:net";

interface Pipe {
  readonly from: number;
  readonly to: number;
  readonly outer: Socket;
  readonly inner: Socket;
  /** First bytes, until they may pass. */
  head: Buffer | null;
}

/** Milliseconds each way, and how many of a hundred pieces are lost once. */
export interface Distance {
  readonly ms: number;
  readonly lostPercent: number;
}

/** A kernel sends a lost piece again after about so long. */
const RESENT_MS = 1000;

export class CuttableNetwork {
  readonly #distance: Distance | null;
  readonly #servers: Server[] = [];
  readonly #pipes = new Set<Pipe>();
  readonly #cuts = new Set<string>();

  constructor(distance: Distance | null = null) {
    this.#distance = distance;
  }

  /** Opens a proxy in front of a peer's port and returns its own. */
  front(id: number, port: number): Promise<number> {
    const server = createServer((outer) => this.#accept(id, port, outer));
    this.#servers.push(server);
    return new Promise((resolve) =>
      server.listen(0, "127.0.0.1", () => resolve((server.address() as { port: number }).port)),
    );
  }

  /** Cuts every link between the two groups. */
  cut(a: readonly number[], b: readonly number[]): void {
    for (const x of a) for (const y of b) this.#cuts.add(name(x, y));
    for (const pipe of this.#pipes) this.#apply(pipe);
  }

  /** Everybody reaches everybody again; what was held back flows. */
  heal(): void {
    this.#cuts.clear();
    for (const pipe of this.#pipes) this.#apply(pipe);
  }

  async close(): Promise<void> {
    for (const { outer, inner } of this.#pipes) {
      outer.destroy();
      inner.destroy();
    }
    await Promise.all(this.#servers.map((s) => new Promise((resolve) => s.close(resolve))));
  }

  #accept(to: number, port: number, outer: Socket): void {
    let head = Buffer.alloc(0);
    outer.on("error", () => outer.destroy());
    const read = (bytes: Buffer) => {
      head = Buffer.concat([head, bytes]);
      const newline = head.indexOf(0x0a);
      if (newline < 0) return;
      outer.off("data", read);
      outer.pause();
      const from: number = JSON.parse(head.subarray(0, newline).toString()).id;
      this.#join(from, to, port, outer, head);
    };
    outer.on("data", read);
  }

  #join(from: number, to: number, port: number, outer: Socket, head: Buffer): void {
    const inner = connect(port, "127.0.0.1");
    const pipe: Pipe = { from, to, outer, inner, head };
    this.#pipes.add(pipe);
    const over = () => {
      this.#pipes.delete(pipe);
      outer.destroy();
      inner.destroy();
    };
    for (const socket of [outer, inner]) {
      socket.on("error", over);
      socket.on("close", () => (this.#isCut(pipe) ? undefined : over()));
    }
    for (const [source, sink] of [
      [outer, inner],
      [inner, outer],
    ] as const) {
      const far = this.#distance === null ? null : new Way(this.#distance, sink);
      // Under a flood the slower side sets the pace: what waits here would be in nobody's books.
      source.on("data", (bytes) => (far === null ? sink.write(bytes) || source.pause() : far.carry(bytes)));
      sink.on("drain", () => this.#isCut(pipe) || source.resume());
    }
    this.#apply(pipe);
  }

  #isCut({ from, to }: Pipe): boolean {
    return this.#cuts.has(name(from, to));
  }

  #apply(pipe: Pipe): void {
    if (pipe.head !== null && !this.#isCut(pipe)) {
      pipe.inner.write(pipe.head);
      pipe.head = null;
    }
    for (const socket of [pipe.outer, pipe.inner]) {
      if (this.#isCut(pipe)) socket.pause();
      else socket.resume();
    }
  }
}

/** One direction of a far connection: pieces arrive late and in order. */
class Way {
  readonly #distance: Distance;
  readonly #sink: Socket;
  #lastArrival = 0;

  constructor(distance: Distance, sink: Socket) {
    this.#distance = distance;
    this.#sink = sink;
  }

  carry(bytes: Uint8Array | string): void {
    const { ms, lostPercent } = this.#distance;
    const isLost = Math.random() * 100 < lostPercent;
    const now = performance.now();
    // What is behind a lost piece waits for it, and timers of one time fire in the order they were set.
    this.#lastArrival = Math.max(this.#lastArrival, Math.ceil(now + ms + (isLost ? RESENT_MS : 0)));
    setTimeout(() => this.#sink.destroyed || this.#sink.write(bytes), this.#lastArrival - now);
  }
}

function name(a: number, b: number): string {
  return a < b ? `${a}-${b}` : `${b}-${a}`;
}
