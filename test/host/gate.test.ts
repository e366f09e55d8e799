/** The gate and the change of a plain cluster to a secured one, by themselves: what follows from what a log says. */
import { describe, expect, test } from "bun:test";
import { DEFAULT_TIMINGS } from "../../src/core/config.ts";
import type { Configuration, Member } from "../../src/core/log-entry.ts";
import { LogState } from "../../src/core/log-state.ts";
import type { EngineView } from "../../src/engines/view.ts";
import type { Network } from "../../src/host/contracts.ts";
import { Gate, type GateHost } from "../../src/host/gate.ts";
import { Security, type SecurityHost } from "../../src/host/security.ts";
import { seeded, VirtualClock, VirtualTime } from "../../src/sim/virtual-time.ts";
import { keyOf, virtualTrust } from "./virtual-trust.ts";

const member = (id: number, own: Partial<Member> = {}): Member => ({
  ...{ id, inc: `inc${id}`, host: "127.0.0.1", port: 6000 + id, role: "voter", key: keyOf(`${id}`) },
  ...own,
});

const evicted = (id: number): Member => {
  const { key: _, ...rest } = member(id, { role: "left" });
  return rest;
};

/** A peer whose committed log ends with these members. */
function peerWith(members: readonly Member[], index: number, settled = index): EngineView {
  const configuration: Configuration = { members, prev_voters: [], secure: true };
  const known = (key: { id: number; inc: string }) => members.find((m) => m.id === key.id && m.inc === key.inc);
  const all = [2, 3].map((id) => [id, { ...member(id), link: id, boot: 1 }] as const);
  const isProven = ([id]: readonly [number, unknown]) => members.some((m) => m.id === id && m.key !== undefined);
  const state = new LogState();
  state.configurations.push({ index, configuration, settled });
  const view: unknown = {
    ...{
      self: { id: 1, inc: "inc1", boot: 1 },
      address: { host: "127.0.0.1", port: 6001 },
      secure: true,
      links: new Map(all.filter(isProven)),
      strangers: new Map(all.filter((link) => !isProven(link))),
      standing: { role: "follower" },
    },
    log: { commit: index, last: index, state },
    present: () => members,
    isLinked: () => true,
    lagOf: () => 0,
    keys: () => new Set(members.flatMap(({ key }) => key ?? [])),
    keyOf: (key: Member) => known(key)?.key ?? null,
    memberOf: (key: Member) => known(key) ?? null,
  };
  return view as EngineView;
}

describe("[A4] an eviction that is committed here", () => {
  function gate() {
    const [refused, died]: [[number, string][], string[]] = [[], []];
    const host: unknown = {
      ...{ options: {}, trust: null, security: { key: keyOf("1") }, core: () => null },
      links: () => ({
        refuse: (link: number, { code }: { code: string }) => refused.push([link, code]),
        reconsider() {},
      }),
      die: (reason: string) => died.push(reason),
    };
    return { gate: new Gate(host as GateHost), refused, died };
  }

  test("ends the links with the evicted, once, and no others", () => {
    const { gate: one, refused, died } = gate();
    one.onTurn(peerWith([member(1), member(2), member(3)], 5));
    expect(refused).toEqual([]);
    one.onTurn(peerWith([member(1), evicted(2), member(3)], 7));
    one.onTurn(peerWith([member(1), evicted(2), member(3)], 7));
    expect([refused, died]).toEqual([[[2, "evicted"]], []]);
  });

  test("leaves who has quit its key", () => {
    const { gate: one, refused } = gate();
    one.onTurn(peerWith([member(1), member(2), member(3)], 5));
    one.onTurn(peerWith([member(1), member(2, { role: "left" }), member(3)], 7));
    expect(refused).toEqual([]);
  });

  test("stops who reads it of itself", () => {
    const { gate: one, died } = gate();
    one.onTurn(peerWith([member(1), member(2), member(3)], 5));
    one.onTurn(peerWith([evicted(1), member(2), member(3)], 7));
    expect(died).toEqual([expect.stringContaining("peer 1 was evicted from this cluster")]);
  });

  test("refuses the evicted from then on, and whoever takes its name", () => {
    const peer = peerWith([member(1), evicted(2), member(3)], 7);
    const hello = (id: number, inc = `inc${id}`) => ({
      ...{ type: "HELLO" as const, version: 2, cluster_id: "c", id, inc, boot: 1, host: "127.0.0.1", port: 1 },
    });
    const host: unknown = {
      options: {},
      trust: null,
      directory: { clusterId: "c" },
      links: () => ({ reconsider() {} }),
    };
    const bound = new Gate(host as GateHost);
    const from = (name: string) => ({ dialled: false, isSecured: true, identity: keyOf(name) });
    expect(bound.judge(hello(2), from("2"), peer)).toMatchObject({ refuse: { code: "evicted" } });
    expect(bound.judge(hello(3), from("3"), peer)).toBeNull();
    expect(bound.judge(hello(4), from("4"), peer)).toBe("stranger");
  });
});

describe("[A10] a plain cluster that is being secured", () => {
  function security() {
    const time = new VirtualTime();
    const clock = new VirtualClock(time, seeded(1));
    const [plain, proven] = [{} as Network, {} as Network];
    const did: string[] = [];
    const host: unknown = {
      ...{ clock, input() {}, peer: () => null, network: plain, trust: virtualTrust(clock, () => proven, keyOf("1")) },
      options: { host: "127.0.0.1", port: 6001, seeds: [], timings: DEFAULT_TIMINGS },
      directory: {
        ...{ clusterId: "c", identity: {}, restored: { state: { newest: null, index: 1 }, commit: 1 } },
        noteSecure: () => did.push("noted"),
      },
      links: () => ({ listenAnew: () => did.push("listens anew"), endPlain: () => did.push("plain links end") }),
      event: ({ code }: { code: string }) => did.push(`told ${code}`),
      ...{ log() {}, die() {}, guarded: (work: () => void) => work(), isStopping: () => false },
    };
    const made = new Security(host as SecurityHost);
    const ways = () => [1, 2, 3, 4].map(() => made.dials().isSecured);
    return { time, made, ways, did };
  }

  test("dials both ways until that is settled, then listens and dials over TLS alone, and ends what is plain", () => {
    const { time, made, ways, did } = security();
    made.open(() => did.push("opened"));
    time.runUntil(time.now + 10);
    expect([did.splice(0), made.key, ways()]).toEqual([["opened"], null, [false, false, false, false]]);
    made.announce();
    made.announce();
    time.runUntil(time.now + 10);
    expect([did.splice(0), made.key, made.saidKey]).toEqual([["plain links end"], keyOf("1"), { key: keyOf("1") }]);
    const members = [member(1), member(2), member(3)];
    made.onTurn(peerWith(members, 5, 0));
    time.runUntil(time.now + 10);
    made.onTurn(peerWith(members, 5, 0));
    expect([ways().sort(), made.listens.isSecured, did]).toEqual([[false, false, true, true], false, []]);
    made.onTurn(peerWith(members, 6));
    expect([ways(), made.listens.isSecured]).toEqual([[true, true, true, true], true]);
    expect(did.splice(0)).toEqual(["noted", "told secured", "listens anew"]);
    time.runUntil(time.now + 3 * DEFAULT_TIMINGS.heartbeat);
    expect(did).toEqual(["plain links end"]);
  });

  test("is told its leader's news as before while somebody who is linked is behind", () => {
    const { time, made, did } = security();
    made.open(() => {});
    time.runUntil(time.now + 10);
    const leader = (lag: number) => ({
      ...peerWith([member(1), member(2), member(3)], 6),
      standing: { role: "leader" } as EngineView["standing"],
      lagOf: () => lag,
    });
    made.onTurn(leader(1));
    time.runUntil(time.now + 10);
    made.onTurn(leader(1));
    expect([made.listens.isSecured, did]).toEqual([false, []]);
    made.onTurn(leader(0));
    expect(made.listens.isSecured).toBe(true);
  });
});
