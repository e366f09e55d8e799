/** `chatpeer invite`, `access`, `evict` and `revoke`: who may come into a secured cluster, asked of a peer that runs. */
import type { AdminQuestion } from "../../core/access-reports.ts";
import type { Address } from "../../core/address.ts";
import { PEER_ID_MAX } from "../../core/config.ts";
import type { Told } from "../../core/reports.ts";
import { askOnce } from "../client/ask-once.ts";
import { inColumns } from "../screen/columns.ts";
import { visible } from "../screen/visible.ts";
import type { Call, Command } from "../usage/command.ts";
import type { Flag } from "../usage/flag.ts";
import { duration, name as readName, UsageError, wholeNumber } from "../usage/flag-values.ts";
import { accessRows, invitationRows } from "./access-rows.ts";
import { OWN_DIRECTORY, TOKEN_FILE } from "./credentials.ts";
import { INVITE_FLAGS, orderOf } from "./order.ts";
import { visitGiven } from "./visit.ts";

const TIMEOUT: Flag = { name: "timeout", value: "TIME", what: "Exit code 1 without an answer by then", preset: "10s" };
const JSON_FLAG: Flag = { name: "json", value: null, what: "One JSON object" };
const WAYS_IN = [OWN_DIRECTORY, TOKEN_FILE, TIMEOUT];
const EXITS = { 0: "done", 1: "not done, or not known to be: stderr says why" };

export const INVITE: Command = {
  name: "invite",
  words: "[HOST:PORT]",
  purpose: "make an invitation to a secured cluster, and print it",
  about: [
    "It is one line, and a secret: whoever has it comes in, as often as --uses says, until it --expires. The peer that makes it is the one of --data-dir, or the one that the token of --token-file is for, which must have the right admin.",
  ],
  flags: [...INVITE_FLAGS, ...WAYS_IN, JSON_FLAG],
  examples: [
    { command: "chatpeer invite --data-dir ./data/peer1", what: "For one more member" },
    {
      command: "chatpeer invite --client --name backup --rights write --token-file ./admin.token",
      what: "For a script, from another machine",
    },
  ],
  exits: EXITS,
  async run(call) {
    const { settings, words, out, err, paint } = call;
    const { qr, lifeMs, ...order } = orderOf(settings);
    const now = Date.now();
    const told = await answer(call, words, { what: "invite", ...order, expires: now + lifeMs });
    if (told?.event !== "invitation") return 1;
    if (settings.on("json")) out.line(JSON.stringify(told));
    else {
      // What a program takes from stdout is the invitation alone.
      for (const row of invitationRows(told, now).slice(0, -1)) err.line(`chatpeer: ${row}`);
      out.line(told.invitation);
    }
    if (!qr) return 0;
    const { qrRows } = await import("./qr.ts");
    for (const row of await qrRows(told.invitation, paint.lamp)) (settings.on("json") ? err : out).line(row);
    return 0;
  },
};

export const ACCESS: Command = {
  name: "access",
  words: "[HOST:PORT]",
  purpose: "say who may come into a secured cluster: members with their keys, tokens, invitations",
  flags: [...WAYS_IN, JSON_FLAG],
  examples: [{ command: "chatpeer access --data-dir ./data/peer1", what: "Also who lacks the last revocation" }],
  exits: { 0: "told", 1: "no answer: stderr says why" },
  async run(call) {
    const { settings, words, out } = call;
    const told = await answer(call, words, { what: "access" });
    if (told?.event !== "access") return 1;
    if (settings.on("json")) out.line(JSON.stringify(told));
    else for (const line of inColumns(accessRows(told, Date.now()))) out.line(line);
    return 0;
  },
};

export const EVICT: Command = {
  name: "evict",
  words: "[HOST:PORT] ID",
  purpose: "put a member out, dead or alive",
  flags: WAYS_IN,
  examples: [{ command: "chatpeer evict 3 --data-dir ./data/peer1", what: "Its key counts no more" }],
  exits: EXITS,
  run(call) {
    const { what, where } = lastWord(call.words, "evict needs the id of a peer: chatpeer evict 3 --data-dir DIR");
    return done(call, where, { what: "evict", id: wholeNumber("the id", what, 1, PEER_ID_MAX) });
  },
};

export const REVOKE: Command = {
  name: "revoke",
  words: "[HOST:PORT] NAME",
  purpose: "take back a token, or an invitation that is open",
  flags: WAYS_IN,
  examples: [{ command: "chatpeer revoke backup --data-dir ./data/peer1", what: "By the name that access shows" }],
  exits: EXITS,
  run(call) {
    const { what, where } = lastWord(call.words, "revoke needs a name: chatpeer revoke backup --data-dir DIR");
    return done(call, where, { what: "revoke", name: readName("the name", what) });
  },
};

function lastWord(words: readonly string[], wanted: string): { what: string; where: readonly string[] } {
  const what = words.at(-1);
  if (what === undefined || words.length > 2) throw new UsageError(wanted);
  return { what, where: words.slice(0, -1) };
}

async function done(call: Call, where: readonly string[], question: AdminQuestion): Promise<number> {
  const told = await answer(call, where, question);
  if (told?.event !== "notice") return 1;
  const isDone = told.code !== "refused";
  (isDone ? call.out : call.err).line(visible(isDone ? told.message : `chatpeer: ${told.message}`));
  return isDone ? 0 : 1;
}

/** null where it is none, which is said. Throws UsageError. */
async function answer(
  { settings, err }: Call,
  words: readonly string[],
  question: AdminQuestion,
): Promise<Told | null> {
  const command = question.what;
  const timeoutMs = duration("--timeout", settings.text("timeout") as string);
  const { ports, addresses } = await visitGiven(command, settings, words);
  const answered = await askOnce(ports, addresses[0] as Address, question, timeoutMs);
  if (answered.ok && answered.told.event !== "error") return answered.told;
  const why = answered.ok ? (answered.told as { readonly message: string }).message : answered.why;
  err.line(`chatpeer: ${visible(why)}`);
  return null;
}
