/** Who may come in, as a program asks for it: questions to its peer, with promises in place of answers. */
import type * as v from "valibot";
import type { INVITE } from "./arguments.ts";
import type { Access, Invited } from "./chat-peer.ts";
import type { Told } from "./core/reports.ts";
import type { OwnQuestion } from "./host/service.ts";
import { PeerError } from "./peer-error.ts";

type Ask = (question: OwnQuestion, signal?: AbortSignal) => Promise<Told>;

/** `wall`: ms since 1970. Rejects with PeerError. */
export async function invite(
  ask: Ask,
  { signal, expiresIn, role, name = "", rights, uses }: v.InferOutput<typeof INVITE>,
  wall: number,
): Promise<Invited> {
  const may = role === "member" ? "admin" : rights;
  const told = await ask({ what: "invite", role, name, rights: may, uses, expires: wall + expiresIn }, signal);
  if (told.event !== "invitation") throw refused(told);
  const { invitation, expires } = told;
  return { invitation, expires };
}

export async function access(ask: Ask): Promise<Access> {
  const told = await ask({ what: "access" });
  if (told.event !== "access") throw refused(told);
  const { members, users, invitations } = told;
  return { members, users, invitations };
}

/** What is answered with a notice. */
export async function done(ask: Ask, question: OwnQuestion): Promise<void> {
  const told = await ask(question);
  if (told.event !== "notice" || told.code === "refused") throw refused(told);
}

function refused(told: Told): PeerError {
  if (told.event !== "error" && told.event !== "notice") return new PeerError("refused", "the answer was another one");
  return new PeerError(told.code === "forbidden" ? "forbidden" : "refused", told.message);
}
