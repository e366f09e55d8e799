/** The invitation that somebody is given: from a prompt, a file, standard input or the environment; never from an argument. */
import { readFileSync } from "node:fs";
import { type Invitation, parseInvitation } from "../../wire/invitation.ts";
import type { Question } from "../process/ask.ts";
import { takeFirstLine } from "../process/standard-input.ts";
import type { Flag } from "../usage/flag.ts";
import { UsageError } from "../usage/flag-values.ts";
import { INVITE_VARIABLE } from "../usage/secrets.ts";
import type { Settings } from "../usage/settings.ts";

export const INVITE_FILE: Flag = {
  name: "invite-file",
  value: "FILE",
  what: `The invitation to come with: a file, or - for the first line of standard input; or ${INVITE_VARIABLE} holds the invitation itself`,
  completes: "file",
  setting: "text",
};

/** An invitation is far shorter; this is a mistaken argument. */
const FILE_BYTES_MAX = 16 * 1024;

interface Given {
  /** Where it stands, for errors. */
  readonly label: string;
  readonly text: string;
}

/** null: none is given. Rejects with UsageError. */
export async function givenInvitation(settings: Settings, role: Invitation["role"]): Promise<Invitation | null> {
  const given = await givenText(settings);
  return given === null ? null : understood(given.label, given.text, role);
}

/** As it stands there. Rejects with UsageError. */
export async function givenText(settings: Settings): Promise<Given | null> {
  const file = settings.text(INVITE_FILE.name);
  const variable = process.env[INVITE_VARIABLE] ?? "";
  if (file !== undefined) return { label: settings.label(INVITE_FILE.name), text: await readText(file) };
  return variable === "" ? null : { label: INVITE_VARIABLE, text: variable };
}

/** For `ask`. */
export function invitationQuestion(role: Invitation["role"]): Question {
  return {
    text: "Invitation, as /invite on a peer prints it (it is not shown)",
    propose: () => null,
    check: (answer) => understood("this", answer, role),
  };
}

/** Throws UsageError, which shows nothing of the text. */
export function understood(label: string, text: string, role: Invitation["role"]): Invitation {
  const parsed = parseInvitation(text);
  if (!parsed.ok) throw new UsageError(`${label} is no invitation: ${parsed.message}`);
  const { invitation } = parsed;
  if (invitation.role === role) return invitation;
  throw new UsageError(
    role === "member"
      ? "this invitation is for a client: use it with chatpeer connect, or ask for one for a member"
      : "this invitation is for a member: use it with chatpeer join, or ask for one for a client",
  );
}

async function readText(file: string): Promise<string> {
  if (file === "-" && process.stdin.isTTY === true)
    throw new UsageError(
      "standard input is a terminal: leave out --invite-file -, and type the invitation where it is asked for",
    );
  try {
    return file === "-" ? await takeFirstLine(FILE_BYTES_MAX) : readFileSync(file, "utf8").slice(0, FILE_BYTES_MAX);
  } catch (error) {
    const where = file === "-" ? "standard input" : file;
    throw new UsageError(`cannot read the invitation in ${where}: ${(error as Error).message}`);
  }
}
