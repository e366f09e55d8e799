/** Kinds of addresses, and this machine's own. */
import { networkInterfaces } from "node:os";

/** An address that only this machine reaches. */
export function isLoopback(host: string): boolean {
  return host === "localhost" || host === "::1" || /^127\./.test(host);
}

/** All addresses of a machine: one can listen there, and not dial it. */
export function isUnspecified(host: string): boolean {
  return host === "0.0.0.0" || host === "::";
}

/** The first by which others may reach this machine, or null. */
export function outsideAddress(): string | null {
  const addresses = Object.values(networkInterfaces()).flatMap((found) => found ?? []);
  return addresses.find(({ internal, family }) => !internal && family === "IPv4")?.address ?? null;
}
