/**
 * Two histories under one ballot [R9]. Equal ballots at equal places mean equal logs, because a ballot belongs to one
 * process, which fills each place once. Where the crc of the chain [L3] shows otherwise, something outside the protocol
 * broke this: files were changed, or a directory from before there were boot numbers ran twice. No peer can tell alone
 * which history was promised, so nothing more is taken or delivered there until people have decided.
 */
import { type LogIndex, leaderKey, type MemberKey, sameBallot, sameMember } from "../../core/ids.ts";
import type { Fork } from "../../core/message.ts";
import { hasQuorum, memberName } from "../../core/quorum.ts";
import type { Node } from "./node.ts";
import type { LinkedPeer } from "./others.ts";
import type { RoleChanges } from "./role-changes.ts";

export class Histories {
  readonly #node: Node;
  readonly #roles: RoleChanges;
  /** This peer's log contradicts that of the leader whose ballot it has promised. */
  contradictsLeader = false;
  /** Members whose logs contradict this leader's log. */
  readonly #contradicting = new Set<string>();
  /** What was found last, in words for people who wait and want to know why. */
  found: string | null = null;

  constructor(node: Node, roles: RoleChanges) {
    this.#node = node;
    this.#roles = roles;
  }

  /** Under another ballot logs are compared anew. */
  onPromise(): void {
    this.contradictsLeader = false;
    this.#contradicting.clear();
  }

  /**
   * Whether another peer's log, which has the same ballot at that place, differs from this one up to there. False where
   * the entry is not in memory: then it cannot be told.
   */
  differ(from: MemberKey, index: LogIndex, crc: number): boolean {
    const node = this.#node;
    const own = node.log.crcInMemory(index);
    if (own === null || own === crc) return false;
    this.#onFound("histories", from, index);
    return true;
  }

  /**
   * Another peer's log has another ballot at the place of an entry that is committed here. So somebody broke what was
   * promised to a majority.
   */
  onConflict(from: MemberKey, index: LogIndex): void {
    this.#onFound("conflict", from, index);
  }

  #onFound(code: "histories" | "conflict", from: MemberKey, index: LogIndex): void {
    const node = this.#node;
    const { leader } = node;
    node.sendTo(from, { type: "FORK", ballot: node.promised, index, committed: code === "conflict" });
    if (leader !== null && sameMember(leaderKey(leader.ballot), from)) this.contradictsLeader = true;
    this.#tell(code, from, index);
  }

  /** Another peer has found that its log contradicts this one's. */
  onFork(from: LinkedPeer, { ballot, index, committed }: Fork): void {
    const node = this.#node;
    this.#tell(committed ? "conflict" : "histories", from, index);
    if (node.leadership === null || !sameBallot(ballot, node.leadership.ballot)) return;
    this.#contradicting.add(memberName(from));
    if (hasQuorum(node.voterSets, (voter) => !this.#contradicting.has(memberName(voter)))) return;
    // Peers whose logs agree with each other are to try.
    this.#roles.standBack("a majority has another history");
  }

  #tell(code: "conflict" | "histories", other: MemberKey, index: LogIndex): void {
    const node = this.#node;
    const member = node.memberOf(other);
    const at = member === null ? "" : ` at ${member.host}:${member.port}`;
    const { host, port } = node.options.address;
    const said = `${code === "conflict" ? "two histories, though one was committed" : "two histories under one ballot"}: this peer (${node.self.id} at ${host}:${port}) and peer ${other.id}${at} hold other entries up to index ${index}, and each believes that it holds what was promised. Was one of their directories changed, or a majority put back from copies? Nothing more is delivered where they differ. Look at both with \`chatpeer log DIR\`, stop the one whose messages are to go, and start it with an empty directory`;
    if (said === this.found) return;
    this.found = said;
    node.notice(code, said);
  }
}
