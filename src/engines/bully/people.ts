/**
 * Brings into the log who comes and goes, and who has read how far [P1] to [P5]. Every peer reports about its people
 * (its own, and those of its clients) what the log does not say yet, until the log says it. The leader appends it. It
 * also appends that a person is gone whom no peer has reported for the presence time. A peer without people reports
 * nothing.
 */
import { PEOPLE_TOLD_MAX, READS_WAITING_MAX, UNCOMMITTED_ENTRIES_MAX } from "../../core/config.ts";
import { leaderKey, type MemberKey, type Millis, type PeerId } from "../../core/ids.ts";
import type { Presence } from "../../core/log-entry.ts";
import type { People as PeopleFrame, Person, ReadReport } from "../../core/message.ts";
import type { Handover } from "./handover.ts";
import type { Leading } from "./leading.ts";
import type { Node } from "./node.ts";

/** What the log does not show yet is reported again this often. */
const REPEAT_MS = 300;
/** One person's reading is reported at most this often [P4]. */
const READ_MS = 1000;
/** In each presence time a peer reports this many times that its people are still here. */
const REPORTS_PER_PRESENCE = 6;

interface Told {
  person: Person;
  /** It was reported to the present leader. */
  said: boolean;
  readonly since: Millis;
}

export class People {
  readonly #node: Node;
  readonly #handover: Pick<Handover, "active">;
  /** The people here; and those who have left, until the log says so too. */
  readonly #here = new Map<string, Told>();
  /** Reading that the log does not show yet, by room and user. */
  readonly #reads = new Map<string, ReadReport>();
  /** When a person's reading was last reported. */
  readonly #readAt = new Map<string, Millis>();
  #saidAt: Millis = Number.NEGATIVE_INFINITY;
  #leaderBallot: unknown = null;
  /** On a leader: when each peer last reported a person of that name. */
  readonly #heard = new Map<string, Map<PeerId, Millis>>();
  #leadership: Leading | null = null;
  #ledSince: Millis = 0;
  #lookedAt: Millis = 0;

  constructor(node: Node, handover: Pick<Handover, "active">) {
    this.#node = node;
    this.#handover = handover;
  }

  /** A person came, changed the name or left. A departure is told at once, because this peer may be leaving as well. */
  onPerson(person: Person): void {
    if (person.was !== "") this.#here.delete(person.was);
    if (this.#here.size >= PEOPLE_TOLD_MAX) this.#forgetOneWhoLeft();
    // Another person here had that name before and changed it. From now on the name belongs to this one.
    for (const told of this.#here.values())
      if (person.here && told.person.was === person.user) told.person = { ...told.person, was: "" };
    this.#here.set(person.user, { person, said: false, since: this.#node.now });
    this.#report();
  }

  /** A client went without a word. It may be on another peer by now. */
  onSilence(user: string): void {
    this.#here.delete(user);
  }

  /** Forgets one person who left, to make room. Nobody reports that departure then; the presence time will end it. */
  #forgetOneWhoLeft(): void {
    for (const [user, { person }] of this.#here) if (!person.here) return void this.#here.delete(user);
  }

  onRead(read: ReadReport): void {
    const { rooms } = this.#node.log.state;
    // It would wait here, and be reported again and again, until the room has that many messages.
    if (read.through > rooms.get(read.room_id)) return;
    const key = `${read.room_id}\n${read.user}`;
    if ((this.#reads.get(key)?.through ?? 0) >= read.through) return;
    if (!this.#reads.has(key) && this.#reads.size >= READS_WAITING_MAX) return;
    this.#reads.set(key, read);
  }

  onTime(): void {
    const node = this.#node;
    if (node.leadership !== this.#leadership) this.#onLeadership();
    const ballot = node.leader?.ballot ?? null;
    if (ballot !== this.#leaderBallot) {
      this.#leaderBallot = ballot;
      for (const here of this.#here.values()) here.said = false;
    }
    if (this.#here.size + this.#reads.size > 0) this.#sayWhatIsDue();
    if (this.#leadership !== null) this.#lookForTheGone(this.#leadership);
  }

  /** This process was held up for that long, so the silence of that time was not the others'. */
  discount(late: Millis): void {
    this.#ledSince += late;
    for (const peers of this.#heard.values()) for (const [id, at] of peers) peers.set(id, at + late);
  }

  // ── saying ─────────────────────────────────────────────────────────────────────────────────────────────────────

  #sayWhatIsDue(): void {
    const { now, log, timings } = this.#node;
    const { people } = log.state;
    for (const [key, { room_id, user, through }] of this.#reads)
      if (people.readThrough(room_id, user) >= through) this.#reads.delete(key);
    for (const [user, told] of this.#here) {
      const { person, said, since } = told;
      // If a name stays in the log for longer, somebody elsewhere has it.
      const isOld = now - since > timings.presence / REPORTS_PER_PRESENCE;
      if (!said) continue;
      if (!person.here && (isOld || !people.present.has(user))) this.#here.delete(user);
      const isSeen = people.present.has(user) && !people.present.has(person.was);
      if (person.was !== "" && (isOld || isSeen)) told.person = { ...person, was: "" };
    }
    const unseen = [...this.#here.values()].some(({ person: { user, was, here } }) => {
      return people.present.has(user) !== here || (was !== "" && people.present.has(was));
    });
    const pause = unseen ? REPEAT_MS : timings.presence / REPORTS_PER_PRESENCE;
    const unsaid = [...this.#here.values()].some(({ said }) => !said);
    const isDue = unsaid || (this.#here.size > 0 && now - this.#saidAt >= pause);
    if (isDue || this.#readsDue().length > 0) this.#report();
  }

  #readsDue(): ReadReport[] {
    const { now } = this.#node;
    return [...this.#reads.values()].filter(({ user }) => now - (this.#readAt.get(user) ?? -READ_MS) >= READ_MS);
  }

  /** Reports everything that is to be reported to the leader, if there is one. */
  #report(): void {
    const node = this.#node;
    const { leader, leadership, now } = node;
    if (leader === null || (leadership === null && node.linkTo(leaderKey(leader.ballot)) === null)) return;
    const reads = this.#readsDue();
    const users = [...this.#here.values()].map(({ person }) => person).slice(0, PEOPLE_TOLD_MAX);
    const frame: PeopleFrame = { type: "PEOPLE", users, reads };
    if (leadership !== null) this.#take(leadership, node.self, frame);
    else node.sendTo(leaderKey(leader.ballot), frame);
    this.#saidAt = now;
    for (const here of this.#here.values()) here.said = true;
    if (this.#readAt.size > READS_WAITING_MAX) this.#readAt.clear();
    for (const { user } of reads) this.#readAt.set(user, now);
  }

  // ── the leader's part ──────────────────────────────────────────────────────────────────────────────────────────

  /** A new leader presumes nobody gone before it has had the time to hear of them. */
  #onLeadership(): void {
    this.#leadership = this.#node.leadership;
    this.#heard.clear();
    this.#ledSince = this.#lookedAt = this.#node.now;
  }

  onPeople(from: MemberKey, frame: PeopleFrame): void {
    const node = this.#node;
    const role = node.memberOf(from)?.role;
    if (node.leadership === null || role === undefined || role === "left") return;
    if (node.leadership !== this.#leadership) this.#onLeadership();
    this.#take(node.leadership, from, frame);
  }

  #take(leadership: Leading, { id }: MemberKey, { users, reads }: PeopleFrame): void {
    if (!this.#appends) return;
    for (const person of users) {
      if (person.here) this.#stays(leadership, id, person);
      else this.#leaves(leadership, id, person, "left");
    }
    const { people, rooms } = this.#node.log.state;
    for (const { room_id, user, through, ts } of reads) {
      const from = people.readThrough(room_id, user);
      if (through <= from || through > rooms.get(room_id) || !people.takesReader(room_id, user)) continue;
      const said = { room_id, seq_no: 0, sender_id: id, session: "", counter: 0, user, ts, text: "" };
      leadership.append("read", { data: { from, through }, chat: said });
    }
  }

  get #appends(): boolean {
    const { log } = this.#node;
    return !this.#handover.active && log.last - log.commit < UNCOMMITTED_ENTRIES_MAX;
  }

  #stays(leadership: Leading, id: PeerId, person: Person): void {
    const { people } = this.#node.log.state;
    const { user, was } = person;
    const renames = was !== "" && people.present.has(was) && !people.present.has(user) && !this.#isElsewhere(was, id);
    if (renames) {
      this.#heard.get(was)?.delete(id);
      this.#append(leadership, id, person, { change: "renamed", was });
    } else {
      if (was !== "") this.#leaves(leadership, id, { ...person, user: was }, "left");
      if (!people.present.has(user) && people.takesUser)
        this.#append(leadership, id, person, { change: "joined", was: "" });
    }
    const peers = this.#heard.get(user) ?? new Map<PeerId, Millis>();
    // A person for whom the log has no room is not remembered either.
    if (people.present.has(user)) this.#heard.set(user, peers.set(id, this.#node.now));
  }

  #leaves(leadership: Leading, id: PeerId, person: Person, change: "left" | "gone"): void {
    const { user } = person;
    this.#heard.get(user)?.delete(id);
    if (!this.#node.log.state.people.present.has(user) || this.#isElsewhere(user, id)) return;
    this.#heard.delete(user);
    this.#append(leadership, id, person, { change, was: "" });
  }

  /** Another connected peer has reported lately that a person of that name is there. */
  #isElsewhere(user: string, id: PeerId): boolean {
    const { now, timings, self, links } = this.#node;
    const lately = now - (2 * timings.presence) / REPORTS_PER_PRESENCE;
    const connected = new Set([self.id, ...[...links.values()].map((link) => link.id)]);
    return [...(this.#heard.get(user) ?? [])].some(
      ([other, at]) => other !== id && at > lately && connected.has(other),
    );
  }

  #lookForTheGone(leadership: Leading): void {
    const { now, timings, log, options, self } = this.#node;
    if (log.state.people.present.size === 0 || now - this.#lookedAt < REPEAT_MS || !this.#appends) return;
    this.#lookedAt = now;
    for (const user of [...log.state.people.present]) {
      const heard = Math.max(this.#ledSince, ...(this.#heard.get(user)?.values() ?? []));
      if (now - heard < timings.presence) continue;
      const person = { user, room_id: EVERYWHERE, ts: options.wall(), was: "", here: false };
      this.#leaves(leadership, self.id, person, "gone");
    }
  }

  #append(leadership: Leading, id: PeerId, { user, room_id, ts }: Person, data: Presence): void {
    const said = { room_id, seq_no: 0, sender_id: id, session: "", counter: 0, user, ts, text: "" };
    leadership.append("system", { data, chat: said });
  }
}

/** The room of the entry about a person who is gone: nobody reported in which room that person was. */
const EVERYWHERE = "general";
