/** One question to one peer, for commands of a moment. */
import { type Address, place } from "../../core/address.ts";
import type { Question, Told } from "../../core/reports.ts";
import type { DialOptions } from "../../host/client/dial.ts";
import { Visitor } from "../../host/client/visitor.ts";

export interface VisitPorts extends DialOptions {
  /** What lets one in where the cluster is secured. */
  readonly token?: string;
}

export type Answered = { readonly ok: true; readonly told: Told } | { readonly ok: false; readonly why: string };

/** What the peer answers, or why it does not. Never rejects. */
export function askOnce(ports: VisitPorts, address: Address, question: Question, timeoutMs: number): Promise<Answered> {
  const where = place(address);
  return new Promise((resolve) => {
    const end = (answered: Answered) => {
      timer.cancel();
      visitor.close();
      resolve(answered);
    };
    const timer = ports.clock.after(timeoutMs, () =>
      end({ ok: false, why: `${where} gave no answer within ${timeoutMs} ms (${visitor.why})` }),
    );
    const visitor = new Visitor(
      ports,
      address,
      {
        attached: () => visitor.ask(1, question),
        told: (told, request) => {
          if (request === 1) end({ ok: true, told });
        },
        lost: (why) => end({ ok: false, why: `cannot reach ${where} (${why}): is a peer running there?` }),
      },
      ports.token,
    );
  });
}
