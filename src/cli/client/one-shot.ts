/** `chatpeer send`, `tail` and `status`: commands of a moment for scripts, on a peer that runs somewhere. */
import type { Readable } from "node:stream";
import { type Address, place } from "../../core/address.ts";
import { MESSAGE_BYTES_MAX } from "../../core/config.ts";
import type { Status } from "../../core/reports.ts";
import type { ClientAccess } from "../../core/thin-client.ts";
import { lastMessages } from "../../host/answers/pages.ts";
import { ClientHost } from "../../host/client/client-host.ts";
import { Visitor } from "../../host/client/visitor.ts";
import type { HostEvent, Stopped } from "../../host/events.ts";
import { Asking, Unanswered } from "../chat/asking.ts";
import type { Output } from "../process/output.ts";
import { memberRows, statusLines } from "../screen/answer-rows.ts";
import { inColumns } from "../screen/columns.ts";
import type { Paint } from "../screen/paint.ts";
import { messageLine } from "../screen/text-lines.ts";
import { visible } from "../screen/visible.ts";
import { UsageError } from "../usage/flag-values.ts";
import { askOnce, type VisitPorts } from "./ask-once.ts";

/** Exit code where it is not known whether the message is sent. */
const UNKNOWN = 3;
/** How long a message waits before the reason is told. */
const WAITING_MS = 300;

export interface SendOptions {
  readonly address: Address;
  readonly room: string;
  readonly name: string;
  readonly text: string;
  readonly timeoutMs: number;
}

/** Exit code 0: sent. 1: not sent, and it never will be. 3: not known, and why. */
export function send(ports: VisitPorts, options: SendOptions, err: Output): Promise<number> {
  const { address, room, name, text, timeoutMs } = options;
  const where = place(address);
  return new Promise((resolve) => {
    let said = false;
    /** Why it takes no message now, by the peer's last word. */
    let waiting: string | null = null;
    const end = (code: number, why?: string) => {
      timer.cancel();
      reason.cancel();
      visitor.close();
      if (why !== undefined) err.line(`chatpeer: ${visible(why)}`);
      resolve(code);
    };
    const onStatus = (told: Status) => {
      waiting = told.waiting?.message ?? null;
      if (waiting === null) reason.cancel();
    };
    const reason = ports.clock.after(WAITING_MS, () => {
      if (waiting !== null) err.line(`chatpeer: not sent yet: ${visible(waiting)}`);
    });
    const timer = ports.clock.after(timeoutMs, () => {
      if (!said) return end(1, `not sent: ${where} took no message within ${timeoutMs} ms (${visitor.why})`);
      const why = waiting === null ? "" : ` (${waiting})`;
      end(
        UNKNOWN,
        `not known whether it is sent: no majority confirmed it within ${timeoutMs} ms${why}. What the peer at ${where} has taken, it keeps, and sends when there is one`,
      );
    });
    const visitor = new Visitor(
      ports,
      address,
      {
        attached: () => {
          said = true;
          visitor.ask(1, { what: "say", room_id: room, user: name, payload: text });
        },
        told: (told, request) => {
          if (told.event === "status") onStatus(told);
          else if (request !== 1) return;
          else if (told.event === "sent") end(0);
          else if (told.event === "error") end(1, `not sent: ${told.message}`);
        },
        lost: (why) => {
          if (!said) return end(1, `not sent: cannot reach ${where} (${why}): is a peer running there?`);
          end(UNKNOWN, `not known whether it is sent: the peer at ${where} went before it said so (${why})`);
        },
      },
      ports.token,
    );
  });
}

/** All of a stream as one message, without the newline at its end. Throws UsageError. */
export async function readMessage(input: Readable): Promise<string> {
  const pieces: Uint8Array[] = [];
  let bytes = 0;
  for await (const piece of input) {
    pieces.push(piece as Uint8Array);
    bytes += (piece as Uint8Array).length;
    if (bytes > MESSAGE_BYTES_MAX + 2)
      throw new UsageError(`a message has at most ${MESSAGE_BYTES_MAX} bytes of UTF-8: send it in parts`);
  }
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true })
      .decode(Buffer.concat(pieces))
      .replace(/\r?\n$/, "");
  } catch {
    throw new UsageError("the message is not UTF-8: convert it first (iconv -t utf-8)");
  }
}

/** Exit code 0 if the peer answered. */
export async function status(
  ports: VisitPorts,
  { address, json, timeoutMs }: { address: Address; json: boolean; timeoutMs: number },
  out: Output,
  err: Output,
): Promise<number> {
  const answered = await askOnce(ports, address, { what: "status" }, timeoutMs);
  if (!answered.ok || answered.told.event !== "status") {
    err.line(`chatpeer: ${visible(answered.ok ? "it answered something else" : answered.why)}`);
    return 1;
  }
  const { told } = answered;
  if (json) out.line(JSON.stringify(told));
  else for (const line of inColumns([...statusLines(told), ...memberRows(told)])) out.line(line);
  return 0;
}

export interface TailOptions {
  readonly addresses: readonly Address[];
  readonly access: ClientAccess | null;
  readonly room: string;
  /** From this message on; null: the last ten. */
  readonly since: number | null;
  /** Goes on with what is said from now on. */
  readonly follow: boolean;
  readonly json: boolean;
}

const LAST_SHOWN = 10;

/** Exit code 0 at the end of what was there, when nobody reads on, or when interrupted. */
export function tail(
  ports: VisitPorts,
  { addresses, access, room, since, follow, json }: TailOptions,
  out: Output,
  err: Output,
  paint: Paint,
  signals: (handler: () => void) => void,
): Promise<number> {
  return new Promise((resolve) => {
    const onStopped = ({ code }: Stopped) => {
      asking.stop();
      resolve(code);
    };
    const onEvent = (event: HostEvent) => {
      if (event.event === "started" && since === null) void showLast().catch(stopping);
      if (event.event === "error" || (event.event === "notice" && follow))
        err.line(`chatpeer: ${visible(event.message)}`);
      if (event.event !== "message" || event.room_id !== room || (since !== null && event.seq_no < since)) return;
      const ready = out.line(json ? JSON.stringify(event) : messageLine(event, paint));
      if (out.lost) return service.quit();
      if (ready) return;
      service.pauseDelivery();
      out.resumed(() => (out.lost ? service.quit() : service.resumeDelivery()));
    };
    const showLast = async () => {
      service.pauseDelivery();
      for (const message of await lastMessages(asking, { room, through: service.delivered }, LAST_SHOWN))
        onEvent(message);
      if (!out.behind) service.resumeDelivery();
    };
    const service = new ClientHost(
      ports,
      { addresses, name: "", room, since, follow, ...(access !== null && { access }) },
      { event: onEvent, log: () => {}, writable: () => {}, stopped: onStopped },
    );
    const asking = new Asking(service);
    signals(() => {
      out.hasten();
      service.quit();
    });
    service.start();
  });
}

function stopping(error: unknown): void {
  if (!(error instanceof Unanswered)) throw error;
}
