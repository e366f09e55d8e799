/** A secured cluster from its founding on, on virtual time: who gets in, who stays in, and who does not [A3] [A4] [A6] [A7]. */
import { expect, test } from "bun:test";
import { DEFAULT_TIMINGS, PROTOCOL_VERSION } from "../../src/core/config.ts";
import type { Told } from "../../src/core/reports.ts";
import type { Host } from "../../src/host/host.ts";
import type { HostOptions } from "../../src/host/host-contract.ts";
import type { OwnQuestion } from "../../src/host/service.ts";
import { VirtualDisk } from "../../src/sim/virtual-disk.ts";
import { VirtualClock } from "../../src/sim/virtual-time.ts";
import { type Invitation, parseInvitation } from "../../src/wire/invitation.ts";
import { Cluster, payloads, type Run, say, told } from "./virtual-cluster.ts";
import { keyOf } from "./virtual-trust.ts";

const encoder = new TextEncoder();
const HELLO = `${JSON.stringify({
  ...{ type: "HELLO", version: PROTOCOL_VERSION, cluster_id: null, id: 9, inc: "nine", boot: 1 },
  ...{ host: "virtual", port: 6009 },
})}\n`;
const DAY_MS = 86_400_000;
const run = (cluster: Cluster, id: number) => cluster.peers.get(id) as Run<Host>;
const stops = (cluster: Cluster, id: number) => run(cluster, id).stops.map(({ reason }) => reason);
const words = (cluster: Cluster, id: number) =>
  told(run(cluster, id)).map(({ code, message }) => `${code}: ${message}`);
const isMember = (cluster: Cluster, id: number, by = 1) =>
  cluster.status(by).members.some((m) => m.id === id && m.role !== "left");

function ask(cluster: Cluster, id: number, question: OwnQuestion): Told {
  const answers: Told[] = [];
  run(cluster, id).clock.run(() => run(cluster, id).service.ask(question, (answer) => answers.push(answer)));
  cluster.until(() => answers.length > 0);
  return answers[0] as Told;
}

type Wanted = Partial<Extract<OwnQuestion, { what: "invite" }>>;

function invite(cluster: Cluster, by: number, wanted: Wanted = {}): Invitation {
  const expires = run(cluster, by).clock.wall() + DAY_MS;
  const asked = { role: "member", name: "", rights: "write", uses: 1, expires, ...wanted } as const;
  const answer = ask(cluster, by, { what: "invite", ...asked });
  if (answer.event !== "invitation") throw new Error(JSON.stringify(answer));
  const parsed = parseInvitation(answer.invitation);
  if (!parsed.ok) throw new Error(parsed.message);
  return parsed.invitation;
}

function join(
  cluster: Cluster,
  id: number,
  invitation: Invitation,
  key = `${id}`,
  own: Partial<HostOptions> = {},
): void {
  cluster.start(id, { seeds: [], invitation, ...own }, key);
}

function restart(cluster: Cluster, id: number, own: Partial<HostOptions> = {}, key = `${id}`): void {
  cluster.kill(id);
  cluster.start(id, { seeds: [], ...own }, key);
}

/** Peer 1 founds it, the others are invited by it. */
function secured(others: readonly number[] = [2, 3], peers = 3): Cluster {
  const cluster = new Cluster({}, 7, peers);
  cluster.start(1, { secured: true }, "1");
  cluster.until(() => cluster.status(1).waiting === null);
  for (const id of others) {
    join(cluster, id, invite(cluster, 1));
    cluster.until(() => isMember(cluster, id));
  }
  cluster.until(() => [1, ...others].every((id) => cluster.status(id).leader_id !== null && isMember(cluster, id, id)));
  // Their disks have it, too.
  cluster.pass(1000);
  return cluster;
}

function empty(cluster: Cluster, id: number): void {
  cluster.kill(id);
  const clock = { after: (ms: number, fn: () => void) => cluster.time.at(cluster.time.now + ms, fn) };
  cluster.disks[id - 1] = new VirtualDisk({ clock, random: () => cluster.random() });
}

function everybodyHears(cluster: Cluster, ids: readonly number[], text: string): void {
  say(run(cluster, ids[0] as number), text);
  cluster.until(() => ids.every((id) => payloads(run(cluster, id)).includes(text)));
}

// ── coming in ────────────────────────────────────────────────────────────────────────────────────────────────────────

test("[A3] [A6] peers join by invitation and nothing else, also through a follower, and talk", () => {
  const cluster = secured([2, 3], 4);
  const follower = [1, 2, 3].find((id) => cluster.status(id).role !== "leader") as number;
  const invitation = invite(cluster, follower);
  expect(invitation.addresses[0]?.id).toBe(follower);
  join(cluster, 4, { ...invitation, addresses: invitation.addresses.slice(0, 1) });
  cluster.until(() => isMember(cluster, 4, 4) && cluster.status(4).members.every((m) => m.state === "alive"));
  everybodyHears(cluster, [4, 1, 2, 3], "here I am");
});

test("[A7] of two who come with one invitation, at two followers at once, one gets in", () => {
  const cluster = secured([2, 3], 5);
  const followers = [1, 2, 3].filter((id) => cluster.status(id).role !== "leader");
  const invitation = invite(cluster, 1);
  const every = invitation.addresses;
  for (const [i, id] of [4, 5].entries())
    join(cluster, id, { ...invitation, addresses: every.filter((known) => known.id === followers[i]) });
  cluster.pass();
  const inside = [4, 5].filter((id) => isMember(cluster, id));
  expect(inside.length).toBe(1);
  const outside = inside[0] === 4 ? 5 : 4;
  expect(stops(cluster, outside)).toEqual([expect.stringContaining("this invitation has been used")]);
  everybodyHears(cluster, [inside[0] as number, 1, 2, 3], "alone");
});

test("[A7] who is invited wrongly is told why, and a guess tells nothing", () => {
  const cluster = secured([2, 3], 4);
  const refusedWith = (invitation: Invitation) => {
    empty(cluster, 4);
    join(cluster, 4, invitation);
    cluster.until(() => stops(cluster, 4).length > 0);
    return stops(cluster, 4)[0];
  };
  const good = invite(cluster, 1);
  expect(refusedWith({ ...good, secret: "a".repeat(26) })).toContain("nobody here knows this invitation");
  const short = invite(cluster, 1, { expires: run(cluster, 1).clock.wall() + 100 });
  cluster.pass(1000);
  expect(refusedWith(short)).toContain("this invitation's time is over");
  const client = invite(cluster, 1, { role: "client" });
  expect(refusedWith({ ...client, role: "member" })).toContain("for the other kind of guest");
  const named = invite(cluster, 1, { name: "nell" });
  expect(ask(cluster, 1, { what: "revoke", name: "nell" })).toMatchObject({ code: "done" });
  expect(refusedWith(named)).toContain("this invitation was revoked");
  expect(refusedWith({ ...good, cluster_id: "another" })).toMatch(/cluster/);
  expect(isMember(cluster, 4)).toBe(false);
  empty(cluster, 4);
  join(cluster, 4, good);
  cluster.until(() => isMember(cluster, 4));
});

test("[A6] who is killed while it joins goes on with the same invitation", () => {
  const cluster = secured();
  const invitation = invite(cluster, 1);
  empty(cluster, 3);
  cluster.until(() => cluster.status(1).leader_id !== null && cluster.status(1).leader_id !== 3);
  expect(ask(cluster, 1, { what: "evict", id: 3 })).toMatchObject({ code: "done" });
  for (let ms = 2; ms < 200; ms = Math.ceil(ms * 1.5)) {
    join(cluster, 3, invitation, "3 again");
    cluster.pass(ms);
    if (isMember(cluster, 3)) break;
    cluster.kill(3);
  }
  restart(cluster, 3, { invitation }, "3 again");
  cluster.until(() => isMember(cluster, 3, 3));
  everybodyHears(cluster, [3, 1, 2], "at last");
});

// ── staying ──────────────────────────────────────────────────────────────────────────────────────────────────────────

test("[A1] [A3] after a crash of one, and a restart of all, members need no invitation", () => {
  const cluster = secured();
  restart(cluster, 3);
  cluster.until(() => cluster.status(3).leader_id !== null);
  everybodyHears(cluster, [3, 1, 2], "back");
  for (const id of [1, 2, 3]) cluster.kill(id);
  for (const id of [1, 2, 3]) cluster.start(id, { seeds: [] }, `${id}`);
  cluster.until(() => [1, 2, 3].every((id) => cluster.status(id).leader_id !== null));
  everybodyHears(cluster, [1, 2, 3], "all back");
});

test("[A3] a directory with another key is a stranger, and whoever has another one's key another member's impostor", () => {
  const cluster = secured();
  restart(cluster, 3, {}, "not three");
  cluster.pass();
  expect(cluster.status(1).members.find((m) => m.id === 3)?.state).toBe("unreachable");
  expect(words(cluster, 3).join("\n")).toContain("here peer 3 is known by another key");
});

test("[A6] an id that somebody has is not taken over by waiting, only after /evict", () => {
  const cluster = secured();
  empty(cluster, 3);
  cluster.pass(120_000);
  const invitation = invite(cluster, 1);
  join(cluster, 3, invitation, "3 again");
  cluster.until(() => stops(cluster, 3).length > 0);
  expect(stops(cluster, 3)[0]).toContain("/evict 3");
  expect(ask(cluster, 1, { what: "evict", id: 3 })).toMatchObject({ code: "done" });
  empty(cluster, 3);
  join(cluster, 3, invitation, "3 again");
  cluster.until(() => isMember(cluster, 3, 3));
  everybodyHears(cluster, [3, 1, 2], "another three");
});

test("[A3] a thousand strangers that say HELLO and no more are gone in time; members get in beside them, and nobody else leads", () => {
  const cluster = secured();
  const terms = () => [1, 2].map((id) => cluster.status(id).term);
  const before = terms();
  const { secured: networkOf } = cluster.network.attach(70, new VirtualClock(cluster.time, cluster.random));
  let open = 0;
  for (let i = 0; i < 1200; i++) {
    open += 1;
    const stranger = networkOf(keyOf(`stranger ${i}`)).connect("virtual", 6001 + (i % 2), {
      open: () => i % 3 > 0 && stranger.write(encoder.encode(i % 3 === 1 ? HELLO : HELLO.slice(0, 40))),
      data() {},
      drain() {},
      close: () => {
        open -= 1;
      },
    });
  }
  cluster.pass(200);
  restart(cluster, 3);
  cluster.until(() => cluster.status(3).leader_id !== null);
  everybodyHears(cluster, [3, 1, 2], "beside them");
  cluster.pass(DEFAULT_TIMINGS.handshake + 3000);
  expect(open).toBe(0);
  // Peer 3 led, and was killed here.
  expect(terms().every((term, i) => term - (before[i] as number) <= 2)).toBe(true);
});

// ── being sent away ──────────────────────────────────────────────────────────────────────────────────────────────────

test("[A4] who is evicted while it lives is out at once, and neither comes back nor gets in again with its key", () => {
  const cluster = secured();
  expect(ask(cluster, 1, { what: "evict", id: 2 })).toMatchObject({ code: "done" });
  cluster.until(() => stops(cluster, 2).length > 0);
  expect(stops(cluster, 2)[0]).toContain("peer 2 was evicted");
  everybodyHears(cluster, [1, 3], "without two");
  expect(payloads(run(cluster, 2))).not.toContain("without two");
  restart(cluster, 2);
  cluster.until(() => stops(cluster, 2).length > 0);
  expect(stops(cluster, 2)[0]).toContain("peer 2 was evicted");
  restart(cluster, 2, { invitation: invite(cluster, 1) });
  cluster.until(() => stops(cluster, 2).length > 0);
  expect(isMember(cluster, 2)).toBe(false);
  empty(cluster, 2);
  join(cluster, 2, invite(cluster, 1), "2 again");
  cluster.until(() => isMember(cluster, 2, 2));
  everybodyHears(cluster, [2, 1, 3], "with two");
});

test("[A4] a leader that is evicted hands over first", () => {
  const cluster = secured();
  const leader = cluster.status(1).leader_id as number;
  const other = leader === 1 ? 2 : 1;
  ask(cluster, other, { what: "evict", id: leader });
  cluster.until(() => [1, 2, 3].every((id) => id === leader || cluster.status(id).leader_id !== leader));
  cluster.until(() => {
    if (!isMember(cluster, leader, other)) return true;
    ask(cluster, other, { what: "evict", id: leader });
    return !isMember(cluster, leader, other);
  });
  cluster.until(() => stops(cluster, leader).length > 0);
});

test("[A2] who quits keeps its key, and comes back without an invitation", () => {
  const cluster = secured();
  run(cluster, 2).service.quit();
  cluster.until(() => stops(cluster, 2).length > 0 && !isMember(cluster, 2));
  restart(cluster, 2);
  cluster.until(() => isMember(cluster, 2, 2));
  everybodyHears(cluster, [2, 1, 3], "back");
});

// ── from plain to secured ────────────────────────────────────────────────────────────────────────────────────────────

test("[A10] a plain cluster becomes a secured one while people talk: one history, nothing lost, no link in the clear", () => {
  const cluster = new Cluster({ insecure: true });
  for (const id of [1, 2, 3]) cluster.start(id, {}, `once plain ${id}`);
  cluster.until(() => [1, 2, 3].every((id) => cluster.status(id).members.length === 3 && cluster.status(id).quorum));
  const said: string[] = [];
  const flood = () => {
    for (const id of [1, 2, 3]) {
      said.push(`${id}: ${said.length}`);
      say(run(cluster, id), said.at(-1) as string);
    }
  };
  flood();
  run(cluster, 2).service.secure();
  for (let i = 0; i < 100; i++) {
    flood();
    cluster.pass(20);
  }
  cluster.until(() => [1, 2, 3].every((id) => isSecured(cluster, id)));
  flood();
  cluster.until(() => [1, 2, 3].every((id) => payloads(run(cluster, id)).length === said.length));
  expect(payloads(run(cluster, 2))).toEqual(payloads(run(cluster, 1)));
  expect(payloads(run(cluster, 3))).toEqual(payloads(run(cluster, 1)));
  expect([...payloads(run(cluster, 1))].sort()).toEqual([...said].sort());
  for (const id of [1, 2, 3]) restart(cluster, id, {}, `once plain ${id}`);
  cluster.until(() => [1, 2, 3].every((id) => cluster.status(id).leader_id !== null));
  everybodyHears(cluster, [1, 2, 3], "behind TLS");
});

test("[A10] /secure is refused while a member is away, and carried out when that one is evicted", () => {
  const cluster = plainOnes("away");
  cluster.kill(3);
  cluster.until(() => cluster.status(1).leader_id !== null && cluster.status(1).leader_id !== 3);
  run(cluster, 1).service.secure();
  cluster.pass(20_000);
  expect(words(cluster, 1).find((text) => text.startsWith("refused: "))).toContain("peer 3");
  expect(isSecured(cluster, 1)).toBe(false);
  expect(ask(cluster, 1, { what: "evict", id: 3 })).toMatchObject({ code: "done" });
  cluster.pass();
  run(cluster, 1).service.secure();
  cluster.until(() => [1, 2].every((id) => isSecured(cluster, id)));
  everybodyHears(cluster, [1, 2], "just us");
});

test.each([500, 650, 660, 670, 680, 700, 750, 1000])(
  "[A10] who is killed %i ms after /secure and comes back is in the secured cluster as well",
  (ms) => {
    const cluster = plainOnes(`killed ${ms}`);
    const gone = ms % 20 === 0 ? 3 : 2;
    run(cluster, 1).service.secure();
    cluster.pass(ms);
    cluster.kill(gone);
    cluster.pass(300);
    cluster.start(gone, {}, `killed ${ms} ${gone}`);
    for (let tries = 0; tries < 4 && ![1, 2, 3].every((id) => isSecured(cluster, id)); tries++) {
      cluster.pass(20_000);
      if (!isSecured(cluster, 1)) run(cluster, 1).service.secure();
    }
    everybodyHears(cluster, [gone, 1, gone === 3 ? 2 : 3], "all of us");
    const identity = (id: number) => new TextDecoder().decode(cluster.disks[id - 1]?.contents("identity.json"));
    for (const id of [1, 2, 3]) expect(identity(id)).toContain('"secure":true');
  },
);

function plainOnes(name: string): Cluster {
  const cluster = new Cluster({ insecure: true });
  for (const id of [1, 2, 3]) cluster.start(id, {}, `${name} ${id}`);
  cluster.until(() => [1, 2, 3].every((id) => cluster.status(id).members.length === 3 && cluster.status(id).quorum));
  cluster.pass(2000);
  return cluster;
}

function isSecured(cluster: Cluster, id: number): boolean {
  return words(cluster, id).some((text) => text.startsWith("secured: "));
}
