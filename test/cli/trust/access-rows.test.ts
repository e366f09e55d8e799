/** An invitation and who may come in, as people read them; what others chose is made visible. */
import { expect, test } from "bun:test";
import { accessRows, invitationRows } from "../../../src/cli/trust/access-rows.ts";
import type { AccessReport } from "../../../src/core/access-reports.ts";

const NOW = new Date(2026, 0, 2, 12, 0).getTime();
const HOUR = 3_600_000;
const KEY = `${"b".repeat(51)}a`;

test("an invitation says for whom, what for and how long; its last row is the invitation alone", () => {
  const told = { event: "invitation", invitation: "chatpeer1-x", expires: NOW + HOUR } as const;
  const member = { ...told, role: "member", name: "", rights: "admin", uses: 1 } as const;
  expect(invitationRows(member, NOW)).toEqual([
    "an invitation for a member; it can be used once, until 13:00",
    "whoever has it comes in: send it to that one alone, who types chatpeer join",
    "chatpeer1-x",
  ]);
  const client = {
    ...told,
    role: "client",
    name: "b\x07b",
    rights: "read",
    uses: 3,
    expires: NOW + 24 * HOUR,
  } as const;
  expect(invitationRows(client, NOW).slice(0, 2)).toEqual([
    "an invitation for a client, b^Gb, who may read; it can be used 3 times, until 3 Jan 12:00",
    "whoever has it comes in: send it to that one alone, who types chatpeer connect",
  ]);
});

test("who may come in: members, tokens, invitations, and who lacks a revocation", () => {
  const invitation = { id: "abcdefgh", role: "client", name: "", rights: "write", uses: 2, left: 1 } as const;
  const report: AccessReport = {
    event: "access",
    members: [
      { id: 1, key: KEY, role: "voter", state: "alive", behind: 0 },
      { id: 2, key: KEY, role: "voter", state: "unreachable", behind: 3 },
      { id: 3, key: null, role: "left", state: "left", behind: null },
      { id: 4, key: KEY, role: "observer", state: "unreachable", behind: null },
    ],
    users: [{ name: "bob", rights: "admin", by: "alice", index: 9, revoked: true }],
    invitations: [{ ...invitation, expires: NOW + HOUR, by: "alice", state: "open" }],
  };
  expect(accessRows(report, NOW)).toEqual([
    ["peer 1", KEY, "voter, alive"],
    ["peer 2", KEY, "voter, unreachable, 3 entries short of the last revocation"],
    ["peer 3", "no key", "left"],
    ["peer 4", KEY, "observer, unreachable, not known whether it has the last revocation"],
    ["client", "bob", "may read, write and let others in, invited by alice, revoked"],
    ["invitation", "abcdefgh", "for a client, write, open, 1 of 2 used, until 13:00, by alice"],
  ]);
  expect(accessRows({ ...report, members: [], users: [], invitations: [] }, NOW)).toEqual([
    "no client has a token",
    "no invitation is open",
  ]);
});
