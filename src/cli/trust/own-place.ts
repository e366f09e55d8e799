/** Where a peer that is invited runs: what nobody has said of its id and its address is found. */
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { openDisk } from "../../adapters/disk.ts";
import { platformVisit } from "../../adapters/platform.ts";
import { PEER_ID_MAX } from "../../core/config.ts";
import { PortError } from "../../host/contracts.ts";
import { readIdentity } from "../../host/store/identity.ts";
import { HostError } from "../../host/store/unusable.ts";
import type { Invitation } from "../../wire/invitation.ts";
import { dataDirectory, peersDirectory } from "../chat/chat-options.ts";
import { portIsFree } from "../doctor/port.ts";
import { addressFacing } from "../process/addresses.ts";
import { UsageError } from "../usage/flag-values.ts";
import type { Settings } from "../usage/settings.ts";

/** So many ports are tried. */
const PORTS_TRIED_MAX = 20;

/** With an id and an address. `taken`: ids that others have. Throws UsageError. */
export async function withPlace(
  settings: Settings,
  invitation: Invitation,
  taken: () => Promise<readonly number[]>,
): Promise<Settings> {
  const found = new Map<string, readonly string[]>();
  const own = settings.given("id") ? null : ownId(settings, invitation.cluster_id);
  if (!settings.given("id")) found.set("id", [`${own ?? (await freeId(settings, await taken()))}`]);
  if (!settings.given("host")) {
    const host = addressFacing(invitation.addresses.map((address) => address.host));
    if (host === null) throw new UsageError("--host is needed: this machine has no address by which others reach it");
    found.set("host", [host]);
  }
  return settings.with(found);
}

/** Of the directory that is named, or of one where peers usually are that is of this cluster: it was invited before. */
function ownId(settings: Settings, clusterId: string): number | null {
  if (settings.given("data-dir")) return identityIn(dataDirectory(settings, 0))?.id ?? null;
  const all = peersDirectory();
  const directories = existsSync(all) ? readdirSync(all).filter((name) => /^peer-[0-9]+$/.test(name)) : [];
  for (const name of directories.sort()) {
    const identity = identityIn(join(all, name));
    if (identity?.cluster_id === clusterId && isFree(join(all, name))) return identity.id;
  }
  return null;
}

/** No process has it: several peers of one cluster may be on this machine. */
function isFree(directory: string): boolean {
  const disk = openDisk(directory);
  try {
    if (disk.lock() !== null) return false;
    disk.unlock();
    return true;
  } catch (error) {
    if (!(error instanceof PortError)) throw error;
    return false;
  }
}

function identityIn(directory: string) {
  if (!existsSync(directory)) return null;
  try {
    return readIdentity(openDisk(directory));
  } catch (error) {
    if (!(error instanceof HostError)) throw error;
    throw new UsageError(`${directory}: ${error.message}`);
  }
}

/** The lowest one that nobody has, whose directory is not there yet, and whose usual port is free. */
export async function freeId(settings: Settings, taken: readonly number[]): Promise<number> {
  const { network } = platformVisit();
  const needsPort = !settings.given("port");
  let tried = 0;
  for (let id = 1; id < PEER_ID_MAX; id++) {
    if (taken.includes(id) || (!settings.given("data-dir") && existsSync(dataDirectory(settings, id)))) continue;
    tried += 1;
    if (!needsPort || tried > PORTS_TRIED_MAX || (await portIsFree(network, "127.0.0.1", 6000 + id))) return id;
  }
  return PEER_ID_MAX;
}
