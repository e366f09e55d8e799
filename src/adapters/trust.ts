/** Trust on this platform: keys are files of the directory, secrets and hashes are node:crypto's, and the network is TLS. */
import type * as Crypto from "node:crypto";
import { toBase32 } from "../core/base32.ts";
import type { Network, PortError, Trust } from "../host/contracts.ts";
import { builtin } from "./builtin.ts";
import type { Credentials } from "./certificate.ts";
import { systemClock } from "./clock.ts";
import { keyNoted, makeKeys, openKeys } from "./key-files.ts";
import { namedNetwork } from "./named-network.ts";
import { toPortError } from "./system-errors.ts";

const SECRET_BYTES = 16;

export function platformTrust(directory: string): Trust {
  let opened: Promise<Credentials> | null = null;
  const own = () => {
    opened ??= openKeys(directory).then((found) => found ?? makeKeys(directory));
    return opened;
  };
  return {
    key: (makes, done) => answer(makes ? own().then(({ key }) => key) : keyNoted(directory), done),
    network: (warn, done) =>
      answer(
        own().then((credentials) => securedNetwork(credentials, warn)),
        done,
      ),
    hash: hashSecret,
    secret: makeSecret,
  };
}

/** Fresh: nobody can guess it. */
export function makeSecret(): string {
  return toBase32(crypto().randomBytes(SECRET_BYTES));
}

/** SHA-256 of its characters, in base32. */
export function hashSecret(secret: string): string {
  return toBase32(crypto().createHash("sha256").update(secret).digest());
}

/** What the callback throws is thrown on the event loop, as of any other callback. */
function answer<T>(made: Promise<T | null>, done: (error: PortError | null, value: T | null) => void): void {
  made.then(
    (value) => setImmediate(() => done(null, value)),
    (error: unknown) => setImmediate(() => done(toPortError(error), null)),
  );
}

function crypto(): typeof Crypto {
  return builtin("node:crypto");
}

/**
 * The network of a secured cluster. Its modules are loaded only here, because a plain peer does not need them. Without
 * credentials, as a client that has a token, it can only dial. `warn` tells the operator whose connections are refused.
 */
export async function securedNetwork(own: Credentials | null, warn: (message: string) => void): Promise<Network> {
  const { tlsNetwork } = await import("./tls-network.ts");
  return namedNetwork(tlsNetwork(own, { clock: systemClock, warn }), systemClock);
}
