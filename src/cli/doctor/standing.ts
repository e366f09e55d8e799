/** How a peer that answers fares, in its own words: whom it waits for, and what it cannot write. */
import { type Address, place } from "../../core/address.ts";
import type { Status } from "../../core/reports.ts";
import { Visitor } from "../../host/client/visitor.ts";
import { type Finding, problem } from "./finding.ts";
import type { AskingPorts } from "./greeting.ts";

/** Null where it does not say so in time. Never throws. */
export function askStatus(ports: AskingPorts, address: Address, timeoutMs: number): Promise<Status | null> {
  return new Promise((resolve) => {
    const end = (status: Status | null) => {
      timer.cancel();
      visitor.close();
      resolve(status);
    };
    const timer = ports.clock.after(timeoutMs, () => end(null));
    const visitor = new Visitor(ports, address, {
      attached: () => visitor.ask(1, { what: "status" }),
      told: (told, request) => {
        if (told.event === "status" && request === 1) end(told);
      },
      lost: () => end(null),
    });
  });
}

export function judgeStanding(address: Address, { waiting, troubles }: Status): Finding[] {
  const about = place(address);
  return [
    ...(waiting === null ? [] : [problem(about, "waiting", waiting.message)]),
    ...troubles.map(({ message }) => problem(about, "trouble", message)),
  ];
}
