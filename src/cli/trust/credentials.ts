/**
 * What lets a client or a script into a secured cluster: the file that `chatpeer connect` keeps of an invitation, or the
 * `owner.token` of a peer's directory on this machine. Both are secrets, and say where the peers are and with which keys.
 */
import { existsSync, mkdirSync, readdirSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import * as v from "valibot";
import { makeSecretFile, readSecretFile } from "../../adapters/secret-file.ts";
import type { Address } from "../../core/address.ts";
import type { Key, LogIndex } from "../../core/ids.ts";
import { PortError } from "../../host/contracts.ts";
import { OWNER_TOKEN } from "../../host/store/owner-token.ts";
import { hash, host, index, name, port, rights, secret, word } from "../../wire/schema-parts.ts";
import { dataDirectory, peersDirectory } from "../chat/chat-options.ts";
import type { Flag } from "../usage/flag.ts";
import { UsageError } from "../usage/flag-values.ts";
import type { Settings } from "../usage/settings.ts";

export interface Credentials {
  readonly token: string;
  /** Of the entry that enrolled the token; 0: it is that of a peer's directory. */
  readonly index: LogIndex;
  /** null: whatever its user says. */
  readonly name: string | null;
  readonly peers: readonly (Address & { readonly key: Key })[];
}

const peer = { host, port, key: hash };
const OWNER = v.object({ token: secret, ...peer });
const KEPT = v.object({
  cluster_id: word,
  name,
  rights,
  token: secret,
  index,
  members: v.pipe(v.array(v.object(peer)), v.minLength(1)),
});
export type Kept = v.InferOutput<typeof KEPT>;

export const TOKEN_FILE: Flag = {
  name: "token-file",
  value: "FILE",
  what: "The file that chatpeer connect has kept of an invitation: it lets you into a secured cluster",
  completes: "file",
  setting: "text",
};
export const OWN_DIRECTORY: Flag = {
  name: "data-dir",
  value: "DIR",
  what: "The directory of a peer that runs on this machine: whoever can read it may do everything there",
  completes: "directory",
};

const DANGER = "with which they could do the same";

/** null: none is given. Throws UsageError. */
export function givenCredentials(settings: Settings): Credentials | null {
  const file = settings.text(TOKEN_FILE.name);
  const directory = settings.given(OWN_DIRECTORY.name) ? dataDirectory(settings, 0) : null;
  if (file !== undefined && directory !== null)
    throw new UsageError(`${settings.label(TOKEN_FILE.name)} and --data-dir are two ways in: choose one`);
  if (file !== undefined) return readCredentials(file);
  if (directory === null) return null;
  const path = join(directory, OWNER_TOKEN);
  return (
    credentialsIn(path) ??
    refuse(
      `there is no ${path}: no peer of a secured cluster has been started with that directory. One of a plain cluster is named by HOST:PORT`,
    )
  );
}

/** Throws UsageError. */
function readCredentials(path: string): Credentials {
  return credentialsIn(path) ?? refuse(`there is no file ${path}`);
}

function refuse(message: string): never {
  throw new UsageError(message);
}

/** null: there is no such file. Throws UsageError. */
export function credentialsIn(path: string): Credentials | null {
  const text = guarded(() => readSecretFile(path, DANGER));
  if (text === null) return null;
  const value = json(text);
  const owner = v.safeParse(OWNER, value);
  if (owner.success) {
    const { token, ...at } = owner.output;
    return { token, index: 0, name: null, peers: [at] };
  }
  const kept = v.safeParse(KEPT, value);
  if (!kept.success) throw new UsageError(`${path} holds no token: it is what chatpeer connect keeps of an invitation`);
  return credentialsOf(kept.output);
}

export function credentialsOf({ token, index: enrolled, name: own, members }: Kept): Credentials {
  return { token, index: enrolled, name: own, peers: members };
}

/** Where a client keeps its token, unless it is told. */
export function tokenPath(settings: Settings, clusterId: string): string {
  return settings.text(TOKEN_FILE.name) ?? join(peersDirectory(), `client-${clusterId}.token`);
}

/** Where there is one file of a client alone, what it holds; null: none, or several. Throws UsageError. */
export function keptCredentials(): Credentials | null {
  const directory = peersDirectory();
  const files = existsSync(directory)
    ? readdirSync(directory).filter((name) => /^client-[a-z0-9]+\.token$/.test(name))
    : [];
  return files.length === 1 ? readCredentials(join(directory, files[0] as string)) : null;
}

/**
 * The token with which an invitation is being used, and what ends that: kept before anything is sent, so that who is
 * interrupted has it the next time. Throws UsageError.
 */
export function pendingToken(path: string, make: () => string): { readonly token: string; done(): void } {
  const pending = `${path}.new`;
  const done = () => rmSync(pending, { force: true });
  const before = guarded(() => readSecretFile(pending, DANGER));
  if (before !== null && v.is(secret, before)) return { token: before, done };
  done();
  const token = make();
  guarded(() => {
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
    makeSecretFile(pending, token);
  });
  return { token, done };
}

/** Throws UsageError. */
export function keep(path: string, kept: Kept): void {
  guarded(() => makeSecretFile(path, `${JSON.stringify(kept)}\n`));
}

function guarded<T>(work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (!(error instanceof PortError)) throw error;
    throw new UsageError(error.message);
  }
}

function json(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
