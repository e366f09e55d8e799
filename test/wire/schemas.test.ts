/**
 * The wire as a whole: a change of it without a new protocol version would let two builds that understand each other
 * wrongly talk to each other [W2]. Everything the schemas say is hashed and held against the hash of the version.
 */
import { describe, expect, test } from "bun:test";
import { createHash } from "node:crypto";
import * as v from "valibot";
import { PROTOCOL_VERSION } from "../../src/core/config.ts";
import { ENTRIES, FRAMES, type FrameType } from "../../src/wire/schemas.ts";

/** One line for each version of the protocol that was ever committed: its hash never changes. */
const HASHES: Record<number, string> = {
  1: "7c9015cf2c440f6a",
};

/**
 * Functions have no content to hash: what they say about these stands for them. Lengths around every power of two,
 * and not around the limits of now, so that a limit that moves is seen.
 */
const PROBES = [
  ...["", " ", "a", "A", "0", "é", "\t", "\n", "\0", "\x1f", "\x7f", "\x80", "\x9f", "\xa0", "\u2028", "\ud800", "👋"],
  ...[..."aé€👋"].flatMap((c) =>
    Array.from({ length: 20 }, (_, power) => 2 ** power).flatMap((n) =>
      [n, n + 1, Math.ceil(1.5 * n)].map((m) => c.repeat(m)),
    ),
  ),
];

/** What a schema says, as plain JSON; the order of fields in an object says nothing. */
function describeSchema(part: unknown): unknown {
  if (part instanceof RegExp) return `${part}`;
  if (typeof part === "function") return PROBES.map((probe) => (part(probe) === true ? "1" : "0")).join("");
  if (Array.isArray(part)) return part.map(describeSchema);
  if (typeof part !== "object" || part === null) return part;
  const said: Record<string, unknown> = {};
  for (const key of Object.keys(part).sort()) {
    // Everything but how valibot works and words its refusals.
    if (["~run", "~standard", "reference", "expects", "message", "async"].includes(key)) continue;
    said[key] = describeSchema((part as Record<string, unknown>)[key]);
  }
  return said;
}

const hashOf = (said: unknown) => createHash("sha256").update(JSON.stringify(said)).digest("hex").slice(0, 16);

test("[W2] what is on the wire changes only together with the protocol version", () => {
  const hash = hashOf({ frames: describeSchema(FRAMES), entries: describeSchema(ENTRIES) });
  if (HASHES[PROTOCOL_VERSION] === hash) return;
  throw new Error(
    HASHES[PROTOCOL_VERSION] === undefined
      ? `protocol version ${PROTOCOL_VERSION} is new: add the line "${PROTOCOL_VERSION}: "${hash}"," to HASHES in test/wire/schemas.test.ts, and leave the earlier lines as they are`
      : `the schemas in src/wire/schemas.ts or a limit in src/core/config.ts that they use have changed, and with them what peers may send each other. If that is meant: raise PROTOCOL_VERSION in src/core/config.ts (now ${PROTOCOL_VERSION}), so that older builds are refused with a clear error instead of misread, and add the line "${PROTOCOL_VERSION + 1}: "${hash}"," to HASHES in test/wire/schemas.test.ts. Before the first release of version ${PROTOCOL_VERSION} its own line may be corrected instead.`,
  );
});

describe("the hash", () => {
  const name = v.pipe(v.string(), v.minLength(1));
  const base = v.strictObject({ type: v.literal("A"), id: v.number(), name });
  const hash = (schema: unknown) => hashOf(describeSchema(schema));

  test("is that of the content: the same for the same said again, in another order of fields", () => {
    const again = v.strictObject({ name: v.pipe(v.string(), v.minLength(1)), id: v.number(), type: v.literal("A") });
    expect(hash(again)).toBe(hash(base));
  });

  test("changes with every kind of change", () => {
    const other = [
      v.strictObject({ ...base.entries, more: v.number() }),
      v.strictObject({ type: v.literal("A"), name }),
      v.strictObject({ ...base.entries, type: v.literal("B") }),
      v.strictObject({ ...base.entries, id: v.string() }),
      v.strictObject({ ...base.entries, id: v.nullable(v.number()) }),
      v.strictObject({ ...base.entries, id: v.pipe(v.number(), v.maxValue(9)) }),
      v.strictObject({ ...base.entries, name: v.pipe(v.string(), v.minLength(2)) }),
      v.strictObject({ ...base.entries, name: v.pipe(v.string(), v.minLength(1), v.regex(/a/)) }),
      v.strictObject({ ...base.entries, name: v.pipe(v.string(), v.minLength(1), v.regex(/b/)) }),
      v.strictObject({
        ...base.entries,
        name: v.pipe(
          v.string(),
          v.check((s) => s.length <= 64),
        ),
      }),
      v.strictObject({
        ...base.entries,
        name: v.pipe(
          v.string(),
          v.check((s) => s.length < 64),
        ),
      }),
      v.strictObject({ ...base.entries, name: v.picklist(["a", "b"]) }),
      v.strictObject({ ...base.entries, name: v.picklist(["a", "b", "c"]) }),
      v.object(base.entries),
    ];
    expect(new Set([base, ...other].map(hash)).size).toBe(other.length + 1);
  });
});

test("[W4] each schema is listed under the name that it takes, and takes no other", () => {
  for (const type of Object.keys(FRAMES) as FrameType[]) expect(FRAMES[type].entries.type.literal).toBe(type);
  for (const [kind, schema] of Object.entries(ENTRIES)) expect(schema.entries.kind.literal).toBe(kind as "chat");
});

test("[W1] the names of the course system are on the wire, letter by letter", () => {
  const course = "JOIN JOIN_ACK HEARTBEAT ELECTION ELECTION_OK COORDINATOR CHAT SEQ_CHAT CATCHUP_REQ CATCHUP_RESP";
  expect(Object.keys(FRAMES)).toEqual(expect.arrayContaining(course.split(" ")));
});
