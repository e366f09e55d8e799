/** An invitation becomes a token once; whoever lost the answer hears it again; all others hear why not [A8]. */
import { beforeEach, describe, expect, test } from "bun:test";
import { hashOf, type Line, SecuredPeer, secretOf, sessionOf } from "./secured-peer.ts";

const [INVITE, TOKEN, OTHER] = ["invitation", "token", "another token"].map(secretOf) as [string, string, string];

let peer: SecuredPeer;

beforeEach(() => {
  peer = new SecuredPeer();
  peer.commits();
});

const code = (line: Line) => line.refusal?.code ?? null;
const redeemed = (line: Line) => line.frames.find((frame) => frame.type === "REDEEMED");
const users = () => [...peer.access.users.values()].map(({ name }) => name);

describe("an invitation", () => {
  test("[A8] becomes a token when the committed log says so, with the place that its sessions begin with", () => {
    peer.invites(INVITE, { rights: "admin" });
    const line = peer.redeem(INVITE, TOKEN, "dora");
    expect([line.isEnded, redeemed(line)]).toEqual([false, undefined]);
    peer.commits();
    expect(line.isEnded).toBe(true);
    expect(redeemed(line)).toMatchObject({ name: "dora", rights: "admin", index: peer.last, cluster_id: "cluster" });
    expect(redeemed(line)).toMatchObject({ members: { length: 3, 0: { id: 1, key: hashOf("key 1") } } });
    const index = peer.last;
    const client = peer.attach({ token: TOKEN, user: "dora", session: sessionOf({ index }), seen: index });
    expect(client.isServed).toBe(true);
  });

  test("[A8] that names somebody is for that one, whatever name is asked for", () => {
    peer.invites(INVITE, { name: "dora" });
    const line = peer.redeem(INVITE, TOKEN, "eve");
    peer.commits();
    expect(redeemed(line)).toMatchObject({ name: "dora" });
  });

  test("[A8] is heard again by who lost the answer, and has one use less only once", () => {
    peer.invites(INVITE);
    peer.redeem(INVITE, TOKEN, "dora");
    peer.commits();
    const again = peer.redeem(INVITE, TOKEN, "somebody else");
    peer.commits();
    expect(redeemed(again)).toMatchObject({ name: "dora" });
    expect(code(peer.redeem(INVITE, OTHER, "eve"))).toBe("invite-used");
    expect(users()).toEqual(["dora"]);
  });

  test("[A8] is used by one of two that come together", () => {
    peer.invites(INVITE);
    const lines = [peer.redeem(INVITE, TOKEN, "dora"), peer.redeem(INVITE, OTHER, "eve")];
    peer.commits();
    expect(lines.map((line) => [redeemed(line) !== undefined, code(line)])).toEqual([
      [true, null],
      [false, "invite-used"],
    ]);
  });

  test("[A8] that is none, is over, revoked or for a member, is refused, each in its own words", () => {
    const kinds = { late: secretOf("late"), revoked: secretOf("revoked"), member: secretOf("member") };
    peer.invites(kinds.late, { expires: peer.clock.wall() + 5 });
    peer.invites(kinds.revoked);
    peer.enters({ change: "revoke", hash: hashOf(kinds.revoked), by: "olga" });
    peer.invites(kinds.member, { role: "member" });
    peer.clock.skip(10);
    const said = [secretOf("guessed"), ...Object.values(kinds)].map(
      (secret) => peer.redeem(secret, TOKEN, "dora").refusal,
    );
    expect(said.map((refusal) => refusal?.code)).toEqual(["stranger", "invite-expired", "revoked", "forbidden"]);
    expect(new Set(said.map((refusal) => refusal?.message)).size).toBe(4);
    expect(users()).toEqual([]);
  });

  test("of another cluster, or at a plain one, is not looked at", () => {
    peer.invites(INVITE);
    expect(code(peer.redeem(INVITE, TOKEN, "dora", "another"))).toBe("wrong-cluster");
    peer.secure = false;
    expect(code(peer.redeem(INVITE, TOKEN, "dora"))).toBe("plain");
  });
});

describe("a name", () => {
  test("[A8] that another token has, that is kept, or that somebody here has, is not given", () => {
    peer.enrols("bob", "write");
    peer.invites(secretOf("kept"), { name: "dora" });
    peer.present.add("olga");
    peer.invites(INVITE);
    for (const name of ["bob", "dora", "olga"]) expect(code(peer.redeem(INVITE, TOKEN, name))).toBe("name-in-use");
    peer.redeem(INVITE, TOKEN, "eve");
    peer.commits();
    expect(users()).toEqual(["bob", "eve"]);
  });
});

describe("while nobody leads", () => {
  beforeEach(() => {
    peer.invites(INVITE);
    peer.leads = false;
  });

  test("[A5] it is asked again until somebody does", () => {
    const line = peer.redeem(INVITE, TOKEN, "dora");
    peer.clock.pass(2000);
    peer.leads = true;
    peer.clock.pass(600);
    peer.commits();
    expect(redeemed(line)).toMatchObject({ name: "dora" });
    expect(users()).toEqual(["dora"]);
  });

  test("[A5] nobody waits for ever, and who has gone is forgotten", () => {
    const [line, gone] = [peer.redeem(INVITE, TOKEN, "dora"), peer.redeem(INVITE, OTHER, "eve")];
    peer.clients.closed(gone);
    peer.clock.pass(10_000);
    expect([code(line), gone.refusal]).toEqual(["closing", null]);
    const asked = peer.inputs.length;
    peer.clock.pass(10_000);
    expect(peer.inputs).toHaveLength(asked);
  });
});
