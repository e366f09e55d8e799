/** What happens to the leader under flood, and how long the others deliver nothing because of it. */
import { type Cluster, RunFailed } from "./cluster.ts";
import type { Member } from "./member.ts";
import type { FaultKind } from "./options.ts";
import { wallNow } from "./protocol.ts";

export interface Fault {
  readonly kind: FaultKind;
  /** Wall-clock milliseconds. */
  readonly at: number;
  readonly leader: number;
  /** The longest time without a delivery on any of the others, from what came last before to what came first behind. */
  gapMs: number;
  restart: Restart | null;
}

/** A dead peer that was started again. */
export interface Restart {
  /** From the spawn until it listens (`started`). */
  readonly startMs: number;
  /** Messages that the others had delivered and it had not, by its last report, a tenth of a second before it died at most. */
  readonly missed: number;
  /** From the spawn until it had delivered nearly all that anybody had, while the others went on; null: not yet. */
  caughtUpMs: number | null;
  /** Messages that it delivered until then: what it had missed, and what came meanwhile. */
  delivered: number;
}

export interface FaultRules {
  readonly restart: boolean;
  /** Messages that pass before the dead are started again. */
  readonly away: number;
  /** What a peer that was started again is to go on with. */
  readonly goOn: (member: Member) => void;
}

const FAILOVER_MS_MAX = 30_000;
/** A peer that is no further behind than this has caught up: that many messages pass between two reports anyway. */
const NEAR_MESSAGES = 1000;

/** Plays one fault to its end; `tell` hears of it at once. The cluster must be whole, and flooded. */
export async function playFault(
  kind: FaultKind,
  cluster: Cluster,
  rules: FaultRules,
  tell: (fault: Fault) => void,
): Promise<Fault> {
  const leader = cluster.leader;
  if (leader === null) throw new RunFailed("nobody leads, so the leader cannot be hurt");
  const fault: Fault = { kind, at: wallNow(), leader: leader.id, gapMs: Number.NaN, restart: null };
  tell(fault);
  const dying = kind === "kill" ? cluster.kill(leader) : null;
  if (kind === "pause") cluster.pause(leader);
  if (kind === "cut") cluster.cut(leader);
  const others = cluster.members.filter((m) => m !== leader && m.state === "up");
  await takenOver(cluster, others, fault);
  fault.gapMs = Math.max(...others.flatMap((m) => m.gaps.filter((g) => g.end >= fault.at).map((g) => g.ms)));
  tell(fault);
  if (kind === "pause") cluster.resume(leader);
  if (kind === "cut") cluster.heal();
  await dying;
  if (kind === "kill" && rules.restart) fault.restart = await startAgain(leader, cluster, rules);
  return fault;
}

/** Every one of the others follows somebody else and has delivered since. */
async function takenOver(cluster: Cluster, others: readonly Member[], { leader, at }: Fault): Promise<void> {
  const led = (m: Member) => m.report !== null && m.report.at > at && (m.report.leader ?? leader) !== leader;
  await cluster.until(`another one leads than peer ${leader}`, () => others.every(led), FAILOVER_MS_MAX);
  const from = new Map(others.map((m) => [m, m.seq]));
  await cluster.until(
    `somebody delivers after peer ${leader}`,
    () => others.every((m) => m.seq > (from.get(m) as number)),
    FAILOVER_MS_MAX,
  );
}

/** Resolves when it listens; that it has caught up is noted when it has. */
async function startAgain(member: Member, cluster: Cluster, { away, goOn }: FaultRules): Promise<Restart> {
  const behind = member.seq;
  await cluster.until(`${away} messages pass without peer ${member.id}`, () => cluster.seq >= behind + away, 3_600_000);
  const began = performance.now();
  await cluster.start(member);
  const startMs = performance.now() - began;
  const restart: Restart = { startMs, missed: cluster.seq - behind, caughtUpMs: null, delivered: 0 };
  goOn(member);
  cluster.onReport(member, () => {
    if (cluster.seq - member.seq > NEAR_MESSAGES) return false;
    restart.caughtUpMs = performance.now() - began;
    restart.delivered = member.seq - behind;
    return true;
  });
  return restart;
}
