/** A majority that has lost what it confirmed elects nobody, and says so [D8]. */
import { expect, test } from "bun:test";
import type { Puppet } from "./puppet.ts";
import { trio } from "./puppets.ts";

/** The peer's directory is put back to so many entries, and it starts. */
function putBack(peer: Puppet, through: number): void {
  peer.crash();
  peer.disk.entries.length = peer.disk.durable = through;
  peer.start();
}

/** Two of three are back at `before`, where "one" and "two" were not said yet, and nobody is connected. */
function majorityPutBack() {
  const { stage, b, c, leader: a } = trio();
  const before = c.last;
  a.say("one", "two");
  stage.pass(1000);
  putBack(a, before);
  putBack(b, before);
  return { stage, a, b, c, before };
}

test("[D8] a majority put back beside the third: all are told who has lost what, and nobody leads", () => {
  const { stage, a, b, c, before } = majorityPutBack();
  stage.connect(a, b, c);
  stage.pass(20_000);
  for (const peer of [a, b, c]) {
    expect(peer.leads).toBe(false);
    expect(peer.notices.filter((code) => code === "majority-lost").length).toBe(1);
    expect(peer.peer.losses.why).toContain(`peer ${a.id} (entries through ${before} of ${before + 2})`);
    expect(peer.peer.losses.why).toContain(`peer ${b.id} (entries through ${before}`);
  }
});

test("[D8] it is said again: the first word of it may be lost with a connection that is replaced", () => {
  const { stage, a, b, c } = majorityPutBack();
  stage.held = (frame, from, to) => frame.type === "LOST" && from === a && to === b;
  stage.connect(a, b, c);
  stage.quiet();
  while (stage.under(a, b, "LOST").length > 0) stage.lose(a, b, "LOST");
  stage.held = () => false;
  stage.pass(5000);
  expect(b.notices).toContain("majority-lost");
});

test("[D8] one put back while another is away: those here wait for that one, by name, and it is enough", () => {
  const { stage, b, c, leader: a } = trio();
  const before = b.last;
  a.say("one");
  stage.pass(1000);
  a.crash();
  putBack(b, before);
  stage.connect(b, c);
  stage.pass(5000);
  expect(c.notices).not.toContain("majority-lost");
  expect(c.peer.losses.why).toContain(`It waits for peer ${a.id}`);
  a.start();
  stage.connect(a, b, c);
  stage.until("B is whole", () => !b.peer.faulty && b.last === a.last);
  for (const peer of [a, b, c]) expect(peer.peer.losses.why).toBeNull();
});
