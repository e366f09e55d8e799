/** Files with tokens: made for their user alone, refused where others can read them, and never written over. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { givenCredentials, type Kept, keep, pendingToken } from "../../../src/cli/trust/credentials.ts";
import { INVITE_FLAGS, orderOf } from "../../../src/cli/trust/order.ts";
import type { Flag } from "../../../src/cli/usage/flag.ts";
import { UsageError } from "../../../src/cli/usage/flag-values.ts";
import { Settings } from "../../../src/cli/usage/settings.ts";

const FLAGS: readonly Flag[] = [
  { name: "token-file", value: "FILE", what: "" },
  { name: "data-dir", value: "DIR", what: "" },
];
const TOKEN = "a".repeat(26);
const KEY = "b".repeat(51) + "a";
const AT = { host: "127.0.0.1", port: 6001, key: KEY };
const KEPT: Kept = { cluster_id: "c1", name: "bob", rights: "write", token: TOKEN, index: 7, members: [AT] };

let root = "";
beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), "chatpeer-credentials-"));
});
afterAll(() => rmSync(root, { recursive: true, force: true }));

function settings(given: Readonly<Record<string, string>>, flags = FLAGS): Settings {
  const values = Object.entries(given).map(([name, value]) => [
    name,
    { values: [value], label: `--${name}`, from: "flag" },
  ]);
  return new Settings(flags, new Map(values as never));
}

function usage(attempt: () => unknown): string {
  try {
    attempt();
  } catch (error) {
    if (error instanceof UsageError) return error.message;
    throw error;
  }
  throw new Error("nothing was refused");
}

describe("credentials", () => {
  test("of a client are kept for its user alone, and read again", () => {
    const path = join(root, "kept.token");
    keep(path, KEPT);
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(givenCredentials(settings({ "token-file": path }))).toEqual({
      ...{ token: TOKEN, index: 7, name: "bob", peers: [AT] },
    });
    expect(usage(() => keep(path, KEPT))).toContain(path);
  });

  test("of a peer's directory have no name of their own", () => {
    writeFileSync(join(root, "owner.token"), JSON.stringify({ token: TOKEN, ...AT }), { mode: 0o600 });
    expect(givenCredentials(settings({ "data-dir": root }))).toEqual({
      token: TOKEN,
      index: 0,
      name: null,
      peers: [AT],
    });
    expect(usage(() => givenCredentials(settings({ "data-dir": join(root, "none") })))).toContain(
      "no peer of a secured cluster has been started with that directory",
    );
    expect(usage(() => givenCredentials(settings({ "data-dir": root, "token-file": root })))).toContain("choose one");
    expect(givenCredentials(settings({}))).toBe(null);
  });

  test("that others can read are refused, and so is a file that holds something else; neither is shown", () => {
    const path = join(root, "open.token");
    writeFileSync(path, JSON.stringify(KEPT));
    chmodSync(path, 0o644);
    const said = usage(() => givenCredentials(settings({ "token-file": path })));
    expect(said).toContain("(mode 0644)");
    expect(said).not.toContain(TOKEN);
    const other = join(root, "other.token");
    writeFileSync(other, `{"token":"${TOKEN}x"}`, { mode: 0o600 });
    expect(usage(() => givenCredentials(settings({ "token-file": other })))).toBe(
      `${other} holds no token: it is what chatpeer connect keeps of an invitation`,
    );
    expect(usage(() => givenCredentials(settings({ "token-file": join(root, "none") })))).toContain("there is no file");
  });

  test("a token that is being asked for is there before, and the same after an interruption", () => {
    const path = join(root, "deep", "new.token");
    const first = pendingToken(path, () => TOKEN);
    expect(readFileSync(`${path}.new`, "utf8")).toBe(TOKEN);
    expect(statSync(`${path}.new`).mode & 0o777).toBe(0o600);
    const again = pendingToken(path, () => "c".repeat(26));
    expect([first.token, again.token]).toEqual([TOKEN, TOKEN]);
    keep(path, KEPT);
    again.done();
    expect(existsSync(`${path}.new`)).toBe(false);
  });
});

test("an invitation by flags: a member has every right, a client those that are said", () => {
  const order = (given: Readonly<Record<string, string>>) => orderOf(settings(given, INVITE_FLAGS));
  const member = { role: "member", name: "", rights: "admin", uses: 1, lifeMs: 86_400_000, qr: false } as const;
  expect(order({})).toEqual(member);
  expect(order({ name: "bob", uses: "3", expires: "30m", qr: "true" })).toEqual({
    ...member,
    ...{ name: "bob", uses: 3, lifeMs: 1_800_000, qr: true },
  });
  expect(order({ client: "true" })).toEqual({ ...member, role: "client", rights: "write" });
  expect(order({ client: "true", rights: "read" }).rights).toBe("read");
  expect(usage(() => order({ rights: "read" }))).toContain("Add --client");
  expect(usage(() => order({ member: "true", client: "true" }))).toContain("choose one");
});
