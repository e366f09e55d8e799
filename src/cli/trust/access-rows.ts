/** An invitation, and who may come in, as rows for people. Everything that others chose is made visible. */
import type {
  AccessInvitation,
  AccessMember,
  AccessReport,
  AccessUser,
  InvitationTold,
} from "../../core/access-reports.ts";
import type { Rights } from "../../core/log-entry.ts";
import { counted, type Row } from "../screen/answer-rows.ts";
import { timeSeenFrom } from "../screen/message-rows.ts";
import { visible } from "../screen/visible.ts";

const MAY: Record<Rights, string> = {
  read: "may read",
  write: "may read and write",
  admin: "may read, write and let others in",
};

/** `now`: milliseconds since 1970. The invitation is the last row. */
export function invitationRows({ invitation, role, name, rights, uses, expires }: InvitationTold, now: number): Row[] {
  const who = role === "member" ? "a member" : "a client";
  const may = role === "member" ? "" : `, who ${MAY[rights]}`;
  const command = role === "member" ? "chatpeer join" : "chatpeer connect";
  return [
    `an invitation for ${who}${name === "" ? "" : `, ${visible(name)}`}${may}; it can be used ${uses === 1 ? "once" : `${uses} times`}, until ${timeSeenFrom(now, expires)}`,
    `whoever has it comes in: send it to that one alone, who types ${command}`,
    invitation,
  ];
}

export function accessRows({ members, users, invitations }: AccessReport, now: number): Row[] {
  const open = invitations.filter(({ state }) => state === "open");
  const hasRevoked = users.some(({ revoked }) => revoked) || invitations.some(({ state }) => state === "revoked");
  return [
    ...members.map((member) => memberRow(member, hasRevoked)),
    ...(users.length === 0 ? ["no client has a token"] : users.map(userRow)),
    ...(open.length === 0 ? ["no invitation is open"] : []),
    ...invitations.map((one) => invitationRow(one, now)),
  ];
}

function memberRow({ id, key, role, state, behind }: AccessMember, hasRevoked: boolean): Row {
  const lacks =
    behind === null || behind === 0 ? [] : [`${counted(behind, "entry", "entries")} short of the last revocation`];
  const unknown =
    hasRevoked && behind === null && role !== "left" ? ["not known whether it has the last revocation"] : [];
  return [`peer ${id}`, key ?? "no key", [role, ...(role === "left" ? [] : [state]), ...lacks, ...unknown].join(", ")];
}

function userRow({ name, rights, by, revoked }: AccessUser): Row {
  const said = [MAY[rights], ...(by === "" ? [] : [`invited by ${visible(by)}`]), ...(revoked ? ["revoked"] : [])];
  return ["client", visible(name), said.join(", ")];
}

function invitationRow({ id, role, name, rights, uses, left, expires, by, state }: AccessInvitation, now: number): Row {
  const used = uses === 1 ? [] : [`${uses - left} of ${uses} used`];
  const time = state === "open" ? [`until ${timeSeenFrom(now, expires)}`] : [];
  const said = [
    `for a ${role}${name === "" ? "" : `, ${visible(name)}`}`,
    ...(role === "client" ? [rights] : []),
    ...[state, ...used, ...time, `by ${visible(by)}`],
  ];
  return ["invitation", id, said.join(", ")];
}
