/** The scenarios that come with the program, to learn from: `chatpeer sim --list`. */
import bully from "./scenarios/bully.txt" with { type: "text" };
import crash from "./scenarios/crash.txt" with { type: "text" };
import duplicate from "./scenarios/duplicate.txt" with { type: "text" };
import oldLeader from "./scenarios/old-leader.txt" with { type: "text" };
import split from "./scenarios/split.txt" with { type: "text" };

export interface ListedScenario {
  readonly name: string;
  readonly text: string;
}

export const SCENARIOS: readonly ListedScenario[] = [
  { name: "crash", text: crash },
  { name: "split", text: split },
  { name: "old-leader", text: oldLeader },
  { name: "duplicate", text: duplicate },
  { name: "bully", text: bully },
];
