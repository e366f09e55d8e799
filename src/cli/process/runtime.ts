/** This program and the runtime under it. */
import packageJson from "../../../package.json" with { type: "json" };

export const VERSION = packageJson.version;

/** `Bun 1.4.5` */
export function runtimeName(): string {
  const { bun, deno, node } = process.versions as Record<string, string | undefined>;
  return bun !== undefined ? `Bun ${bun}` : deno !== undefined ? `Deno ${deno}` : `Node.js ${node}`;
}

/** Why it is too old, or null. An old Node has been told so by `node.js`. */
export function runtimeTooOld(): string | null {
  const { bun } = process.versions;
  if (bun === undefined) return null;
  const [major = 0, minor = 0, patch = 0] = bun.split(".").map(Number);
  const tooOld = major < 1 || (major === 1 && (minor < 4 || (minor === 4 && patch < 2)));
  return tooOld ? `Bun 1.4.2 or later is needed (older ones lose bytes of sockets), this is ${bun}` : null;
}
