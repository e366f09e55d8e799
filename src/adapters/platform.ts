/** The ports of the runtime this process runs on. */
import type { Network } from "../host/contracts.ts";
import type { Ports } from "../host/host-contract.ts";
import { bunNetwork } from "./bun-network.ts";
import type { Credentials } from "./certificate.ts";
import { systemClock } from "./clock.ts";
import { openDisk } from "./disk.ts";
import { namedNetwork } from "./named-network.ts";
import { nodeNetwork } from "./node-network.ts";

/** The ports that are needed to talk with peers without being one. */
export function platformVisit(): Pick<Ports, "clock" | "network"> {
  const network = "Bun" in globalThis ? bunNetwork : nodeNetwork;
  return { clock: systemClock, network: namedNetwork(network, systemClock) };
}

/** Ports on `directory`, which is made when it is locked. */
export function platformPorts(directory: string): Ports {
  return { ...platformVisit(), disk: openDisk(directory) };
}

/**
 * The network of a secured cluster. Its modules are loaded only here, because a plain peer does not need them. Without
 * credentials, as a client that has a token, it can only dial. `warn` tells the operator whose connections are refused.
 */
export async function securedNetwork(own: Credentials | null, warn: (message: string) => void): Promise<Network> {
  const { tlsNetwork } = await import("./tls-network.ts");
  return namedNetwork(tlsNetwork(own, { clock: systemClock, warn }), systemClock);
}
