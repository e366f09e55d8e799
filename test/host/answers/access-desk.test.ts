/** What who has all rights asks of a peer: an invitation, who may come in, and that somebody may no more [A9]. */
import { beforeEach, describe, expect, test } from "bun:test";
import type { AccessReport, AdminQuestion } from "../../../src/core/access-reports.ts";
import type { Told } from "../../../src/core/reports.ts";
import { parseInvitation, pinOf } from "../../../src/wire/invitation.ts";
import { hashOf, type Line, SecuredPeer, secretOf } from "../client/secured-peer.ts";

let peer: SecuredPeer;
let admin: Line;
let wanted: Extract<AdminQuestion, { what: "invite" }>;

beforeEach(() => {
  peer = new SecuredPeer();
  admin = peer.comes(peer.enrols("ada", "admin"), "ada");
  const expires = peer.clock.wall() + 60_000;
  wanted = { what: "invite", role: "client", name: "", rights: "write", uses: 1, expires };
});

/** What the person at the peer asks. */
function asks(question: AdminQuestion): Told[] {
  const told: Told[] = [];
  peer.desk.desk.ask(question, peer.person, (answer) => told.push(answer));
  peer.clock.pass(10);
  peer.commits();
  return told;
}

const report = () => asks({ what: "access" })[0] as AccessReport;

describe("an invitation", () => {
  test("[A9] is told when its hash is committed, with where to go and what to expect there", () => {
    const told = peer.ask(admin, { ...wanted, name: "bob" });
    expect(told).toMatchObject({ event: "invitation", role: "client", name: "bob", rights: "write", uses: 1 });
    const read = parseInvitation(told?.event === "invitation" ? told.invitation : "");
    const [secret] = peer.secrets.slice(-1);
    expect(read).toMatchObject({ ok: true, invitation: { role: "client", cluster_id: "cluster", secret } });
    const addresses = read.ok ? read.invitation.addresses : [];
    expect(addresses.map(({ id }) => id)).toEqual([1, 3, 2]);
    expect(addresses[1]?.pin).toBe(pinOf(hashOf("key 3")));
    expect(peer.access.invitations.get(hashOf(secret as string))).toMatchObject({ name: "bob", by: "ada" });
  });

  test("[A9] of the person at the peer bears that name, and so does one of who has the data directory", () => {
    asks(wanted);
    const { token } = JSON.parse(new TextDecoder().decode(peer.disk.contents("owner.token")));
    expect(peer.ask(peer.attach({ token }), wanted)).toMatchObject({ event: "invitation" });
    expect(report().invitations.filter(({ by, name }) => by === "olga" && name === "")).toHaveLength(2);
  });

  test("[A9] that would be of no use is refused, and nothing is in the log", () => {
    peer.present.add("olga");
    const refused = [
      { ...wanted, expires: peer.clock.wall() },
      { ...wanted, name: "ada" },
      { ...wanted, name: "olga" },
      { ...wanted, name: "bob", uses: 2 },
    ].map((question) => asks(question)[0]);
    const codes = refused.map((told) => (told?.event === "error" ? told.code : ""));
    expect(codes).toEqual(["command", "name-in-use", "name-in-use", "command"]);
    expect(peer.inputs.filter(({ type }) => type === "access")).toEqual([]);
  });

  test("[A9] that no majority confirms is not told", () => {
    peer.leads = false;
    const told = asks(wanted);
    expect(told).toEqual([]);
    peer.clock.pass(10_000);
    expect(told).toMatchObject([{ event: "error", code: "closing" }]);
  });
});

test("[A9] a report names members, tokens and invitations, and no secret", () => {
  const [open, used, over] = ["open", "used", "over"].map(secretOf) as [string, string, string];
  peer.invites(over, { expires: peer.clock.wall() + 1 });
  peer.invites(open, { name: "dora", role: "member" });
  peer.invites(used);
  peer.enters({ change: "user", hash: hashOf(secretOf("token")), name: "bob", rights: "write", invite: hashOf(used) });
  peer.clock.skip(5);
  const { members, users, invitations } = report();
  expect(members).toMatchObject([1, 2, 3].map((id) => ({ id, key: hashOf(`key ${id}`), state: "alive", behind: 0 })));
  expect(users.map(({ name, by, revoked }) => [name, by, revoked])).toEqual([
    ["bob", "olga", false],
    ["ada", "olga", false],
  ]);
  expect(invitations.map(({ name, state }) => [name, state])).toEqual([
    ["", "used"],
    ["dora", "open"],
    ["", "expired"],
    ["ada", "used"],
  ]);
  expect(invitations[1]?.id).toBe(hashOf(open).slice(0, 8));
});

describe("revoking", () => {
  test("[A9] takes a token, and open invitations, by name; and an invitation by what the report calls it", () => {
    const bob = peer.enrols("bob", "write");
    const line = peer.attach({ token: bob.token });
    expect(asks({ what: "revoke", name: "bob" })).toMatchObject([{ event: "notice", code: "done" }]);
    expect(line.refusal?.code).toBe("revoked");
    const secret = secretOf("open");
    peer.invites(secret);
    const id = report().invitations[0]?.id ?? "";
    expect(asks({ what: "revoke", name: id })).toMatchObject([{ event: "notice", code: "done" }]);
    expect(report().invitations[0]).toMatchObject({ id, state: "revoked" });
    expect(peer.redeem(secret, secretOf("token"), "eve").refusal?.code).toBe("revoked");
  });

  test("[A9] of nobody is refused", () => {
    expect(asks({ what: "revoke", name: "nobody" })).toMatchObject([{ event: "error", code: "command" }]);
  });
});

describe("commands", () => {
  test("[A9] are the engine's, and answered with what the leader says", () => {
    const told: Told[] = [];
    for (const question of [
      { what: "evict", id: 2 },
      { what: "transfer", id: 0 },
    ] as const)
      peer.desk.desk.ask(question, peer.person, (answer) => told.push(answer));
    expect(peer.inputs.slice(-2)).toEqual([
      { type: "evict", id: 2 },
      { type: "transfer", to: 0 },
    ]);
    peer.desk.onNotice({ event: "notice", code: "leading", message: "something else" });
    peer.desk.onNotice({ event: "notice", code: "done", message: "evicted" });
    peer.desk.onNotice({ event: "notice", code: "refused", message: "nobody is ready" });
    expect(told).toMatchObject([{ message: "evicted" }, { message: "nobody is ready" }]);
  });

  test("[A9] that nobody answers end in words", () => {
    const told = asks({ what: "evict", id: 2 });
    expect(told).toEqual([]);
    peer.clock.pass(10_000);
    expect(told).toMatchObject([{ event: "error", code: "unknown" }]);
    peer.desk.onNotice({ event: "notice", code: "done", message: "late" });
    expect(told).toHaveLength(1);
  });

  test("of a client of a plain cluster are for who sits at a peer, and there is nothing to invite to", () => {
    peer.secure = false;
    const client = peer.attach({ user: "bob", session: "b".repeat(16) });
    expect(peer.ask(client, { what: "evict", id: 2 })).toMatchObject({ event: "error", code: "refused" });
    expect(asks(wanted)).toMatchObject([{ event: "error", code: "command" }]);
  });
});
