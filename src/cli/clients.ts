/** Runs `connect`, `send`, `tail` and `status` on this machine's clock and network. */
import type { Readable, Writable } from "node:stream";
import { platformClock, platformNetwork } from "../adapters/platform.ts";
import { ClientHost } from "../host/client-host.ts";
import { talk } from "./chat.ts";
import { type CLIENT_COMMANDS, readConnect, readSend, readStatus, readTail } from "./client-flags.ts";
import { readMessage, send, status, tail } from "./one-shot.ts";
import type { Output } from "./output.ts";
import { paintFor } from "./paint.ts";

export interface Console {
  readonly input: Readable;
  readonly output: Writable & { isTTY?: boolean };
  readonly error: Writable & { isTTY?: boolean };
  readonly out: Output;
  readonly err: Output;
  signals(handler: (signal: string) => void): void;
}

export async function runClientCommand(
  command: (typeof CLIENT_COMMANDS)[number],
  args: readonly string[],
  words: readonly string[],
  switches: ReadonlySet<string>,
  { input, output, error, out, err, signals }: Console,
): Promise<number> {
  const ports = { clock: platformClock(), network: platformNetwork() };
  switch (command) {
    case "connect": {
      const { address, talk: options, receipts } = readConnect(args, words, switches);
      const history = options.mode === "terminal" ? options.history : 0;
      const { name, room } = options;
      const begin = { history };
      return talk(
        (listener) =>
          new ClientHost(ports, { addresses: [address], name, room, begin, receipts, follow: true }, listener),
        options,
        { input, output, error },
        signals,
      );
    }
    case "send": {
      const { options, text } = readSend(args, words);
      return send(ports, { ...options, text: text ?? (await readMessage(input)) }, err);
    }
    case "tail":
      return tail(ports, readTail(args, words, switches), out, err, paintFor(output), signals);
    case "status":
      return status(ports, readStatus(args, words, switches), out, err);
  }
}
