/**
 * What a scenario claims at a moment, in words:
 *
 *   2 leads                 3 follows 2             1 knows no leader       4 is down
 *   1 delivered TEXT        1 has not delivered TEXT                        1 delivered 20 messages
 *   1 told CODE             1 told no CODE          1 has pending 2         1 is in term 5
 *   1 waits for 2,3         1 waits for nobody      (by its status: voters that are missing)
 *   1 counts voters 1,2,3   1 counts observers 4,5  1 counts left 5         all agree
 *   1 knows 3 members       (that have not left)
 *
 *   1 shows TEXT as pending (of somebody else [S7])
 *
 *   1 handled TEXT          1 has not handled TEXT  (its application)  1 handled TEXT once, twice
 *
 *   201 is attached to 3    (a client; what it delivered, has pending or was told, and whether it is down, as of peers)
 *
 * and of what its disk holds, committed or not:
 *
 *   1 has written TEXT      1 has not written TEXT  (in its log, if only in the kernel's memory)
 *   1 has synced TEXT       1 has not synced TEXT   (there after a power cut, for certain)
 *   1 has promised 4        (its promise, as synced, is to peer 4)
 *
 * The same may be claimed of several at once: `1,2,3 delivered TEXT`.
 */
import { durablePromise, logPaths } from "./files.ts";
import { Machine } from "./machine.ts";
import type { Actor, Stage } from "./stage.ts";

type Claim<Who> = (world: Stage, who: Who, args: readonly string[]) => string | null;

/** Claims that may be made of clients, too. */
const CLAIMS_OF_ALL: readonly [RegExp, Claim<Actor>][] = [
  [/^is down$/, (w, m) => unless(w.status(m) === null, "it runs")],
  [
    /^has pending ([0-9]+)$/,
    (w, m, [n]) => unless(w.status(m)?.pending === Number(n), `it has ${w.status(m)?.pending ?? "none, being down"}`),
  ],
  [
    /^delivered ([0-9]+) messages$/,
    (w, m, [n]) => unless(w.delivered(m).length === Number(n), `it delivered ${w.delivered(m).length}`),
  ],
  [
    /^delivered (.+)$/,
    (w, m, [text]) => unless(w.delivered(m).includes(text as string), `it delivered: ${lastOf(w.delivered(m))}`),
  ],
  [/^has not delivered (.+)$/, (w, m, [text]) => unless(!w.delivered(m).includes(text as string), "it did")],
  [/^told no ([a-z-]+)$/, (w, m, [code]) => unless(w.told.get(m)?.includes(code as string) !== true, "it did")],
  [
    /^told ([a-z-]+)$/,
    (w, m, [code]) => unless(w.told.get(m)?.includes(code as string) === true, `it told: ${w.told.get(m)?.join(", ")}`),
  ],
  [/^is attached to ([0-9]+)$/, (w, a, [id]) => unless(w.status(a)?.id === Number(id), `it is at ${w.status(a)?.id}`)],
];

const CLAIMS: readonly [RegExp, Claim<Machine>][] = [
  [/^leads$/, (w, m) => unless(w.status(m)?.role === "leader", roleText(w, m))],
  [
    /^follows ([0-9]+)$/,
    (w, m, [id]) => unless(w.status(m)?.leader_id === Number(id) && w.status(m)?.role !== "leader", roleText(w, m)),
  ],
  [/^knows no leader$/, (w, m) => unless(w.status(m) !== null && w.status(m)?.leader_id === null, roleText(w, m))],
  [/^is (leader|follower|candidate|observer)$/, (w, m, [role]) => unless(w.status(m)?.role === role, roleText(w, m))],
  [
    /^handled (.+) (once|twice)$/,
    (w, m, [text, times]) =>
      unless(timesHandled(w, m, text) === (times === "once" ? 1 : 2), `${timesHandled(w, m, text)} times`),
  ],
  [/^handled (.+)$/, (w, m, [text]) => unless(timesHandled(w, m, text) > 0, `it handled: ${lastOf(w.handled(m))}`)],
  [/^has not handled (.+)$/, (w, m, [text]) => unless(timesHandled(w, m, text) === 0, "it has")],
  [
    /^shows (.+) as pending$/,
    (w, m, [text]) => unless(w.shown.get(m)?.includes(text as string) === true, "it does not"),
  ],
  [/^has written (.+)$/, (_, m, [text]) => unless(holds(m, text as string, "contents"), "it has not")],
  [/^has not written (.+)$/, (_, m, [text]) => unless(!holds(m, text as string, "contents"), "it has")],
  [/^has synced (.+)$/, (_, m, [text]) => unless(holds(m, text as string, "durableContents"), "it has not")],
  [/^has not synced (.+)$/, (_, m, [text]) => unless(!holds(m, text as string, "durableContents"), "it has")],
  [/^has promised ([0-9]+)$/, (_, m, [id]) => unless(promisedTo(m) === Number(id), `it has promised ${promisedTo(m)}`)],
  [/^is in term ([0-9]+)$/, (w, m, [term]) => unless(w.status(m)?.term === Number(term), roleText(w, m))],
  [/^waits for ([0-9,]+|nobody)$/, (w, m, [ids]) => unless(waitedFor(w, m) === ids, `it waits for ${waitedFor(w, m)}`)],
  [/^knows ([0-9]+) members?$/, (w, m, [n]) => unless(stayingIn(w, m) === Number(n), `it knows ${stayingIn(w, m)}`)],
  [
    /^counts (voter|observer|left)s? ([0-9,]+)$/,
    (w, m, [role, ids]) => unless(idsOf(w, m, role) === ids, `it counts ${idsOf(w, m, role) || "none"}`),
  ],
];

const ABOUT = /^([0-9]+(?:,[0-9]+)*) (.*)$/;

/** Whether these are words that can be checked. */
export function isClaim(claim: string): boolean {
  const rest = ABOUT.exec(claim)?.[2];
  return (
    claim === "all agree" ||
    (rest !== undefined && [...CLAIMS_OF_ALL, ...CLAIMS].some(([pattern]) => pattern.test(rest)))
  );
}

/** Why a claim does not hold, or null. */
export function expectation(world: Stage, claim: string): string | null {
  if (claim === "all agree") return disagreement(world);
  const [, sites = "", rest = ""] = ABOUT.exec(claim) ?? [];
  const about = sites.split(",");
  for (const site of about) {
    const failure = expectationOf(world, world.actor(site), rest);
    if (failure !== null) return about.length === 1 ? failure : `peer ${site}: ${failure}`;
  }
  return null;
}

function expectationOf(world: Stage, who: Actor | undefined, words: string): string | null {
  if (who === undefined) return "there is no such peer";
  const failure = checked(CLAIMS_OF_ALL, world, who, words);
  if (failure !== undefined) return failure;
  return (who instanceof Machine ? checked(CLAIMS, world, who, words) : undefined) ?? null;
}

/** Returns undefined if no claim of this list has such words. */
function checked<Who>(claims: readonly [RegExp, Claim<Who>][], world: Stage, who: Who, words: string) {
  for (const [pattern, check] of claims) {
    const match = pattern.exec(words);
    if (match !== null) return check(world, who, match.slice(1));
  }
  return undefined;
}

function disagreement(world: Stage): string | null {
  const statuses = world.machines.flatMap((m) => world.status(m) ?? []);
  const places = new Set(statuses.map((s) => `leader ${s.leader_id}, commit ${s.commit_index}`));
  return unless(places.size === 1, [...places].join("; "));
}

function unless(holds: boolean, otherwise: string): string | null {
  return holds ? null : otherwise;
}

function roleText(world: Stage, machine: Machine): string {
  const status = world.status(machine);
  return status === null
    ? "it is down"
    : `it is ${status.role}, term ${status.term}, leader ${status.leader_id ?? "none"}`;
}

function timesHandled(world: Stage, machine: Machine, text: string | undefined): number {
  return world.handled(machine).filter((handled) => handled === text).length;
}

/** The last texts only, because a flood may have thousands. */
function lastOf(texts: readonly string[]): string {
  const shown = texts.slice(-10).map((text) => text.slice(0, 60));
  return `${texts.length > shown.length ? "… | " : ""}${shown.join(" | ")}`;
}

function idsOf(world: Stage, machine: Machine, role: string | undefined): string {
  const members = world.status(machine)?.members ?? [];
  return members
    .filter((m) => m.role === role)
    .map((m) => m.id)
    .join(",");
}

function waitedFor(world: Stage, machine: Machine): string {
  const peers = world.status(machine)?.waiting?.peers ?? [];
  return peers.length === 0 ? "nobody" : peers.map(({ id }) => id).join(",");
}

/** Number of members that have not left. */
function stayingIn(world: Stage, machine: Machine): number {
  return (world.status(machine)?.members ?? []).filter((m) => m.role !== "left").length;
}

function promisedTo(machine: Machine): number | null {
  return durablePromise(machine)?.leader_id ?? null;
}

/** Whether a text is the payload of a message in a machine's log. */
function holds(machine: Machine, text: string, read: "contents" | "durableContents"): boolean {
  const field = `"payload":${JSON.stringify(text)}`;
  return logPaths(machine).some((path) => new TextDecoder().decode(machine.disk[read](path)).includes(field));
}
