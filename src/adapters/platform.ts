/** The ports of the runtime this process runs on. */
import type { Ports } from "../host/host-contract.ts";
import { bunNetwork } from "./bun-network.ts";
import { systemClock } from "./clock.ts";
import { openDisk } from "./disk.ts";
import { namedNetwork } from "./named-network.ts";
import { nodeNetwork } from "./node-network.ts";
import { platformTrust, securedNetwork } from "./trust.ts";

/** The ports that are needed to talk with peers without being one. */
export function platformVisit(): Pick<Ports, "clock" | "network"> {
  const network = "Bun" in globalThis ? bunNetwork : nodeNetwork;
  return { clock: systemClock, network: namedNetwork(network, systemClock) };
}

/** Ports on `directory`, which is made when it is locked. */
export function platformPorts(directory: string): Ports {
  return { ...platformVisit(), disk: openDisk(directory), trust: platformTrust(directory) };
}

/** The same where both sides prove their keys: who visits has none. */
export async function securedVisit(): Promise<Pick<Ports, "clock" | "network">> {
  return { clock: systemClock, network: await securedNetwork(null, () => {}) };
}
