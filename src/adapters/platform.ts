/** The ports of the runtime this process runs on. */
import type { Clock, Network } from "../host/contracts.ts";
import type { Ports } from "../host/host.ts";
import { bunNetwork } from "./bun-network.ts";
import { systemClock } from "./clock.ts";
import { openDisk } from "./disk.ts";
import { namedNetwork } from "./named-network.ts";
import { nodeNetwork } from "./node-network.ts";

export function platformClock(): Clock {
  return systemClock;
}

export function platformNetwork(): Network {
  return namedNetwork("Bun" in globalThis ? bunNetwork : nodeNetwork, systemClock);
}

/** Ports on `directory`, which is made when it is locked. */
export function platformPorts(directory: string): Ports {
  return { clock: platformClock(), network: platformNetwork(), disk: openDisk(directory) };
}
