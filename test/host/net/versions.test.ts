/**
 * [W2] Peers of builds one version older and one newer than this one, over real links in both directions: they speak the
 * highest version that both know, or each is told whose is the older.
 */
import { expect, test } from "bun:test";
import { DEFAULT_TIMINGS, PROTOCOL_VERSION } from "../../../src/core/config.ts";
import type { Hello, Refuse } from "../../../src/core/message.ts";
import { sayVersions, type Versions } from "../../../src/core/versions.ts";
import { Links } from "../../../src/host/net/links.ts";
import { VirtualNetwork } from "../../../src/sim/virtual-network.ts";
import { seeded, VirtualClock, VirtualTime } from "../../../src/sim/virtual-time.ts";

const NOW = PROTOCOL_VERSION;
/** Builds, by what they speak. */
const OWN: Versions = { min: NOW, max: NOW };
const OLDER: Versions = { min: NOW - 1, max: NOW - 1 };
const NEWER: Versions = { min: NOW + 1, max: NOW + 1 };
const NEWER_WITH_FLOOR: Versions = { min: NOW, max: NOW + 1 };
const OWN_WITH_FLOOR: Versions = { min: NOW - 1, max: NOW };

interface Site {
  readonly links: Links;
  readonly ups: Hello[];
  readonly refused: Refuse[];
  readonly logs: string[];
  readonly frames: number[];
}

/** Two peers, one of which dials the other: what each of them sees. */
function meet(dials: Versions, answers: Versions): { first: Site; second: Site; pass(ms: number): void } {
  const time = new VirtualTime();
  const random = seeded(3);
  const network = new VirtualNetwork(time, random);
  const site = (id: number, versions: Versions): Site => {
    const clock = new VirtualClock(time, random);
    const [ups, refused, logs, frames]: [Hello[], Refuse[], string[], number[]] = [[], [], [], []];
    const self = { id, inc: `inc${id}`, boot: 1 };
    const address = { host: "virtual", port: 6000 + id };
    const transport = { network: network.attach(id, clock).network, isSecured: false };
    const links = new Links({
      ...{ clock, self, timings: DEFAULT_TIMINGS, listens: () => transport, dials: () => transport },
      ...{ trusts: () => false, proves: () => true, admit: () => null },
      hello: () => ({ type: "HELLO", ...sayVersions(versions), cluster_id: "cluster", ...self, ...address }),
      judge: () => null,
      isMember: () => true,
      holds: () => true,
      disk: () => ({ mean: 0, bound: 0 }),
      silenceMax: () => 2 * DEFAULT_TIMINGS.leaderTimeout,
      events: {
        up: (link, hello) => {
          ups.push(hello);
          links.send(link, { type: "LEAVE", id, inc: self.inc });
        },
        down: () => {},
        frame: (_, frame) => void (frame.type === "LEAVE" && frames.push(frame.id)),
        measured: () => {},
        goesOn: () => {},
        flow: () => {},
        untrusted: () => {},
        refused: (_, refuse) => refused.push(refuse),
        twins: () => {},
        log: (_, message) => logs.push(message),
      },
      clients: { attach: () => {}, redeem: () => {}, frame: () => {}, closed: () => {} },
    });
    links.listen([address], () => {});
    return { links, ups, refused, logs, frames };
  };
  const [first, second] = [site(1, dials), site(2, answers)];
  time.runUntil(1);
  first.links.setTargets([{ id: 2, host: "virtual", port: 6002 }]);
  time.runUntil(500);
  return { first, second, pass: (ms) => time.runUntil(time.now + ms) };
}

for (const [name, other, note] of [
  ["one newer, which knows this version", NEWER_WITH_FLOOR, `, protocol version ${NOW}`],
  ["the same", OWN, ""],
] as const)
  for (const dialler of ["this build", "the other"])
    test(`[W2] a build of ${name} is spoken with in this version; ${dialler} dials`, () => {
      const { first, second } = dialler === "this build" ? meet(OWN, other) : meet(other, OWN);
      expect([first.refused, second.refused]).toEqual([[], []]);
      for (const [site, from] of [
        [first, 2],
        [second, 1],
      ] as const) {
        expect(site.ups.map(({ id }) => id)).toEqual([from]);
        expect(site.frames).toEqual([from]);
        expect(site.logs.filter((l) => l.startsWith("linked"))).toEqual([
          `linked with peer ${from} at virtual:600${from}${note}`,
        ]);
      }
    });

test("[W2] a build whose floor is lower speaks the older version with one that is older", () => {
  for (const { first, second } of [meet(OWN_WITH_FLOOR, OLDER), meet(OLDER, OWN_WITH_FLOOR)]) {
    expect([first.ups.length, second.ups.length]).toEqual([1, 1]);
    for (const { logs } of [first, second])
      expect(logs.filter((l) => l.endsWith(`protocol version ${NOW - 1}`))).toHaveLength(1);
  }
});

test("[W2] with ranges that overlap in more than one version the highest is spoken", () => {
  const { first, second } = meet({ min: NOW - 1, max: NOW + 1 }, OWN_WITH_FLOOR);
  for (const { logs } of [first, second])
    expect(logs.filter((l) => l.endsWith(`protocol version ${NOW}`))).toHaveLength(1);
});

for (const [name, other] of [
  ["older", OLDER],
  ["newer", NEWER],
] as const)
  for (const dialler of ["this build", "the other"])
    test(`[W2] one version ${name} without a common one: each side hears from the other whose is the older; ${dialler} dials`, () => {
      const { first, second } = dialler === "this build" ? meet(OWN, other) : meet(other, OWN);
      const [own, theirs] = dialler === "this build" ? [first, second] : [second, first];
      expect([own.ups, theirs.ups]).toEqual([[], []]);
      const isOlder = name === "older";
      const said = (speaker: number, not: number, whose: string) => ({
        code: "wrong-version" as const,
        message: `this peer speaks protocol version ${speaker}, not ${not}: ${whose} chatpeer is the older one, update it`,
      });
      expect(own.refused).toMatchObject([said(other.max, NOW, isOlder ? "its" : "your")]);
      expect(theirs.refused).toMatchObject([said(NOW, other.max, isOlder ? "your" : "its")]);
      // Nothing is called malformed, and neither is asked again at once.
      expect([own, theirs].flatMap(({ logs }) => logs.filter((l) => l.startsWith("closed")))).toEqual([]);
    });
