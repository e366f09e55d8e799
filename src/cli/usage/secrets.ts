/** Secrets have no place in arguments: every user of a machine can read those of a process, and shells keep them in a file. */
import { UsageError } from "./flag-values.ts";

/** Holds an invitation itself. */
export const INVITE_VARIABLE = "CHATPEER_INVITE";

/** An invitation, also one that was broken into lines; a name that only begins like one is shorter. */
const INVITATION = /chatpeer1-[\w-]{40}/;
const UNSEEN = /[\s\p{Cf}]/gu;
/** Where one would look for a flag that takes a secret. */
const NO_FLAGS = ["--invite", "--invitation", "--token", "--secret"];

/** Throws UsageError, which shows nothing of what was typed. */
export function refuseSecrets(args: readonly string[]): void {
  const typed = args.map((arg) => arg.replace(UNSEEN, ""));
  const end = args.indexOf("--");
  const flags = end < 0 ? typed : typed.slice(0, end);
  const flag = flags.map((arg) => arg.split("=", 1)[0] ?? "").find((arg) => NO_FLAGS.includes(arg));
  const reason =
    "every user of this machine can see the arguments of a process, and the shell keeps them in its history";
  if (flag === "--token" || flag === "--secret")
    throw new UsageError(`a token is a secret, and no argument: ${reason}. Give it in a file, with --token-file FILE`);
  if (flag === undefined && !typed.some((arg) => INVITATION.test(arg))) return;
  throw new UsageError(
    `an invitation is a secret, and no argument: ${reason}. Type it where chatpeer asks for it, or give it with --invite-file FILE (- is standard input) or in ${INVITE_VARIABLE}`,
  );
}
