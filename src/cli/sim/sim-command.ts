/** `chatpeer sim` as people see it. The simulator itself is loaded when it is asked for: a peer has no use for it. */
import { PROFILES } from "../../sim/profile.ts";
import { PEERS_MAX } from "../../sim/scenario.ts";
import type { Command } from "../usage/command.ts";

export const SIM: Command = {
  name: "sim",
  words: "",
  purpose: "play a cluster with virtual network, disks and time, and check that every promise is kept",
  flags: [
    {
      name: "seed",
      value: "N",
      what: "Decides everything that happens: the same seed gives the same run",
      preset: "1",
    },
    { name: "seeds", value: "K", what: "Number of seeds to play, from --seed on, on all cores", preset: "1" },
    { name: "peers", value: "N", what: `Peers, 1 to ${PEERS_MAX}`, preset: "5" },
    { name: "minutes", value: "N", what: "Virtual minutes of faults", preset: "5" },
    { name: "profile", value: "NAME", what: "Kinds of faults", choices: PROFILES, preset: "all" },
    {
      name: "scenario",
      value: "FILE",
      what: "Play a scenario: a file, or the name of a listed one",
      completes: "file",
      repeats: true,
    },
    { name: "record", value: null, what: "Write the trace hash of the run into the scenario's file" },
    { name: "trace", value: null, what: "Print everything that happened, in words" },
    {
      name: "report",
      value: "FILE.html",
      what: "Draw the run (on failure the shortest one) as a page of its own",
      completes: "file",
    },
    { name: "break", value: "RULE", what: "Break a rule of the protocol, to see the checkers find it" },
    { name: "list-rules", value: null, what: "List the rules that can be broken" },
    { name: "list", value: null, what: "List the scenarios that come with the program" },
    { name: "json", value: null, what: "One JSON object per run, or per line of a list" },
    {
      name: "budget",
      value: "SECONDS",
      what: "Stop after this time; a run without a verdict is UNKNOWN",
      otherwise: "as long as it takes",
    },
  ],
  examples: [
    { command: "chatpeer sim --seeds 20", what: "Twenty runs with faults of all kinds" },
    {
      command: "chatpeer sim --scenario crash --report crash.html",
      what: "A crash in the middle of a broadcast, drawn",
    },
    { command: "chatpeer sim --break bully --minutes 1", what: "Break a rule, and see which promise breaks" },
  ],
  exits: {
    0: "every run kept every promise",
    1: "one did not: it is shown, with the shortest schedule that does the same",
    4: "--budget ran out before all had a verdict",
  },
  async run({ settings, words, out, paint }) {
    const [{ readSim }, { simulate }] = await Promise.all([import("./sim-flags.ts"), import("./sim.ts")]);
    return simulate(readSim(settings, words), out, paint);
  },
};
