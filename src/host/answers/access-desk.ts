/**
 * Answers those who have the right "admin": makes invitations, lists and revokes access, evicts, hands over the lead [A9].
 * The secret of an invitation is made here and told to the asker. It is kept nowhere: the log has its hash.
 */
import type { AccessMember, AccessReport, AdminQuestion } from "../../core/access-reports.ts";
import { ACCESS_ROWS_MAX } from "../../core/config.ts";
import type { LogIndex, PeerId } from "../../core/ids.ts";
import type { Invite, Member } from "../../core/log-entry.ts";
import type { Invitation } from "../../core/log-view.ts";
import type { Notice, Question, Told } from "../../core/reports.ts";
import type { Input } from "../../engines/engine.ts";
import type { EngineView } from "../../engines/view.ts";
import { encodeInvitation, INVITATION_ADDRESSES_MAX, pinOf } from "../../wire/invitation.ts";
import { isName } from "../../wire/text.ts";
import type { AccessChanges } from "../client/access-changes.ts";
import { nameTaken } from "../client/reserved-names.ts";
import type { Clock, Timer, Trust } from "../contracts.ts";
import { type Asker, refuseName } from "../own-person.ts";

/** An invitation without a name is called by so many characters of its hash. */
const ID_CHARS = 8;
/** The leader answers a command within this time, or the asker hears that it has not. */
const COMMAND_MS = 5000;

export interface AccessDeskHost {
  readonly clock: Clock;
  readonly trust: Pick<Trust, "secret" | "hash"> | null;
  readonly changes: Pick<AccessChanges, "submit">;
  peer(): EngineView | null;
  clusterId(): string | null;
  input(input: Input): void;
}

type Answer = (told: Told) => void;

export function isAdminQuestion(question: Question): question is AdminQuestion {
  return ["invite", "access", "evict", "revoke", "transfer"].includes(question.what);
}

export class AccessDesk {
  readonly #host: AccessDeskHost;
  /** The commands that the leader has not answered, oldest first, each with its time limit. */
  readonly #commands = new Map<Answer, Timer>();

  constructor(host: AccessDeskHost) {
    this.#host = host;
  }

  ask(question: AdminQuestion, asker: Asker, answer: Answer): void {
    const peer = this.#host.peer();
    if (peer === null) return answer(error("closing", "this peer is starting or stopping: try again"));
    if (asker.rights !== "admin") return answer(tooFew(asker, peer));
    if (question.what === "evict") return this.#command({ type: "evict", id: question.id }, answer);
    if (question.what === "transfer") return this.#command({ type: "transfer", to: question.id }, answer);
    if (!peer.secure)
      return answer(
        error("command", "this cluster is plain: who reaches it is let in. /secure makes it a secured one"),
      );
    switch (question.what) {
      case "invite":
        return this.#invite(question, asker, peer, answer);
      case "access":
        return answer(report(peer, this.#host.clock.wall()));
      case "revoke":
        return this.#revoke(question.name, asker, peer, answer);
    }
  }

  /** Takes a notice of the engine. It may answer the oldest command. */
  onNotice(notice: Notice): void {
    if (notice.code !== "done" && notice.code !== "refused") return;
    const [next] = this.#commands.keys();
    next?.(notice);
  }

  stop(): void {
    for (const timer of this.#commands.values()) timer.cancel();
    this.#commands.clear();
  }

  #command(input: Input, answer: Answer): void {
    let isAnswered = false;
    const once: Answer = (told) => {
      if (!isAnswered) answer(told);
      isAnswered = true;
      this.#commands.delete(once);
      timer.cancel();
    };
    const timer = this.#host.clock.after(COMMAND_MS, () =>
      once(error("unknown", "the leader has not answered: look at /status")),
    );
    this.#commands.set(once, timer);
    this.#host.input(input);
  }

  #invite(asked: Extract<Question, { what: "invite" }>, { signs }: Asker, peer: EngineView, answer: Answer): void {
    const { changes, trust } = this.#host;
    const cluster_id = this.#host.clusterId();
    const { what: _, ...wanted } = asked;
    const against = this.#againstInvite(wanted, peer);
    if (against !== null) return answer(against);
    if (trust === null || cluster_id === null)
      return answer(error("closing", "this peer is in no cluster yet: try again"));
    const secret = trust.secret();
    changes.submit({ change: "invite", hash: trust.hash(secret), ...wanted, by: signs }, (refused) => {
      if (refused !== null) return answer(error(refused.code, refused.message));
      const addresses = this.#addresses();
      const { role, name, rights, uses, expires } = wanted;
      const invitation = encodeInvitation({ role, cluster_id, secret, addresses });
      answer({ event: "invitation", invitation, role, name, rights, uses, expires });
    });
  }

  #againstInvite(
    { role, name, uses, expires }: Omit<Invite, "change" | "hash" | "by">,
    peer: EngineView,
  ): Notice | null {
    if (expires <= this.#host.clock.wall())
      return error("command", "an invitation that has expired is of no use: say for how long");
    if (name === "") return null;
    if (!isName(name)) return refuseName(name, false);
    if (uses > 1)
      return error("command", "an invitation that names somebody is for one: leave out the name, or the uses");
    const taken =
      role === "client" ? nameTaken(name, peer, this.#host.clock.wall(), { but: "", isKnown: false }) : null;
    return taken === null ? null : error("name-in-use", taken);
  }

  /** The peers that an invitation names: this one first, then the leader, then others that are linked. */
  #addresses() {
    const peer = this.#host.peer();
    if (peer === null) return [];
    const isFirst = (id: PeerId) => (id === peer.self.id ? 2 : id === peer.standing.leader_id ? 1 : 0);
    const here = peer.present().filter((member) => member.role !== "left" && peer.isLinked(member));
    return here
      .sort((a, b) => isFirst(b.id) - isFirst(a.id))
      .flatMap((member) => {
        const key = peer.keyOf(member);
        const { id, host, port } = member;
        return key === null ? [] : [{ id, host, port, pin: pinOf(key) }];
      })
      .slice(0, INVITATION_ADDRESSES_MAX);
  }

  #revoke(name: string, { signs }: Asker, { access }: EngineView, answer: Answer): void {
    const wall = this.#host.clock.wall();
    const tokens = [...access.users].filter(([, user]) => user.revoked === 0 && user.name === name);
    const open = [...access.invitations].filter(
      ([hash, invitation]) => (invitation.name === name || idOf(hash) === name) && stateOf(invitation, wall) === "open",
    );
    const hashes = [...tokens, ...open].map(([hash]) => hash);
    if (hashes.length === 0)
      return answer(
        error("command", `no token and no open invitation is called ${JSON.stringify(name)}: /access lists them`),
      );
    let left = hashes.length;
    let refused: Notice | null = null;
    for (const hash of hashes)
      this.#host.changes.submit({ change: "revoke", hash, by: signs }, (against) => {
        if (against !== null) refused = error(against.code, against.message);
        left -= 1;
        if (left > 0) return;
        const what = [counted(tokens.length, "token"), counted(open.length, "invitation")].filter(
          (words) => words !== "",
        );
        answer(
          refused ?? {
            event: "notice",
            code: "done",
            message: `revoked ${what.join(" and ")} of ${JSON.stringify(name)}`,
          },
        );
      });
  }
}

function tooFew({ rights }: Asker, { secure }: EngineView): Notice {
  if (!secure) return error("refused", "a client of a plain cluster cannot do that: say so on a peer");
  return error("forbidden", `only who has the right "admin" may do that, and yours is "${rights}"`);
}

function report(peer: EngineView, wall: number): AccessReport {
  const { access, log } = peer;
  const committed = <T extends { readonly index: LogIndex }>(all: ReadonlyMap<string, T>) =>
    [...all].filter(([, { index }]) => index <= log.commit).sort(([, a], [, b]) => b.index - a.index);
  const invitations = committed(access.invitations);
  const users = committed(access.users);
  const revoked = Math.max(0, ...[...invitations, ...users].map(([, one]) => one.revoked));
  return {
    event: "access",
    members: peer.present().map((member) => memberRow(member, peer, revoked)),
    users: users
      .map(([, user]) => ({
        name: user.name,
        rights: user.rights,
        by: access.invitations.get(user.invite)?.by ?? "",
        index: user.index,
        revoked: user.revoked > 0,
      }))
      .slice(0, ACCESS_ROWS_MAX),
    invitations: invitations
      .map(([hash, invitation]) => {
        const { role, name, rights, uses, left, expires, by } = invitation;
        return { id: idOf(hash), role, name, rights, uses, left, expires, by, state: stateOf(invitation, wall) };
      })
      .slice(0, ACCESS_ROWS_MAX),
  };
}

/** `revoked`: index of the newest revocation in the log. */
function memberRow(member: Member, peer: EngineView, revoked: LogIndex): AccessMember {
  const { id, role } = member;
  const lag = peer.lagOf(member);
  const state = role === "left" ? "left" : peer.isLinked(member) ? "alive" : "unreachable";
  const behind = role === "left" || lag === null ? null : Math.max(0, revoked - (peer.log.last - lag));
  return { id, key: peer.keyOf(member), role, state, behind };
}

function stateOf({ left, revoked, expires }: Invitation, wall: number): "open" | "used" | "expired" | "revoked" {
  if (revoked > 0) return "revoked";
  if (left === 0) return "used";
  return wall >= expires ? "expired" : "open";
}

const idOf = (hash: string) => hash.slice(0, ID_CHARS);

function counted(count: number, what: string): string {
  if (count === 0) return "";
  return count === 1 ? `the ${what}` : `${count} ${what}s`;
}

function error(code: Extract<Notice, { event: "error" }>["code"], message: string): Notice {
  return { event: "error", code, message };
}
