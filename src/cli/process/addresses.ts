/** Kinds of addresses, and this machine's own. */
import { BlockList, isIP } from "node:net";
import { networkInterfaces } from "node:os";
import { isLoopback } from "../../core/address.ts";

/** All addresses of a machine: one can listen there, and not dial it. */
export function isUnspecified(host: string): boolean {
  return host === "0.0.0.0" || host === "::";
}

/** The first by which others may reach this machine, or null. */
export function outsideAddress(): string | null {
  const addresses = Object.values(networkInterfaces()).flatMap((found) => found ?? []);
  return addresses.find(({ internal, family }) => !internal && family === "IPv4")?.address ?? null;
}

/** By which the machine at one of these addresses most likely reaches this one: in the same network, or the first there is. */
export function addressFacing(hosts: readonly string[]): string | null {
  if (hosts.every(isLoopback)) return "127.0.0.1";
  const own = Object.values(networkInterfaces()).flatMap((found) => found ?? []);
  const near = own.find(({ internal, cidr, family }) => {
    if (internal || cidr === null) return false;
    const [network = "", bits] = cidr.split("/");
    const [list, kind] = [new BlockList(), family === "IPv4" ? ("ipv4" as const) : ("ipv6" as const)];
    list.addSubnet(network, Number(bits), kind);
    return hosts.some((host) => isIP(host) === (family === "IPv4" ? 4 : 6) && list.check(host, kind));
  });
  return near?.address ?? outsideAddress();
}
