/** Why peers cannot meet: what answers at their addresses, and whether what they say of themselves fits together. */
import { type Address, isLoopback, place } from "../../core/address.ts";
import { type Key, sameProcess } from "../../core/ids.ts";
import { twinsText } from "../../core/twin-text.ts";
import { commonVersion, OWN_VERSIONS, showVersions, type Versions, versionsOf } from "../../core/versions.ts";
import { isUnspecified } from "../process/addresses.ts";
import { type Finding, problem, well } from "./finding.ts";
import { type AskingPorts, type Greeting, greet, type PeerHello } from "./greeting.ts";

export interface Seen {
  readonly address: Address;
  readonly greeting: Greeting;
  /** What answers where the peer says that it is dialled; null where that is the same address. */
  readonly advertised: Greeting | null;
}

/** The peer that is to meet the others, as far as it is known. */
export interface Own {
  readonly id: number;
  /** The incarnation in its data directory; null without one. */
  readonly inc: string | null;
  readonly clusterId: string | null;
}

/** Clocks that differ by more show times beside messages that make no sense. */
const CLOCKS_APART_MS = 5000;

/** Never throws. */
export async function lookAt(ports: AskingPorts, address: Address, timeoutMs: number): Promise<Seen> {
  const greeting = await greet(ports, address, timeoutMs);
  if (greeting.result !== "peer") return { address, greeting, advertised: null };
  const { host, port } = greeting.hello;
  const same = (host === address.host && port === address.port) || isUnspecified(host);
  return { address, greeting, advertised: same ? null : await greet(ports, { host, port }, timeoutMs) };
}

/** What is to be said of each address, and of them together. */
export function judgePeers(seen: readonly Seen[], own: Own | null, timeoutMs: number): Finding[] {
  const peers = seen.flatMap(({ address, greeting }) =>
    greeting.result === "peer" ? [{ where: place(address), ...greeting.hello }] : [],
  );
  return [
    ...seen.flatMap((s) => judgeOne(s, timeoutMs)),
    ...clusters(peers),
    ...duplicates(peers),
    ...(own === null ? [] : peers.flatMap((peer) => againstOwn(peer, own))),
  ];
}

type Met = PeerHello & { readonly where: string };

function judgeOne({ address, greeting, advertised }: Seen, timeoutMs: number): Finding[] {
  const about = place(address);
  if (greeting.result === "secured") return [well(about, securedText(greeting.key))];
  if (greeting.result !== "peer") return [noPeer(about, address, greeting, timeoutMs)];
  const { id, cluster_id } = greeting.hello;
  const member = cluster_id === null ? "in no cluster yet" : `of cluster ${cluster_id}`;
  const peer = well(
    about,
    `peer ${id} answers, ${member}, protocol version ${commonVersion(OWN_VERSIONS, versionsOf(greeting.hello))}`,
  );
  return [
    peer,
    ...joined(about, greeting.hello),
    ...clock(about, greeting),
    ...dialled(address, greeting.hello, advertised),
  ];
}

function securedText(key: Key): string {
  return `a peer of a secured cluster answers, and proves the key ${key}: compare it with what /access shows there`;
}

export function noPeer(
  about: string,
  { host, port }: Address,
  greeting: Exclude<Greeting, { result: "peer" | "secured" }>,
  timeoutMs: number,
): Finding {
  const seconds = timeoutMs / 1000;
  switch (greeting.result) {
    case "unreachable":
      return unreachable(about, host, port, greeting.code, seconds);
    case "other-version":
      return problem(about, "wrong-version", otherVersion(greeting.versions));
    case "refused":
      return problem(about, "refuses", `a peer answers and refuses: ${greeting.message}`);
    case "silent":
      return problem(
        about,
        "silent",
        `something listens there and says nothing for ${seconds} s: another program than chatpeer, or a peer that is suspended or hangs`,
      );
    case "stranger":
      return problem(
        about,
        "stranger",
        greeting.said === ""
          ? "the connection is closed at once: another program than chatpeer, or a peer that has too many connections from here"
          : `something else than chatpeer answers there; it says ${JSON.stringify(greeting.said.trim().slice(0, 60))}: check the port`,
      );
  }
}

function otherVersion(theirs: Versions): string {
  const older = theirs.max < OWN_VERSIONS.max ? "the one there" : "this one";
  return `it speaks protocol version ${showVersions(theirs)}, this chatpeer version ${showVersions(OWN_VERSIONS)}: ${older} is older, update it`;
}

function unreachable(about: string, host: string, port: number, code: string, seconds: number): Finding {
  switch (code) {
    case "ECONNREFUSED":
      return problem(
        about,
        "refused",
        `connection refused: the machine is there, but nothing listens on port ${port}. Is the peer running, is that its --port, and does it listen beyond loopback (--host)?`,
      );
    case "ENOTFOUND":
    case "EAI_AGAIN":
      return problem(
        about,
        "unresolved",
        `the name ${host} does not resolve: check its spelling, or use the number of the machine`,
      );
    case "ETIMEDOUT":
      return problem(
        about,
        "timeout",
        `no answer within ${seconds} s: the machine is off, the address is wrong, or a firewall drops what is sent to port ${port}`,
      );
    case "EHOSTUNREACH":
    case "ENETUNREACH":
      return problem(about, "no-route", `there is no route to ${host}: is this machine in the same network (VPN)?`);
    default:
      return problem(about, "unreachable", `cannot connect (${code})`);
  }
}

function joined(about: string, { id, cluster_id }: PeerHello): Finding[] {
  if (cluster_id !== null) return [];
  return [
    problem(
      about,
      "no-cluster",
      `peer ${id} is in no cluster yet: either none of its seeds answers (check its --seed, and look at them with doctor), or those who answer are in none either. Then exactly one must found it: stop that one, and start it again without --seed`,
    ),
  ];
}

function clock(about: string, { hello, at, unsureMs }: Greeting & { result: "peer" }): Finding[] {
  if (hello.wall === undefined) return [];
  const apart = hello.wall - at;
  if (Math.abs(apart) <= CLOCKS_APART_MS + unsureMs) return [];
  return [
    problem(
      about,
      "clock",
      `its clock is ${inWords(Math.abs(apart))} ${apart > 0 ? "ahead of" : "behind"} this machine's: they can meet, but the times beside messages are wrong. Set both by NTP`,
    ),
  ];
}

/** The address that a peer tells the others to dial must lead to that peer. */
function dialled(address: Address, hello: PeerHello, advertised: Greeting | null): Finding[] {
  const { id, host, port } = hello;
  const about = place(address);
  const told = place({ host, port });
  const amend = `Start it with --advertise ${about}, or whatever the others reach it by`;
  if (isUnspecified(host))
    return [
      problem(
        about,
        "advertised",
        `peer ${id} tells the others to dial ${told}, which is no address of one machine. ${amend}`,
      ),
    ];
  if (advertised === null) return [];
  if (isLoopback(host) && !isLoopback(address.host))
    return [
      problem(
        about,
        "advertised",
        `peer ${id} tells the others to dial ${told}, where each of them finds only itself. ${amend}`,
      ),
    ];
  if (advertised.result === "peer" && sameProcess(advertised.hello, hello)) return [];
  const found = advertised.result === "peer" ? `peer ${advertised.hello.id} answers there` : "it does not answer there";
  return [
    problem(about, "advertised", `peer ${id} tells the others to dial ${told}, but ${found}, seen from here. ${amend}`),
  ];
}

function clusters(peers: readonly Met[]): Finding[] {
  const byCluster = grouped(
    peers.filter((peer) => peer.cluster_id !== null),
    (peer) => peer.cluster_id,
  );
  if (byCluster.size < 2) return [];
  const each = [...byCluster].map(
    ([cluster, members]) => `${members.map((m) => m.where).join(", ")} of cluster ${cluster}`,
  );
  const [keep] = [...byCluster.values()].sort((a, b) => b.length - a.length);
  const seed = keep?.[0];
  return [
    problem(
      "all",
      "wrong-cluster",
      `these are ${byCluster.size} clusters, which never meet: ${each.join("; ")}. Was one started without --seed? Keep one cluster; give the peers of the others empty data directories and --seed ${seed?.id}:${seed?.where}`,
    ),
  ];
}

function duplicates(peers: readonly Met[]): Finding[] {
  return [...grouped(peers, (peer) => peer.id)].flatMap(([id, all]) => {
    const processes = all.filter((peer, i) => all.findIndex((other) => sameProcess(other, peer)) === i);
    if (processes.length < 2) return [];
    const copies = grouped(processes, (peer) => peer.inc);
    const twins = [...copies.values()].find((ofOne) => ofOne.length > 1);
    if (twins !== undefined) return [problem("all", "twins", twinsText(id, twins))];
    const where = processes.map((peer) => peer.where).join(" and ");
    return [
      problem(
        "all",
        "duplicate-id",
        `peer id ${id} is in use twice, at ${where}: give one of them another --id and an empty data directory`,
      ),
    ];
  });
}

function againstOwn(peer: Met, { id, inc, clusterId }: Own): Finding[] {
  const findings: Finding[] = [];
  if (peer.id === id && peer.inc !== inc)
    findings.push(
      problem(
        peer.where,
        "duplicate-id",
        `peer id ${id} is this peer's and is in use there too: it would be refused. Choose another --id`,
      ),
    );
  if (clusterId !== null && peer.cluster_id !== null && peer.cluster_id !== clusterId)
    findings.push(
      problem(
        peer.where,
        "wrong-cluster",
        `it is of cluster ${peer.cluster_id}, the data directory here of cluster ${clusterId}: they never meet. Start with an empty directory and --seed ${peer.id}:${peer.where}`,
      ),
    );
  return findings;
}

function grouped<K>(peers: readonly Met[], key: (peer: Met) => K): Map<K, Met[]> {
  const groups = new Map<K, Met[]>();
  for (const peer of peers) groups.set(key(peer), [...(groups.get(key(peer)) ?? []), peer]);
  return groups;
}

function inWords(ms: number): string {
  const seconds = Math.round(ms / 1000);
  if (seconds < 120) return `${seconds} s`;
  if (seconds < 7200) return `${Math.round(seconds / 60)} min`;
  return seconds < 172_800 ? `${Math.round(seconds / 3600)} hours` : `${Math.round(seconds / 86_400)} days`;
}
