/** Thin clients in a drawn plan [S8]: they talk, and have faults of their own beside those of the peers. */
import { CLIENTS_FROM } from "./clients.ts";
import type { Verb } from "./plan.ts";
import { seeded } from "./virtual-time.ts";

type Drawn = readonly [at: number, verb: Verb, args: readonly (number | string)[]];

const CLIENTS_MAX = 3;
/** The peers have usually met by then. */
const ATTACH_MS = 1500;
/** A client that could not attach, or has ended, is started again after about this time. */
const AGAIN_MS = 6000;
const AWAY_MS_MAX = 4000;
const CUT_MS_MAX = 8000;
const PAUSE_MS_MAX = 6000;

export function drawClients(seed: number, peers: number, untilMs: number, faults: boolean): Drawn[] {
  const random = seeded(seed ^ 0xc11e47);
  const below = (count: number) => Math.floor(random() * count);
  const steps: Drawn[] = [];
  const count = 1 + below(CLIENTS_MAX);
  for (let site = CLIENTS_FROM; site < CLIENTS_FROM + count; site++) {
    const peer = () => 1 + below(peers);
    const pause = 200 + random() * 1500;
    const gap = 3000 + random() * 8000;
    let said = 0;
    for (let at = ATTACH_MS * random(); at < untilMs; at += random() * 2 * AGAIN_MS)
      steps.push([at, "attach", [site, peer()]]);
    for (let at = ATTACH_MS; at < untilMs; at += random() * 2 * pause)
      steps.push([at, "say", [site, `note ${site} ${said++}`]]);
    for (let at = ATTACH_MS; faults && at < untilMs; at += random() * 2 * gap) {
      const what = below(6);
      if (what < 2) {
        steps.push([at, what === 0 ? "kill" : "vanish", [site]]);
        steps.push([at + random() * AWAY_MS_MAX, "attach", [site, peer()]]);
      } else if (what === 2) steps.push([at, "pause", [site, Math.round(random() * PAUSE_MS_MAX)]]);
      else if (what === 3) steps.push([at, "reset", [site, peer()]]);
      else {
        steps.push(what === 4 ? [at, "isolate", [site]] : [at, "cut", [site, peer()]]);
        steps.push([at + random() * CUT_MS_MAX, "heal", [site]]);
      }
    }
  }
  return steps;
}
