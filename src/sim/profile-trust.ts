/**
 * What happens in a secured cluster [A3] to [A7], drawn from a seed: peers join by invitation, one after the other; and
 * later some are evicted and come back with empty directories, as they may and as they may not.
 */
import type { Verb } from "./plan.ts";

type Drawn = [at: number, verb: Verb, args: (number | string)[]];

/** The founder takes its first guest. */
const FIRST_MS = 600;
/** Longest times between the steps of one story. */
const STEP_MS = 2500;

/** The others come in as the first one, or one that is in already, invites them. */
export function drawArrivals(random: () => number, peers: number): Drawn[] {
  const drawn: Drawn[] = [[0, "start", [1]]];
  let at = FIRST_MS;
  for (let peer = 2; peer <= peers; peer++) {
    const host = random() < 0.6 ? 1 : 1 + Math.floor(random() * (peer - 1));
    drawn.push([at, "invite", [host, peer]]);
    at += random() * STEP_MS;
  }
  return drawn;
}

type Story = (who: number, by: number, other: number, random: () => number) => [Verb, (number | string)[]][];

const STORIES: readonly Story[] = [
  // Evicted while it lives, or is just away; it goes on as if it were none of its business.
  (who, by) => [["evict", [by, who]]],
  (who, by) => [
    ["isolate", [who]],
    ["evict", [by, who]],
    ["heal", [who]],
  ],
  // It comes back as it should: with an empty directory, and an invitation.
  (who, by, other) => [
    ["evict", [by, who]],
    ["wipe", [who]],
    ["invite", [other, who]],
  ],
  // Two come with one invitation, through whichever members they reach first.
  (who, by, other) => [
    ["evict", [by, who]],
    ["evict", [by, other]],
    ["wipe", [who]],
    ["wipe", [other]],
    ["invite", [by, `${who},${other}`]],
    ["invite", [by, `${who},${other}`, 2]],
  ],
  // The leader dies between append and commit; wherever it is.
  (who, by, other) => [
    ["evict", [by, who]],
    ["wipe", [who]],
    ["invite", [by, who]],
    ["kill", [other]],
    ["start", [other]],
  ],
  // Over before it is used; the secret guessed; of the wrong kind; revoked.
  (who, by, _other, random) => [
    ["evict", [by, who]],
    ["wipe", [who]],
    ["invite", [by, who, 1, Math.round(1 + random() * 30)]],
    ["wall-clock", [by, -3_600_000]],
    ["guess", [who]],
    ["misinvite", [by, who]],
    ["invite", [by, who]],
    ["revoke", [by, who]],
  ],
  // Its place is not free because it is away, nor because somebody has an invitation.
  (who, by) => [
    ["wipe", [who]],
    ["invite", [by, who]],
    ["evict", [by, who]],
    ["invite", [by, who]],
  ],
  // A thief of ids without the keys.
  (who, by) => [
    ["usurp", [by, 3, who]],
    ["forge", [who, by, 2]],
    ["knock", [by, 3]],
  ],
];

export function drawStories(random: () => number, peers: number, from: number, untilMs: number): Drawn[] {
  const drawn: Drawn[] = [];
  if (peers < 3) return drawn;
  const gap = 4000 + random() * 12_000;
  for (let at = from; at < untilMs; at += random() * 2 * gap) {
    const [who, by, other] = three(peers, random);
    const story = STORIES[Math.floor(random() * STORIES.length)] as Story;
    let when = at;
    for (const [verb, args] of story(who, by, other, random)) {
      drawn.push([when, verb, args]);
      when += random() * STEP_MS;
    }
  }
  return drawn;
}

/** Different ones. */
function three(peers: number, random: () => number): [number, number, number] {
  const all = Array.from({ length: peers }, (_, i) => i + 1);
  const take = () => all.splice(Math.floor(random() * all.length), 1)[0] as number;
  return [take(), take(), take()];
}
