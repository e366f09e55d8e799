/**
 * Clients of one peer in a process of their own, so that what they do costs the others no more than it would from another
 * machine: `client.ts talk|flood|search HOST:PORT NAME COUNT`, until it is killed. `talk` and `search` print a line of
 * milliseconds for each message or search.
 */
import { platformVisit } from "../src/adapters/platform.ts";
import { lastMessages } from "../src/host/answers/pages.ts";
import { ClientHost } from "../src/host/client/client-host.ts";
import type { HostListener } from "../src/host/host-contract.ts";

const ROOM = "general";
const TEXT = "x".repeat(100);
/** Between two messages of somebody who talks. */
const PAUSE_MS = 50;
/** In no message of a flood. */
const NOWHERE = "nowhere";
const FOUND_MAX = 20;

const [kind, where = "", name = "", count = "1"] = process.argv.slice(2);
const [host = "", port] = where.split(":");
const ports = platformVisit();

function client(as: string, listener: Partial<HostListener>): ClientHost {
  const addresses = [{ host, port: Number(port) }];
  const silent = { event: () => {}, log: () => {}, writable: () => {}, stopped: () => process.exit(1) };
  const made = new ClientHost(
    ports,
    { addresses, name: as, room: ROOM, since: null, follow: true },
    { ...silent, ...listener },
  );
  made.start();
  return made;
}

function tell(ms: number): void {
  process.stdout.write(`${ms}\n`);
}

function flood(as: string): void {
  const fill = () => {
    while (flooding.submit(ROOM, TEXT).ok);
  };
  const flooding = client(as, { event: ({ event }) => event === "started" && fill(), writable: fill });
}

/** From a message's submission to its delivery here; the next one is said when it has come. */
function talk(as: string): void {
  let said = { text: "", at: 0 };
  let number = 0;
  const say = () => {
    number += 1;
    said = { text: `${as} ${number}`, at: performance.now() };
    talking.submit(ROOM, said.text);
  };
  const talking = client(as, {
    event: (told) => {
      if (told.event === "started") return say();
      if (told.event !== "message" || told.payload !== said.text) return;
      tell(performance.now() - said.at);
      setTimeout(say, PAUSE_MS);
    },
  });
}

/** The whole past, again and again, for a text that is not there. */
function search(as: string): void {
  const asked = {
    ask: (question: Parameters<ClientHost["ask"]>[0]) =>
      new Promise<never>((answer) => searching.ask(question, answer as never)),
  };
  const searching = client(as, {
    async event({ event }) {
      if (event !== "started") return;
      for (;;) {
        const began = performance.now();
        await lastMessages(asked, { room: ROOM, through: searching.delivered }, FOUND_MAX, NOWHERE);
        tell(performance.now() - began);
      }
    },
  });
}

const does = { talk, flood, search }[kind ?? ""];
if (does === undefined) throw new Error(`a client talks, floods or searches, and does not ${kind}`);
for (let i = 1; i <= Number(count); i++) does(`${name}${i}`);
