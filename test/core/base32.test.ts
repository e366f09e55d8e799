import { expect, test } from "bun:test";
import fc from "fast-check";
import { fromBase32, toBase32 } from "../../src/core/base32.ts";

test("the vectors of RFC 4648, in lower case and without padding", () => {
  const vectors = {
    "": "",
    f: "my",
    fo: "mzxq",
    foo: "mzxw6",
    foob: "mzxw6yq",
    fooba: "mzxw6ytb",
    foobar: "mzxw6ytboi",
  };
  for (const [bytes, text] of Object.entries(vectors)) {
    expect(toBase32(Buffer.from(bytes))).toBe(text);
    expect(Buffer.from(fromBase32(text) as Uint8Array).toString()).toBe(bytes);
  }
});

test("any bytes come back", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 40 }), (bytes) => {
      expect(fromBase32(toBase32(bytes))).toEqual(bytes);
    }),
  );
});

test.each(["m", "MY", "my======", "mz1q", "mz q", "mb", "mzx", "é"])("%p is written for no bytes", (text) => {
  expect(fromBase32(text)).toBeNull();
});
