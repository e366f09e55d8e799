/** Who may come in with what, as the log has it [A1] [A2] [A5] [A7]. */
import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { AccessLog } from "../../src/core/access-log.ts";
import type { Ballot } from "../../src/core/ids.ts";
import type { AccessChange, Configuration, Entry, Invite, Member } from "../../src/core/log-entry.ts";
import { LogState } from "../../src/core/log-state.ts";
import { address, entryOf, genesisOf, hashOf, seal } from "./entries.ts";

const BALLOT: Ballot = { term: 1, leader_id: 1, inc: "i1", boot: 1 };
const hash = hashOf;

function invite(name: string, more: Partial<Invite> = {}): Invite {
  const rights = { role: "client", name: "", rights: "write", uses: 1, expires: 100 } as const;
  return { change: "invite", hash: hash(name), ...rights, by: "anna", ...more };
}

function member(id: number, more: Partial<Member> = {}): Member {
  return { id, inc: `i${id}`, ...address(id), role: "observer", key: hash(`k${id}`), ...more };
}

/** A log that is written entry by entry. */
class Written {
  readonly state = new LogState();
  readonly entries: Entry[] = [];

  constructor(genesis = genesisOf(["voter"], true)) {
    this.add(genesis);
  }

  /** Why it cannot follow, or null: it does. */
  add(entry: Entry): string | null {
    seal(entry, this.state.crc);
    const refused = this.state.refusal(entry);
    if (refused !== null) return refused;
    this.state.apply(entry);
    this.entries.push(entry);
    return null;
  }

  access(data: AccessChange, ts = 10): string | null {
    return this.add(entryOf(this.state.index + 1, BALLOT, "access", { data, ts }));
  }

  config(members: readonly Member[], more: Partial<Configuration> = {}): string | null {
    const data = { members, prev_voters: [{ id: 1, inc: "i1" }], secure: true as const, ...more };
    return this.add(entryOf(this.state.index + 1, BALLOT, "config", { data }));
  }

  undo(): void {
    const entry = this.entries.pop() as Entry;
    this.state.undo(entry, this.entries.at(-1)?.crc ?? 0);
  }
}

describe("keys in configurations", () => {
  test("[A1] secured once is secured for ever; a plain one knows neither invitations nor tokens", () => {
    const log = new Written();
    const { secure: _, ...plain } = { members: [member(1)], prev_voters: [], secure: true };
    expect(log.state.secure).toBe(true);
    expect(log.add(entryOf(2, BALLOT, "config", { data: plain }))).toContain("plain");
    const other = new Written(genesisOf(["voter"]));
    expect(other.state.secure).toBe(false);
    expect(other.access(invite("a"))).toContain("plain cluster");
    expect(other.config([member(1, { role: "voter" })])).toBeNull();
    expect(other.state.secure).toBe(true);
    other.undo();
    expect(other.state.secure).toBe(false);
  });

  test("[A2] who has not left has a key, and nobody has another one's", () => {
    const log = new Written();
    const { key: _, ...keyless } = member(2);
    expect(log.config([member(1), keyless])).toBe("peer 2 has no key [A2]");
    expect(log.config([member(1), member(2, { key: hash("k1") })])).toBe("peer 2 has another one's key [A2]");
    expect(log.config([member(1), member(2, { role: "left", key: hash("k1") })])).toBe(
      "peer 2 has another one's key [A2]",
    );
    expect(log.config([member(1), { ...keyless, role: "left" }, member(3, { role: "left" })])).toBeNull();
  });
});

describe("invitations", () => {
  test("[A7] each use is one, for a configuration as for a client; what is used up says so", () => {
    const log = new Written();
    const uses = (name: string) => log.state.access.invitations.get(hash(name))?.left;
    expect(log.access(invite("m", { role: "member", uses: 3 }))).toBeNull();
    expect(log.access(invite("c", { uses: 2 }))).toBeNull();
    const admit = (invites: string[]) => log.config([member(1)], { invites: invites.map(hash) });
    expect(admit(["m", "m", "m", "m"])).toContain("more often");
    expect(admit(["m", "m"])).toBeNull();
    expect(uses("m")).toBe(1);
    expect(admit(["c"])).toContain("invite-role");
    expect(admit(["x"])).toContain("stranger");
    expect(admit(["m"])).toBeNull();
    expect(admit(["m"])).toContain("invite-used");
    const user = (name: string) =>
      ({ change: "user", hash: hash(`t${name}`), name, rights: "write", invite: hash("c") }) as const;
    expect(log.access(user("bob"))).toBeNull();
    expect(log.access({ ...user("bob"), hash: hash("u") })).toContain("bob has a token");
    expect(log.access(user("eve"))).toBeNull();
    expect(log.access(user("joe"))).toContain("has been used");
    expect(log.state.access.mayRedeem(hash("c"), "client", 0)).toBe("invite-used");
    expect(log.state.access.userNamed("bob")).toMatchObject({ rights: "write", invite: hash("c"), revoked: 0 });
    log.undo();
    expect(uses("c")).toBe(1);
    expect(log.state.access.mayRedeem(hash("c"), "client", 0)).toBeNull();
  });

  test("[A5] what cannot follow is refused: other rights, another name, twice the same, who is unknown", () => {
    const log = new Written();
    log.access(invite("c", { name: "bob", uses: 9 }));
    const user = { change: "user", hash: hash("t"), name: "bob", rights: "write", invite: hash("c") } as const;
    expect(log.access({ ...user, rights: "admin" })).toContain("right to write");
    expect(log.access({ ...user, name: "eve" })).toContain("is for bob");
    expect(log.access({ ...user, hash: hash("c") })).toContain("in use");
    expect(log.access(invite("c"))).toContain("in use");
    expect(log.access({ change: "revoke", hash: hash("x"), by: "anna" })).toContain("nobody has");
    expect(log.access(user)).toBeNull();
    expect(log.access({ change: "revoke", hash: hash("t"), by: "anna" })).toBeNull();
    expect(log.state.access.users.get(hash("t"))?.revoked).toBe(log.state.index);
    expect(log.state.access.userNamed("bob")).toBeNull();
    expect(log.access({ change: "revoke", hash: hash("t"), by: "anna" })).toContain("no more");
    expect(log.access({ ...user, hash: hash("u") })).toBeNull();
    expect(log.access({ change: "revoke", hash: hash("c"), by: "anna" })).toBeNull();
    expect(log.state.access.mayRedeem(hash("c"), "client", 0)).toBe("invite-revoked");
  });

  test("[A5] the leader's clock judges the expiry; the role is told to holders only", () => {
    const { access } = new Written().state;
    expect(access.mayRedeem(hash("c"), "client", 0)).toBe("stranger");
    const log = new Written();
    log.access(invite("c", { expires: 100 }));
    expect(log.state.access.mayRedeem(hash("c"), "client", 99)).toBeNull();
    expect(log.state.access.mayRedeem(hash("c"), "client", 100)).toBe("invite-expired");
    expect(log.state.access.mayRedeem(hash("c"), "member", 99)).toBe("invite-role");
  });

  test("[A5] as many are open as may be: one more goes for the one whose time was over first, or is refused", () => {
    const access = new AccessLog({ invitations: 2, tokens: 1, closed: 1 });
    const add = (index: number, data: AccessChange, ts: number) => {
      const refused = access.judge(data, ts);
      if (refused === null) access.apply(entryOf(index, BALLOT, "access", { data, ts }));
      return refused?.code ?? null;
    };
    expect(add(2, invite("a", { expires: 50 }), 10)).toBeNull();
    expect(add(3, invite("b", { expires: 40 }), 10)).toBeNull();
    expect(add(4, invite("c"), 39)).toBe("limit");
    const before = access.toData();
    expect(add(4, invite("c"), 60)).toBeNull();
    expect(access.mayRedeem(hash("b"), "client", 0)).toBe("invite-expired");
    expect(access.mayRedeem(hash("a"), "client", 0)).toBeNull();
    const data = access.toData();
    // The next that closes takes the place of this one among those that are known.
    expect(add(5, { change: "revoke", hash: hash("a"), by: "anna" }, 60)).toBeNull();
    expect(access.mayRedeem(hash("b"), "client", 0)).toBe("stranger");
    access.undo(entryOf(5, BALLOT, "access", { data: { change: "revoke", hash: hash("a"), by: "anna" } }));
    expect(access.toData()).toEqual(data);
    access.undo(entryOf(4, BALLOT, "access", { data: invite("c") }));
    expect(access.toData()).toEqual(before);
  });
});

test("[A5] an answer to the same change again: the log says it already", () => {
  const log = new Written();
  const changes: AccessChange[] = [
    invite("c", { uses: 2 }),
    { change: "user", hash: hash("t"), name: "bob", rights: "write", invite: hash("c") },
    { change: "revoke", hash: hash("t"), by: "anna" },
    { change: "revoke", hash: hash("c"), by: "anna" },
  ];
  for (const change of changes) {
    expect(log.state.access.says(change)).toBe(false);
    expect(log.access(change)).toBeNull();
    expect(log.state.access.says(change)).toBe(true);
  }
  expect(log.state.access.says({ ...(changes[0] as Invite), uses: 1 })).toBe(false);
});

// ── any changes, forth and back, against a model that keeps every state ──────────────────────────────────────────────

const name = fc.constantFrom("a", "b", "c", "d", "e");
const anyChange: fc.Arbitrary<AccessChange> = fc.oneof(
  fc
    .record({ name, role: fc.constantFrom("member" as const, "client" as const), uses: fc.integer({ min: 1, max: 3 }) })
    .chain(({ name, ...more }) => fc.integer({ min: 0, max: 40 }).map((expires) => invite(name, { ...more, expires }))),
  fc.record({ name, invite: name, token: name }).map(({ name, invite, token }) => ({
    ...{ change: "user" as const, hash: hash(`t${token}`), name, rights: "write" as const, invite: hash(invite) },
  })),
  fc.record({ name, token: fc.boolean() }).map(({ name, token }) => ({
    ...{ change: "revoke" as const, hash: hash(token ? `t${name}` : name), by: "anna" },
  })),
);
type Step =
  | { readonly access: AccessChange; readonly ts: number }
  | { readonly uses: string[] }
  | { readonly back: number };
const anyStep: fc.Arbitrary<Step> = fc.oneof(
  { weight: 6, arbitrary: fc.record({ access: anyChange, ts: fc.integer({ min: 0, max: 50 }) }) },
  { weight: 2, arbitrary: fc.record({ uses: fc.array(name.map(hash), { maxLength: 3 }) }) },
  { weight: 2, arbitrary: fc.record({ back: fc.integer({ min: 1, max: 6 }) }) },
);

test("[A5] [A7] undo takes back exactly what apply did, from a checkpoint too, and no use is used twice", () => {
  const seen = { taken: 0, refused: 0, dropped: 0 };
  fc.assert(
    fc.property(
      fc.array(anyStep, { minLength: 20, maxLength: 60 }),
      fc.integer({ min: 1, max: 2 }),
      (steps, closed) => {
        const bounds = { invitations: 3, tokens: 3, closed };
        let log = new AccessLog(bounds);
        const past: { readonly before: unknown; readonly undo: (log: AccessLog) => void }[] = [];
        const reload = () => {
          const again = new AccessLog(bounds);
          again.load(structuredClone(log.toData()));
          expect(again.toData()).toEqual(log.toData());
          return again;
        };
        for (const step of steps) {
          const index = past.length + 2;
          if ("back" in step) {
            log = reload();
            for (let n = step.back; n > 0; n--) {
              const last = past.pop();
              last?.undo(log);
              if (last !== undefined) expect(log.toData()).toEqual(last.before as object);
            }
            continue;
          }
          const before = structuredClone(log.toData());
          if ("uses" in step) {
            if (log.refuseUses(step.uses) !== null) continue;
            log.applyUses(step.uses, index);
            past.push({ before, undo: (l) => l.undoUses(step.uses, index) });
          } else {
            const refused = log.judge(step.access, step.ts) !== null;
            seen[refused ? "refused" : "taken"] += 1;
            if (refused) continue;
            const entry = entryOf(index, BALLOT, "access", { data: step.access, ts: step.ts });
            log.apply(entry);
            past.push({ before, undo: (l) => l.undo(entry) });
          }
          seen.dropped += log.toData().access?.dropped.length ?? 0;
          const open = [...log.invitations.values()].filter((one) => one.closed === 0);
          expect(open.length).toBeLessThanOrEqual(bounds.invitations);
          expect(open.every(({ left }) => left > 0)).toBe(true);
          expect([...log.users.values()].filter((one) => one.revoked === 0).length).toBeLessThanOrEqual(bounds.tokens);
        }
      },
    ),
    { numRuns: 400 },
  );
  expect(seen.taken).toBeGreaterThan(1000);
  expect(seen.refused).toBeGreaterThan(1000);
  expect(seen.dropped).toBeGreaterThan(20);
});
