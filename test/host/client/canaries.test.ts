/** Secrets are searched where none may be: in every event, log, file, and frame to somebody else [A5] [A8]. */
import { expect, test } from "bun:test";
import type { Frame } from "../../../src/core/frame.ts";
import type { Host } from "../../../src/host/host.ts";
import { type Enrolled, RawClient, SecuredCluster } from "../secured-cluster.ts";
import { type Run, say, sent } from "../virtual-cluster.ts";

/** So much of a secret is as bad as all of it. */
const PART_CHARS = 16;

const decoder = new TextDecoder();
const ownerOf = (cluster: SecuredCluster, id: number): string => {
  const file = cluster.disks[id - 1]?.contents("owner.token") ?? new Uint8Array();
  return JSON.parse(decoder.decode(file)).token;
};

/** Every way in which a secret comes and is refused, or counts. */
function used() {
  const cluster = SecuredCluster.invited();
  const open = cluster.invites(1, { role: "member" });
  const spent = cluster.invites(2, { name: "bob" });
  const bob = cluster.redeems(spent, "bob") as Enrolled;
  expect(cluster.redeems(spent, "eve")).toBe("invite-used");
  expect(cluster.redeems(open, "eve")).toBe("forbidden");
  const client = cluster.isServed(bob, 1);
  say(client, "hello");
  cluster.until(() => sent(client).length === 1);
  const reader = new RawClient(cluster, 2, { token: bob.token });
  reader.say({ type: "ASK", request: 1, question: { what: "status" } });
  reader.say({ type: "ASK", request: 2, question: { what: "access" } });
  const owners = [1, 2, 3].map((id) => ownerOf(cluster, id));
  const owner = new RawClient(cluster, 1, { token: owners[0] as string });
  owner.say({ type: "ASK", request: 1, question: { what: "access" } });
  const lost = new RawClient(cluster, 3, { token: owners[0] as string });
  const late = cluster.enrols("late");
  const again = cluster.isServed(late, 3);
  cluster.asks(cluster.peer(1), { what: "revoke", name: "late" });
  cluster.until(() => again.stops.length === 1 && lost.closed !== null);
  const malformed = [
    `{"type":"ATTACH","token":"${bob.token}x"}`,
    `{"token":"${bob.token}","type":"NONE"}`,
    `{"invite":"${open.secret}", "type":"REDEEM"`,
    open.text,
    bob.token,
  ];
  for (const text of malformed) cluster.stranger(1, text);
  cluster.pass(3000);
  cluster.kill(3);
  cluster.start(3, {}, "3");
  cluster.pass(5000);
  const secrets = [
    open.secret,
    open.text,
    spent.secret,
    spent.text,
    bob.token,
    late.token,
    ...owners,
    ownerOf(cluster, 3),
  ];
  return { cluster, secrets, told: [...reader.frames, ...owner.frames, ...lost.frames] };
}

function findings(text: string, secrets: readonly string[]): string[] {
  return secrets.filter((secret) => {
    const parts = Array.from({ length: secret.length - PART_CHARS + 1 }, (_, i) => secret.slice(i, i + PART_CHARS));
    return parts.some((part) => text.includes(part));
  });
}

test("[A5] [A8] no secret is in an event, a log, a frame to anybody, or a file but owner.token, which is new at each start", () => {
  const { cluster, secrets, told } = used();
  expect(new Set(secrets).size).toBe(secrets.length);
  for (const secret of secrets) expect(findings(`… ${secret.slice(3, 22)} …`, secrets)).toEqual([secret]);
  const events = cluster.runs.flatMap((run) => [...run.events, ...run.stops]);
  expect(events.length).toBeGreaterThan(50);
  expect(findings(JSON.stringify(events), secrets)).toEqual([]);
  expect(cluster.logs.filter(({ level }) => level === "debug").length).toBeGreaterThan(10);
  expect(cluster.logs.filter(({ level }) => level === "warn").length).toBeGreaterThan(2);
  expect(findings(JSON.stringify(cluster.logs), secrets)).toEqual([]);
  expect(told.filter((frame: Frame) => frame.type === "TELL").length).toBeGreaterThan(2);
  expect(findings(JSON.stringify(told), secrets)).toEqual([]);
  const statuses = [1, 2, 3].map((id) => (cluster.peers.get(id) as Run<Host>).service.status());
  expect(findings(JSON.stringify(statuses), secrets)).toEqual([]);
  for (const disk of cluster.disks)
    for (const path of disk.paths())
      expect([path, ...findings(decoder.decode(disk.contents(path)), secrets)]).toEqual(
        path === "owner.token" ? [path, JSON.parse(decoder.decode(disk.contents(path))).token] : [path],
      );
});
