/** The engine of elections and majorities: the highest peer becomes the sequencer, and a quorum confirms. */
import type { EngineKind } from "../engine.ts";
import { slowDiskCost } from "./own-disk.ts";
import { Peer } from "./peer.ts";

export const BULLY: EngineKind = {
  create: (options, restored, now) => new Peer(options, restored, now),
  slowDiskCost,
};
