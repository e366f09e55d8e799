/** What the doctor says of invitations, and of peers that prove a key: each kind of trouble has its own code and a way on. */
import { describe, expect, test } from "bun:test";
import type { Greeting } from "../../../src/cli/doctor/greeting.ts";
import { judgeInvitation } from "../../../src/cli/doctor/judge-invitation.ts";
import { judgeMembers, type Knowledge } from "../../../src/cli/doctor/judge-members.ts";
import type { Looked } from "../../../src/cli/trust/look.ts";
import { encodeInvitation, pinOf } from "../../../src/wire/invitation.ts";

const KEY = `${"b".repeat(51)}a`;
const OTHER_KEY = `${"c".repeat(51)}a`;
const ADDRESS = { host: "127.0.0.1", port: 6001 };
const TEXT = encodeInvitation({
  role: "member",
  cluster_id: "c1",
  secret: `${"d".repeat(25)}a`,
  addresses: [{ id: 1, ...ADDRESS, pin: pinOf(KEY) }],
});

async function judged(text: string, greeting: Greeting, looked: Looked, clusterId: string | null = null) {
  const looks = { look: async () => looked, greet: async () => greeting, timeoutMs: 1000 };
  const found = await judgeInvitation(text, clusterId, looks);
  for (const { message } of found) expect(message).not.toContain("d".repeat(10));
  return found.map(({ about, ok, code }) => [about, ok, code]);
}

const proves = (key: string): Greeting => ({ result: "secured", key });
const USABLE: Looked = { ok: true, ids: [1] };

describe("an invitation", () => {
  test("that can be used is right, and so is the key of its peer", async () => {
    expect(await judged(TEXT, proves(KEY), USABLE)).toEqual([
      ["127.0.0.1:6001", true, "ok"],
      ["invitation", true, "ok"],
    ]);
    expect(await judged(TEXT, proves(KEY), USABLE, "c1")).toContainEqual(["invitation", true, "ok"]);
  });

  test("that is used, expired, revoked or unknown has the code of its refusal", async () => {
    for (const code of ["invite-used", "invite-expired", "revoked", "stranger"])
      expect(await judged(TEXT, proves(KEY), { ok: false, code, message: "no" })).toContainEqual([
        "invitation",
        false,
        code,
      ]);
    expect(
      await judged(TEXT, { result: "unreachable", code: "ECONNREFUSED" }, { ok: false, code: null, message: "" }),
    ).toEqual([
      ["127.0.0.1:6001", false, "refused"],
      ["invitation", false, "unreachable"],
    ]);
  });

  test("that is mistyped is not asked about; one of another cluster is named as such", async () => {
    expect(await judged(TEXT.slice(0, -4), proves(KEY), USABLE)).toEqual([["invitation", false, "mistyped"]]);
    expect(await judged(TEXT, proves(KEY), USABLE, "c2")).toContainEqual(["invitation", false, "wrong-cluster"]);
  });

  test("whose peer proves another key, or is a plain one, says so", async () => {
    expect(await judged(TEXT, proves(OTHER_KEY), USABLE)).toContainEqual(["127.0.0.1:6001", false, "key"]);
  });
});

test("members by the log are known by their keys, wherever they are", () => {
  const known: Knowledge = {
    ...{ id: 2, seeds: [], own: null, at: null },
    members: [{ id: 1, inc: "i1", address: ADDRESS, key: KEY }],
  };
  const seen = (key: string, port = 6001) => [{ address: { ...ADDRESS, port }, greeting: proves(key) }];
  const codes = (answered: ReturnType<typeof seen>) => judgeMembers(known, answered, 1000).map(({ code }) => code);
  expect(codes(seen(KEY))).toEqual(["ok"]);
  expect(codes(seen(OTHER_KEY))).toEqual(["key"]);
  expect(codes(seen(KEY, 6009))).toEqual(["moved"]);
  const plain = judgeMembers({ ...known, members: [{ id: 1, inc: "i1", address: ADDRESS }] }, seen(KEY), 1000);
  expect(plain.map(({ code }) => code)).toEqual(["needs-tls"]);
});
