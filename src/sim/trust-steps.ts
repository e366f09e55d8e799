/** What is done to a secured cluster: invitations are made, given to those who are to join, spoiled and revoked. */
import type { Told } from "../core/reports.ts";
import { encodeInvitation, parseInvitation } from "../wire/invitation.ts";
import type { Machine } from "./machine.ts";
import { guessedSecret, hashOf } from "./simulated-trust.ts";
import type { Stage } from "./stage.ts";

type Carry = (this: Stage, machine: Machine, args: readonly string[]) => void;

/** An invitation that nobody says more of is good for this time. */
const GOOD_MS = 600_000;
/** Characters of its hash by which an invitation is revoked. */
const NAME_CHARS = 8;

export const TRUST_STEPS = {
  invite(machine, [, group, uses = "1", ms = `${GOOD_MS}`]) {
    invite(this, machine, group as string, "member", Number(uses), Number(ms));
  },
  misinvite(machine, [, group]) {
    invite(this, machine, group as string, "client", 1, GOOD_MS);
  },
  guess(machine) {
    const { invitation } = machine;
    if (invitation === null) return;
    give(machine, encodeInvitation({ ...invitation, secret: guessedSecret(machine.random) }));
  },
  revoke(machine, [, whom]) {
    const held = this.machine(whom)?.invitation;
    if (held == null) return;
    const name = hashOf(held.secret).slice(0, NAME_CHARS);
    machine.do((host) => host.ask({ what: "revoke", name }, () => {}));
  },
} satisfies Record<string, Carry>;

/** Who gets the invitation joins with it at once. */
function invite(
  world: Stage,
  machine: Machine,
  group: string,
  role: "member" | "client",
  uses: number,
  ms: number,
): void {
  const guests = group.split(",").flatMap((site) => world.machine(site) ?? []);
  machine.do((host) => {
    const expires = (machine.running?.clock.wall() ?? 0) + ms;
    const asked = { what: "invite", role, name: "", rights: "write", uses, expires } as const;
    host.ask(asked, (told: Told) => {
      if (told.event !== "invitation") return;
      for (const guest of guests) give(guest, told.invitation);
      for (const guest of guests) if (guest.running === null) guest.start();
    });
  });
}

function give(machine: Machine, text: string): void {
  const parsed = parseInvitation(text);
  if (parsed.ok) machine.invitation = parsed.invitation;
}
