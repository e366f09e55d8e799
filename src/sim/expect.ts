/**
 * What a scenario claims at a moment, in words:
 *
 *   2 leads                 3 follows 2             1 knows no leader       4 is down
 *   1 delivered TEXT        1 has not delivered TEXT                        1 has pending 2
 *   1 told CODE             1 counts voters 1,2,3   all agree
 */
import type { Machine } from "./machine.ts";
import type { World } from "./world.ts";

type Claim = (world: World, machine: Machine, args: readonly string[]) => string | null;

const CLAIMS: readonly [RegExp, Claim][] = [
  [/^leads$/, (w, m) => unless(w.status(m)?.role === "leader", roleText(w, m))],
  [
    /^follows ([0-9]+)$/,
    (w, m, [id]) => unless(w.status(m)?.leader_id === Number(id) && w.status(m)?.role !== "leader", roleText(w, m)),
  ],
  [/^knows no leader$/, (w, m) => unless(w.status(m) !== null && w.status(m)?.leader_id === null, roleText(w, m))],
  [/^is (leader|follower|candidate|observer)$/, (w, m, [role]) => unless(w.status(m)?.role === role, roleText(w, m))],
  [/^is down$/, (w, m) => unless(w.status(m) === null, "it runs")],
  [
    /^has pending ([0-9]+)$/,
    (w, m, [n]) => unless(w.status(m)?.pending === Number(n), `it has ${w.status(m)?.pending ?? "none, being down"}`),
  ],
  [
    /^delivered (.+)$/,
    (w, m, [text]) => unless(w.delivered(m).includes(text as string), `it delivered: ${w.delivered(m).join(" | ")}`),
  ],
  [/^has not delivered (.+)$/, (w, m, [text]) => unless(!w.delivered(m).includes(text as string), "it did")],
  [
    /^told ([a-z-]+)$/,
    (w, m, [code]) => unless(w.told.get(m)?.includes(code as string) === true, `it told: ${w.told.get(m)?.join(", ")}`),
  ],
  [/^counts voters ([0-9,]+)$/, (w, m, [ids]) => unless(votersText(w, m) === ids, `it counts ${votersText(w, m)}`)],
];

const ABOUT_ONE = /^([0-9]+) (.*)$/;

/** Whether these are words that can be checked. */
export function isClaim(claim: string): boolean {
  const rest = ABOUT_ONE.exec(claim)?.[2];
  return claim === "all agree" || (rest !== undefined && CLAIMS.some(([pattern]) => pattern.test(rest)));
}

/** What speaks against a claim, or null. */
export function expectation(world: World, claim: string): string | null {
  if (claim === "all agree") return disagreement(world);
  const [, site, rest] = ABOUT_ONE.exec(claim) ?? [];
  const machine = world.machine(site);
  for (const [pattern, check] of CLAIMS) {
    const match = pattern.exec(rest ?? "");
    if (match !== null && machine !== undefined) return check(world, machine, match.slice(1));
  }
  return "nobody knows how to check that";
}

function disagreement(world: World): string | null {
  const statuses = world.machines.flatMap((m) => world.status(m) ?? []);
  const places = new Set(statuses.map((s) => `leader ${s.leader_id}, commit ${s.commit_index}`));
  return unless(places.size === 1, [...places].join("; "));
}

function unless(holds: boolean, otherwise: string): string | null {
  return holds ? null : otherwise;
}

function roleText(world: World, machine: Machine): string {
  const status = world.status(machine);
  return status === null
    ? "it is down"
    : `it is ${status.role}, term ${status.term}, leader ${status.leader_id ?? "none"}`;
}

function votersText(world: World, machine: Machine): string {
  const members = world.status(machine)?.members ?? [];
  return members
    .filter((m) => m.role === "voter")
    .map((m) => m.id)
    .join(",");
}
