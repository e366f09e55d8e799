/** The ports of the runtime this process runs on. */
import type { Ports } from "../host/host.ts";
import { bunNetwork } from "./bun-network.ts";
import { systemClock } from "./clock.ts";
import { openDisk } from "./disk.ts";
import { nodeNetwork } from "./node-network.ts";

/** Ports on `directory`, which is made when it is locked. */
export function platformPorts(directory: string): Ports {
  const onBun = "Bun" in globalThis;
  return { clock: systemClock, network: onBun ? bunNetwork : nodeNetwork, disk: openDisk(directory) };
}
