/** Runs that are made up by hand, without a simulator: to be drawn as a report. */
import type { ReportEvent, ReportMessage, SimReport } from "../../src/report/sim-report.ts";
import { seeded } from "../../src/sim/virtual-time.ts";

/** Writes a run down as it is told; lists are sorted at the end. */
class Story {
  readonly events: ReportEvent[] = [];
  readonly messages: ReportMessage[] = [];
  readonly random: () => number;
  constructor(seed: number) {
    this.random = seeded(seed);
  }

  event(atMs: number, peer: number, kind: ReportEvent["kind"], more: Partial<ReportEvent> = {}): void {
    this.events.push({ atMs, peer, kind, term: 0, role: "", index: 0, to: 0, note: "", ...more });
  }

  role(atMs: number, peer: number, role: string, term: number): void {
    this.event(atMs, peer, "role", { role, term });
  }

  /** Returns when it arrives. */
  send(sentMs: number, from: number, to: number, frame: string, term: number, note = "", lost = false): number {
    const arrivedMs = sentMs + 6 + this.random() * 5;
    this.messages.push({ sentMs, arrivedMs: lost ? null : arrivedMs, from, to, frame, term, note });
    return arrivedMs;
  }

  /** One message of a user through the leader to everybody: the sequence numbers, the acknowledgements, the commits. */
  chat(at: number, author: number, leader: number, others: readonly number[], term: number, index: number): number {
    const note = `index ${index}, "message ${index}"`;
    this.event(at, author, "submit", { note: `"message ${index}"` });
    const begun = author === leader ? at : this.send(at, author, leader, "CHAT", term, note);
    const majority = Math.floor((others.length + 1) / 2) - 1;
    const acked = others
      .map((peer) =>
        this.send(
          this.send(begun, leader, peer, "SEQ_CHAT", term, note) + 1,
          peer,
          leader,
          "SEQ_ACK",
          term,
          `through ${index}`,
        ),
      )
      .sort((a, b) => a - b);
    const committed = acked[Math.max(0, majority)] ?? begun;
    for (const peer of [leader, ...others]) {
      const known =
        peer === leader ? committed : this.send(committed + 1, leader, peer, "HEARTBEAT", term, `commit ${index}`);
      this.event(known, peer, "commit", { term, index });
      this.event(known + 0.8, peer, "deliver", { term, index, note: `seq=${index} user${author}: message ${index}` });
      if (peer === author) this.event(known + 1.5, peer, "sent", { term, note: `"message ${index}"` });
    }
    return committed;
  }

  report(title: string, seed: number, peers: number, endMs: number, verdict: Partial<SimReport["verdict"]>): SimReport {
    return {
      ...{ title, seed, peers: Array.from({ length: peers }, (_, i) => i + 1), endMs },
      events: this.events.sort((a, b) => a.atMs - b.atMs),
      messages: this.messages.sort((a, b) => a.sentMs - b.sentMs),
      verdict: { result: "PASS", invariant: "I1 to I9", message: "", atMs: endMs, steps: [], ...verdict },
    };
  }
}

function elect(story: Story, at: number, leader: number, voters: readonly number[], term: number): number {
  story.role(at, leader, "candidate", term);
  const promised = voters.map((peer) => {
    const asked = story.send(at, leader, peer, "PREPARE", term, `ballot ${term}.${leader}`);
    story.role(asked, peer, "follower", term);
    return story.send(asked + 1, peer, leader, "PROMISE", term, `ballot ${term}.${leader}`);
  });
  const won = Math.max(...promised);
  story.role(won, leader, "leader", term);
  for (const peer of voters) story.send(won + 0.5, leader, peer, "COORDINATOR", term, `leader ${leader}`);
  return won + 2;
}

/** Peer 3 leads, gives a number to a message, and dies before everybody has it; peer 2 takes over and finishes its work. */
export function leaderCrash(): SimReport {
  const story = new Story(7);
  for (const peer of [1, 2, 3]) story.event(2 + peer * 2, peer, "start");
  let at = elect(story, 20, 3, [1, 2], 1);
  at = story.chat(at + 18, 1, 3, [1, 2], 1, 1);
  at = story.chat(at + 22, 2, 3, [1, 2], 1, 2) + 24;
  story.event(at, 1, "submit", { note: '"did this get through?"' });
  const reached = story.send(at, 1, 3, "CHAT", 1, '"did this get through?"');
  story.send(reached, 3, 2, "SEQ_CHAT", 1, 'index 3, "did this get through?"');
  story.send(reached, 3, 1, "SEQ_CHAT", 1, 'index 3, "did this get through?"', true);
  const crash = reached + 1.5;
  story.event(crash, 3, "crash", { note: "kill -9" });
  story.send(crash + 12, 2, 3, "SEQ_ACK", 1, "through 3", true);
  story.event(crash + 42, 1, "notice", { note: "no leader: electing" });
  story.event(crash + 40, 2, "notice", { note: "peer 3 is gone" });
  const won = elect(story, crash + 44, 2, [1], 2);
  const finished = story.chat(won + 8, 2, 2, [1], 2, 3);
  story.event(finished + 16, 3, "start");
  const asked = story.send(finished + 20, 3, 2, "HELLO", 1, "last index 3");
  story.role(asked + 10, 3, "follower", 2);
  story.send(story.send(asked + 2, 3, 2, "CATCHUP_REQ", 2, "from 3"), 2, 3, "CATCHUP_RESP", 2, "3 to 3");
  story.event(asked + 34, 3, "commit", { term: 2, index: 3 });
  story.event(asked + 35, 3, "deliver", { term: 2, index: 3, note: "seq=3 user1: did this get through?" });
  const end = story.chat(asked + 44, 1, 2, [1, 3], 2, 4) + 34;
  return story.report("crash of the sequencer in the middle of a broadcast", 7, 3, end, {
    message:
      "Message 3 had reached one peer when its leader died. The new leader found it there and finished it: everybody delivers it, once, at the same place.",
    steps: [
      `${at.toFixed(1)} peer 1 submits message 3`,
      `${crash.toFixed(1)} peer 3, the leader, crashes: only peer 2 has the message`,
      `${(crash + 44).toFixed(1)} peer 2 asks for a new term`,
      `${finished.toFixed(1)} term 2 commits message 3`,
      `${(finished + 16).toFixed(1)} peer 3 is back and catches up`,
    ],
  });
}

/** Five peers; the leader and one more are cut off, the other three elect; at the heal the old leader steps down. */
export function partition(): SimReport {
  const story = new Story(11);
  for (const peer of [1, 2, 3, 4, 5]) story.event(1 + peer, peer, "start");
  let at = elect(story, 16, 5, [1, 2, 3, 4], 1);
  at = story.chat(at + 16, 2, 5, [1, 2, 3, 4], 1, 1) + 30;
  const cut = at;
  for (const a of [1, 2, 3])
    for (const b of [4, 5])
      for (const [from, to] of [
        [a, b],
        [b, a],
      ] as const)
        story.event(cut, from, "cut", { to });
  story.event(cut + 10, 4, "submit", { note: '"from the small side"' });
  const reached = story.send(cut + 10, 4, 5, "CHAT", 1, '"from the small side"');
  story.send(story.send(reached, 5, 4, "SEQ_CHAT", 1, "index 2") + 1, 4, 5, "SEQ_ACK", 1, "through 2");
  for (const peer of [1, 2, 3]) story.send(reached, 5, peer, "SEQ_CHAT", 1, "index 2", true);
  for (const peer of [1, 2, 3]) story.send(cut + 30, 5, peer, "HEARTBEAT", 1, "commit 1", true);
  story.event(cut + 38, 1, "pause", { note: "garbage collection" });
  story.event(cut + 62, 1, "resume");
  let won = elect(story, cut + 66, 3, [1, 2], 2);
  won = story.chat(won + 10, 1, 3, [1, 2], 2, 2) + 16;
  const heal = story.chat(won, 2, 3, [1, 2], 2, 3) + 28;
  story.event(heal, 0, "heal");
  for (const peer of [4, 5]) {
    const told = story.send(heal + 4, 3, peer, "COORDINATOR", 2, "leader 3");
    story.role(told, peer, "follower", 2);
    const answered = story.send(
      story.send(told + 1, peer, 3, "CATCHUP_REQ", 2, "from 2"),
      3,
      peer,
      "CATCHUP_RESP",
      2,
      "2 to 3",
    );
    for (const index of [2, 3]) {
      story.event(answered + index, peer, "commit", { term: 2, index });
      story.event(answered + index + 0.5, peer, "deliver", { term: 2, index });
    }
  }
  const end = story.chat(heal + 48, 4, 3, [1, 2, 4, 5], 2, 4) + 34;
  const wrong = heal + 36;
  return story.report("the leader alone on the small side of a partition", 11, 5, end, {
    result: "FAIL",
    invariant: "I3",
    message: 'index 2 is delivered as "message 2" by peer 4 and as "from the small side" by peer 5',
    atMs: wrong,
    steps: [
      `${cut.toFixed(1)} the network splits: {1 2 3} and {4 5}`,
      `${(cut + 10).toFixed(1)} peer 4 submits; its leader cannot reach a majority`,
      `${(cut + 66).toFixed(1)} peer 3 is elected by 1 and 2, term 2`,
      `${heal.toFixed(1)} the network heals`,
      `${wrong.toFixed(1)} peer 5 delivers what was never committed`,
      "(made up, to show a failure)",
    ],
  });
}

/** A long swarm: 50,000 events and messages among nine peers, with crashes and cuts, for the measurement. */
export function swarm(items: number): SimReport {
  const story = new Story(3);
  const { random } = story;
  const peers = 9;
  const pick = () => 1 + Math.floor(random() * peers);
  for (let peer = 1; peer <= peers; peer++) story.event(0, peer, "start");
  let [term, leader, index, at] = [1, 9, 0, 0];
  story.role(1, leader, "leader", term);
  while (story.events.length + story.messages.length < items) {
    at += 2 + random() * 6;
    const dice = random();
    if (dice < 0.006) {
      const [from, to] = [pick(), pick()];
      story.event(at, from, "cut", { to });
      story.event(at + 300 + random() * 2000, from, "heal", { to });
    } else if (dice < 0.012) {
      story.event(at, leader, "crash");
      story.event(at + 200 + random() * 900, leader, "start");
      leader = 1 + (leader % peers);
      term += 1;
      at = elect(
        story,
        at + 60,
        leader,
        [1, 2, 3, 4, 5, 6, 7, 8, 9].filter((p) => p !== leader),
        term,
      );
    } else if (dice < 0.25) {
      index += 1;
      at = story.chat(
        at,
        pick(),
        leader,
        [1, 2, 3, 4, 5, 6, 7, 8, 9].filter((p) => p !== leader),
        term,
        index,
      );
    } else
      story.send(
        at,
        pick(),
        pick(),
        random() < 0.6 ? "HEARTBEAT" : "SEQ_ACK",
        term,
        `commit ${index}`,
        random() < 0.05,
      );
  }
  story.messages.length = Math.min(story.messages.length, items - story.events.length);
  return story.report(`a swarm of ${items} things`, 3, peers, at + 100, { message: "Made up, to measure the page." });
}
