/** Mutants of a secured cluster: the rules A1 to A7. */
import type { Key, MemberKey } from "../core/ids.ts";
import type { Configuration } from "../core/log-entry.ts";
import type { Peer } from "../engines/bully/peer.ts";
import { leaders, type Mutant, peers, wrap } from "./mutant.ts";

export const TRUST_MUTANTS: readonly Mutant[] = [
  {
    name: "invitation-twice",
    rule: "A7",
    what: "an invitation is not used up by whom it lets in",
    parts: peers(({ log: { state } }) => {
      state.access.applyUses = () => {};
      state.access.undoUses = () => {};
      // Nor is it looked for how often one configuration uses it.
      state.access.refuseUses = () => null;
    }),
  },
  {
    name: "evicted-key-accepted",
    rule: "A4",
    what: "the key of who was evicted goes on being a member's",
    parts: peers((peer) => {
      const known = new Map<string, Key>();
      const note = () => {
        for (const { id, inc, key } of peer.configuration?.members ?? [])
          if (key !== undefined) known.set(`${id}.${inc}`, key);
      };
      const before = ({ id, inc }: MemberKey) => known.get(`${id}.${inc}`) ?? null;
      note();
      wrap(peer, "step", (step) => (input, now) => {
        step(input, now);
        note();
      });
      wrap(peer, "keyOf", (keyOf) => (who) => keyOf(who) ?? before(who));
      wrap(peer, "knows", (knows) => (who) => knows(who) || before(who) !== null);
    }),
  },
  {
    name: "key-not-compared",
    rule: "A3",
    what: "whoever shows the certificate of a member is taken for it, without a proof of its key",
    parts: { isBlind: true },
  },
  {
    name: "expired-invitation",
    rule: "A7",
    what: "an invitation is good for ever",
    parts: peers(({ log: { state } }) => {
      wrap(state.access, "mayRedeem", (mayRedeem) => (hash, role) => mayRedeem(hash, role, 0));
    }),
  },
  {
    name: "revoked-invitation",
    rule: "A5",
    what: "an invitation that was revoked is as good as before",
    parts: peers(({ log: { state } }) => {
      wrap(state.access, "apply", (apply) => (entry) => {
        if (!(entry.data !== null && "change" in entry.data && entry.data.change === "revoke")) apply(entry);
      });
    }),
  },
  {
    name: "place-by-waiting",
    rule: "A6",
    what: "who was invited takes the place of a member that is away",
    parts: leaders((leadership, peer) => {
      wrap(leadership.guests, "mayJoin", (mayJoin) => (from, asking, configuration) => {
        const away = configuration.members.some((m) => m.id === asking.id && !peer.isLinked(m));
        return (away && asking.invite !== undefined) || mayJoin(from, asking, configuration);
      });
    }),
  },
  {
    name: "use-unnamed",
    rule: "A7",
    what: "the configuration that lets somebody in does not say which invitation that uses up",
    parts: configurations(({ invites: _, ...rest }) => rest),
  },
  {
    name: "secured-once-only",
    rule: "A1",
    what: "the next configuration of a secured cluster is a plain one",
    parts: configurations(({ secure: _, ...rest }) => rest),
  },
];

/** Changes every configuration that a leader makes. */
function configurations(change: (made: Configuration) => Configuration): Mutant["parts"] {
  return leaders((leadership: NonNullable<Peer["leadership"]>) => {
    wrap(leadership, "append", (append) => (kind, content) => {
      const data = kind === "config" ? change(content.data as Configuration) : content.data;
      return append(kind, data === undefined ? content : { ...content, data });
    });
  });
}
