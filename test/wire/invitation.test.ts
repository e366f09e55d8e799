/** Invitations as people paste them: back as they were, or refused in words that say what is wrong. */
import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { fromBase32, toBase32 } from "../../src/core/base32.ts";
import { crc32c } from "../../src/wire/crc32c.ts";
import { encodeInvitation, type Invitation, parseInvitation, pinOf } from "../../src/wire/invitation.ts";

const bytes = (length: number) => fc.uint8Array({ minLength: length, maxLength: length });
const base32 = (length: number) => bytes(length).map(toBase32);
const word = fc.stringMatching(/^[a-z0-9]{1,64}$/);
const host = fc.oneof(
  fc.ipV4(),
  fc.ipV6(),
  fc.domain(),
  fc.constantFrom("h".repeat(255), "münchen", "010.0.0.1", "1.2.3.256", "1.2.3", "0.0.0.0", "255.255.255.255"),
);
const anyInvitation: fc.Arbitrary<Invitation> = fc.record({
  role: fc.constantFrom("member", "client"),
  cluster_id: word,
  secret: base32(16),
  addresses: fc.array(
    fc.record({
      id: fc.integer({ min: 1, max: 59_535 }),
      host,
      port: fc.integer({ min: 1, max: 65_535 }),
      pin: base32(16),
    }),
    { minLength: 1, maxLength: 3 },
  ),
});
const EXAMPLE: Invitation = {
  ...{ role: "member", cluster_id: "k3j2h1g0f9e8d7c6", secret: toBase32(new Uint8Array(16).fill(77)) },
  addresses: [1, 2, 3].map((id) => ({
    ...{ id, host: `192.168.100.20${id}`, port: 6000 + id, pin: toBase32(new Uint8Array(16).fill(id)) },
  })),
};
const TEXT = encodeInvitation(EXAMPLE);

function refusal(text: string): string {
  const parsed = parseInvitation(text);
  if (parsed.ok) throw new Error(`taken: ${text}`);
  return parsed.message;
}

describe("base32", () => {
  test("is that of RFC 4648, in lower case without padding", () => {
    const known = { f: "my", fo: "mzxq", foo: "mzxw6", foob: "mzxw6yq", fooba: "mzxw6ytb", foobar: "mzxw6ytboi" };
    for (const [text, encoded] of Object.entries(known)) {
      expect(toBase32(new TextEncoder().encode(text))).toBe(encoded);
      expect(new TextDecoder().decode(fromBase32(encoded) as Uint8Array)).toBe(text);
    }
    for (const bad of ["a", "mz", "MY", "my=", "m1", "mzxw6yt", "aaa"])
      expect([bad, fromBase32(bad)]).toEqual([bad, null]);
  });

  test("reads back any bytes", () => {
    fc.assert(fc.property(fc.uint8Array(), (bytes) => expect(fromBase32(toBase32(bytes))).toEqual(bytes)));
  });
});

describe("invitations", () => {
  test("are read back as they were made, whatever mail and chats do to them", () => {
    const noise = fc.constantFrom("", " ", "\n", "\r\n", "\n> ", "\t", "\u200b", "\ufeff", "\u00ad", "\n>> > ");
    fc.assert(
      fc.property(anyInvitation, fc.array(noise, { minLength: 8, maxLength: 8 }), (invitation, noises) => {
        const text = encodeInvitation(invitation);
        const cut = Math.ceil(text.length / noises.length);
        const mailed = noises.map((noise, i) => text.slice(i * cut, (i + 1) * cut) + noise).join("");
        expect(parseInvitation(mailed)).toEqual({ ok: true, invitation });
        expect(parseInvitation(`> ${mailed}\n`)).toEqual({ ok: true, invitation });
        expect(parseInvitation(text.replaceAll("--", "\u2014").replaceAll("-", "\u2013"))).toEqual({
          ok: true,
          invitation,
        });
      }),
    );
  });

  test("with three IPv4 addresses fit into two lines of a mail", () => {
    expect(TEXT).toMatch(/^chatpeer1-[A-Za-z0-9_-]+$/);
    expect(TEXT.length).toBeLessThanOrEqual(170);
    expect(encodeInvitation({ ...EXAMPLE, cluster_id: "c".repeat(64) }).length).toBeLessThanOrEqual(300);
  });

  test("hold 16 bytes of a key", () => {
    const key = Uint8Array.from({ length: 32 }, (_, i) => 255 - i);
    expect(pinOf(toBase32(key))).toBe(toBase32(key.subarray(0, 16)));
  });

  test("each mistake is said in words of its own", () => {
    const middle = Math.floor(TEXT.length / 2);
    const other = TEXT[middle] === "A" ? "B" : "A";
    const said = [
      refusal(" \n "),
      refusal("hello"),
      refusal("chatpe"),
      refusal(`here it is: ${TEXT}`),
      refusal(TEXT.replace("chatpeer1", "chatpeer2")),
      refusal(`${TEXT}.`),
      refusal(TEXT.slice(0, -9)),
      refusal(`${TEXT}AAAA`),
      refusal(TEXT.slice(0, middle) + other + TEXT.slice(middle + 1)),
      refusal("x".repeat(10_000)),
    ];
    expect(said).toEqual([
      "that is empty: paste the whole invitation, which begins with chatpeer1-",
      "that is no invitation: one begins with chatpeer1-",
      "that is only the beginning of an invitation: paste all of it",
      "something stands before the invitation: paste it from chatpeer1- on",
      "that invitation is of another version of chatpeer (2, not 1): update the older one",
      "no invitation has the character . in it: paste nothing else with it",
      "the end of the invitation is missing: paste all of it",
      "something stands behind the invitation: paste nothing else with it",
      "a letter of the invitation is wrong: paste it, do not type it",
      "that is far longer than an invitation: paste nothing else with it",
    ]);
  });

  test("with anything cut off, put in or changed are refused, and never throw", () => {
    fc.assert(
      fc.property(
        anyInvitation,
        fc.nat(),
        fc.string({ unit: "binary", maxLength: 4 }),
        fc.nat(3),
        (made, where, put, cut) => {
          const text = encodeInvitation(made);
          const at = where % text.length;
          const changed = text.slice(0, at) + put + text.slice(at + cut);
          const parsed = parseInvitation(changed);
          if (parsed.ok) expect(encodeInvitation(parsed.invitation)).toBe(encodeInvitation(made));
          else expect(parsed.message.length).toBeGreaterThan(20);
        },
      ),
      { numRuns: 2000 },
    );
    fc.assert(
      fc.property(fc.string({ unit: "binary", maxLength: 400 }), (text) => void parseInvitation(`chatpeer1-${text}`)),
    );
  });

  test("a right crc over what none can say is refused", () => {
    const bytes = Buffer.from(TEXT.slice("chatpeer1-".length), "base64url");
    // No address is left.
    const head = bytes.subarray(0, 1 + 1 + 16 + 16);
    const body = Buffer.concat([head, Uint8Array.of(0)]);
    const crc = Buffer.alloc(4);
    crc.writeUInt32BE(crc32c(body));
    expect(refusal(`chatpeer1-${Buffer.concat([body, crc]).toString("base64url")}`)).toContain("none can say");
  });
});
