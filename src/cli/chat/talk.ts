/** Starts a chat, of a peer in this process or of any other service, and gives its exit code when it has ended. */
import { DEFAULT_ENGINE } from "../../engines/default.ts";
import type { Clock } from "../../host/contracts.ts";
import { Host } from "../../host/host.ts";
import type { HostListener, Ports } from "../../host/host-contract.ts";
import type { Service } from "../../host/service.ts";
import { loadFace } from "../faces/load-face.ts";
import { Chat } from "./chat.ts";
import type { ChatOptions, Streams, Talking } from "./talk-options.ts";

export function runChat(
  ports: Ports,
  options: ChatOptions,
  streams: Streams,
  signals: (handler: (signal: string) => void) => void,
): Promise<number> {
  return talk(
    ports.clock,
    // A screen shows the last messages anyway; a script has every one, also what a killed process had not written yet.
    (listener) =>
      new Host(
        ports,
        { ...options, engine: DEFAULT_ENGINE.create, acknowledges: options.mode !== "terminal" },
        listener,
      ),
    { ...options, senderId: options.id },
    streams,
    signals,
  );
}

/** The same with any service. */
export async function talk(
  clock: Clock,
  makeService: (listener: HostListener) => Service,
  options: Talking,
  streams: Streams,
  signals: (handler: (signal: string) => void) => void,
): Promise<number> {
  const makeFace = await loadFace(options.mode, streams.error);
  return new Promise((resolve) => {
    const chat = new Chat(clock, makeService, makeFace, options, streams, resolve);
    signals((signal) => chat.onSignal(signal));
    chat.start();
  });
}
