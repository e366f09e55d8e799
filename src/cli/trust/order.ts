/** What somebody wants of an invitation, whether in a line of the chat (`/invite client bob uses 3`) or by flags. */
import { INVITATION_USES_MAX } from "../../core/config.ts";
import type { InvitedRole, Rights } from "../../core/log-entry.ts";
import type { Flag } from "../usage/flag.ts";
import { lifetime, name as readName, UsageError, wholeNumber } from "../usage/flag-values.ts";
import type { Settings } from "../usage/settings.ts";

export interface Order {
  readonly role: InvitedRole;
  /** Whom it is for; "": whoever comes chooses a name. */
  readonly name: string;
  readonly rights: Rights;
  readonly uses: number;
  /** How long it can be used, in milliseconds. */
  readonly lifeMs: number;
  /** A code that a camera reads is drawn, too. */
  readonly qr: boolean;
}

const RIGHTS: readonly Rights[] = ["read", "write", "admin"];
const LIFE = "24h";

export const INVITE_FLAGS: readonly Flag[] = [
  { name: "member", value: null, what: "For a peer, with a log of its own (without it and --client: a member)" },
  { name: "client", value: null, what: "For a client: a person or a program at some peer" },
  { name: "name", value: "NAME", what: "Whom it is for; a client has that name then", otherwise: "it chooses one" },
  {
    name: "rights",
    value: "read|write|admin",
    what: "What the client may do; admin: also invite, evict, revoke and hand over the lead",
    choices: RIGHTS,
    preset: "write",
  },
  { name: "uses", value: "N", what: `How many may come with it, at most ${INVITATION_USES_MAX}`, preset: "1" },
  { name: "expires", value: "TIME", what: "How long it can be used, like 30m, 24h or 7d", preset: LIFE },
  { name: "qr", value: null, what: "Draw it as a code, too, for a camera" },
];

/** Throws UsageError. */
export function orderOf(settings: Settings): Order {
  if (settings.on("member") && settings.on("client"))
    throw new UsageError("an invitation is for a --member or for a --client: choose one");
  const role = settings.on("client") ? "client" : "member";
  if (role === "member" && settings.given("rights"))
    throw new UsageError("--rights is for clients: a member may do everything. Add --client");
  const name = settings.text("name");
  return {
    role,
    name: name === undefined ? "" : readName("--name", name),
    rights: role === "member" ? "admin" : (settings.choice("rights", RIGHTS) as Rights),
    uses: settings.number("uses", 1, INVITATION_USES_MAX) as number,
    lifeMs: lifetime("--expires", settings.text("expires") as string),
    qr: settings.on("qr"),
  };
}

/** What stands behind `/invite`: who, a name, a right, `uses N`, `for TIME`, `qr`. Throws UsageError. */
export function orderFrom(argument: string): Order {
  const [role, ...words] = argument.split(/\s+/).filter((word) => word !== "");
  if (role !== "member" && role !== "client")
    throw new UsageError("/invite needs member or client first, like /invite member, or /invite client bob read");
  const order = { rights: role === "member" ? "admin" : "write", uses: 1, lifeMs: lifetime("for", LIFE), qr: false };
  const found = { role, ...order } as { -readonly [K in keyof Order]: Order[K] };
  // The name comes first and may have several words, so the rest is read from the end.
  for (let end = words.length; end > 0; end = words.length) {
    const [before, last] = [words[end - 2], words[end - 1] as string];
    if (before === "uses") found.uses = wholeNumber("uses", last, 1, INVITATION_USES_MAX);
    else if (before === "for") found.lifeMs = lifetime("for", last);
    else if (last === "qr") found.qr = true;
    else if (RIGHTS.includes(last as Rights)) found.rights = last as Rights;
    else break;
    words.length = before === "uses" || before === "for" ? end - 2 : end - 1;
  }
  if (role === "member" && found.rights !== "admin")
    throw new UsageError("/invite member takes no right: a member may do everything");
  return { ...found, name: words.length === 0 ? "" : readName("the name", words.join(" ")) };
}
