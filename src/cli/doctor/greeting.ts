/**
 * What answers at an address: a peer says who it is as soon as somebody connects, before anything is said to it, so it
 * can be asked without being disturbed.
 */
import * as v from "valibot";
import type { Address } from "../../core/address.ts";
import { GREETING_BYTES_MAX } from "../../core/config.ts";
import type { Key } from "../../core/ids.ts";
import { commonVersion, OWN_VERSIONS, type Versions, versionsOf } from "../../core/versions.ts";
import type { Clock, Network } from "../../host/contracts.ts";
import { FRAMES, LATER_GREETINGS } from "../../wire/schemas.ts";
import { parseObject } from "../../wire/text.ts";

export type PeerHello = v.InferOutput<typeof FRAMES.HELLO>;

export type Greeting =
  | {
      readonly result: "peer";
      readonly hello: PeerHello;
      /** Milliseconds since 1970 here: halfway between the connection and the answer, and how far that may be off. */
      readonly at: number;
      readonly unsureMs: number;
    }
  /** It speaks no version that is spoken here. */
  | { readonly result: "other-version"; readonly versions: Versions }
  | { readonly result: "refused"; readonly code: string; readonly message: string }
  /** A peer of a secured cluster, which says nothing to strangers; the key that it has proven. */
  | { readonly result: "secured"; readonly key: Key }
  /** Something else: the beginning of what it said, "" if it closed without a word. */
  | { readonly result: "stranger"; readonly said: string }
  /** It listens and says nothing. */
  | { readonly result: "silent" }
  /** No connection; a system error's code, or ETIMEDOUT. */
  | { readonly result: "unreachable"; readonly code: string };

const NEWLINE = 0x0a;

/** What it takes to ask somebody. */
export interface AskingPorts {
  readonly clock: Clock;
  readonly network: Network;
  /** Where keys are proven. Without it, a peer of a secured cluster has refused. */
  readonly secured?: () => Promise<Network>;
}

/** Plain frames begin so: a peer of a secured cluster answers that it wants TLS, where it would wait for more of nothing. */
const PLAIN = Uint8Array.of(0x7b);

/** Never rejects. */
export async function greet(ports: AskingPorts, address: Address, timeoutMs: number): Promise<Greeting> {
  const greeting = await greetPlain(ports, address, timeoutMs);
  if (greeting.result !== "refused" || greeting.code !== "needs-tls" || ports.secured === undefined) return greeting;
  return provenKey({ ...ports, network: await ports.secured() }, address, timeoutMs);
}

/** Who answers at an address of a secured cluster. Never rejects. */
function provenKey(
  { clock, network }: Omit<AskingPorts, "secured">,
  { host, port }: Address,
  timeoutMs: number,
): Promise<Greeting> {
  return new Promise((resolve) => {
    const end = (greeting: Greeting) => {
      timer.cancel();
      connection.destroy();
      resolve(greeting);
    };
    const timer = clock.after(timeoutMs, () => end({ result: "unreachable", code: "ETIMEDOUT" }));
    const connection = network.connect(host, port, {
      open: () => {
        const { identity } = connection;
        end(identity === null ? { result: "stranger", said: "" } : { result: "secured", key: identity });
      },
      data() {},
      drain() {},
      close: (code) => end({ result: "unreachable", code: code || "EIO" }),
    });
  });
}

function greetPlain({ clock, network }: AskingPorts, { host, port }: Address, timeoutMs: number): Promise<Greeting> {
  return new Promise((resolve) => {
    let began = clock.wall();
    let connected = false;
    let bytes = Buffer.alloc(0);
    const end = (greeting: Greeting) => {
      timer.cancel();
      connection.destroy();
      resolve(greeting);
    };
    const stranger = (): Greeting => ({ result: "stranger", said: bytes.toString() });
    const timer = clock.after(timeoutMs, () => {
      if (!connected) return end({ result: "unreachable", code: "ETIMEDOUT" });
      end(bytes.length === 0 ? { result: "silent" } : stranger());
    });
    const connection = network.connect(host, port, {
      open: () => {
        connected = true;
        connection.write(PLAIN);
        began = clock.wall();
      },
      data: (chunk) => {
        bytes = Buffer.concat([bytes, chunk.subarray(0, GREETING_BYTES_MAX)]);
        const newline = bytes.indexOf(NEWLINE);
        if (newline >= 0) end(understood(bytes.subarray(0, newline), began, clock.wall()));
        else if (bytes.length >= GREETING_BYTES_MAX) end(stranger());
      },
      drain() {},
      close: (code) => end(connected ? stranger() : { result: "unreachable", code: code || "EIO" }),
    });
  });
}

function understood(line: Buffer, began: number, now: number): Greeting {
  const stranger: Greeting = { result: "stranger", said: line.toString() };
  let said: ReturnType<typeof parseObject>;
  try {
    said = parseObject(line, 0, line.length);
  } catch {
    return stranger;
  }
  const { version, version_min = version } = said;
  if (said.type === "HELLO" && typeof version === "number" && typeof version_min === "number") {
    const versions = versionsOf({ version, version_min });
    if (commonVersion(OWN_VERSIONS, versions) === null) return { result: "other-version", versions };
  }
  const hello = v.safeParse(LATER_GREETINGS.HELLO, said);
  if (hello.success) return { result: "peer", hello: hello.output, at: (began + now) / 2, unsureMs: (now - began) / 2 };
  const refuse = v.safeParse(FRAMES.REFUSE, said);
  if (refuse.success) return { result: "refused", code: refuse.output.code, message: refuse.output.message };
  return stranger;
}
