/**
 * CRC-32C and the log's chain [L3] against the published vectors and a version that works bit by bit and shares no code
 * with the eight tables: a wrong table entry would make logs that only this program believes.
 */
import { expect, test } from "bun:test";
import { seeded } from "../../src/sim/virtual-time.ts";
import { chainCrc, crc32c } from "../../src/wire/crc32c.ts";

/** The definition (RFC 3720, B.4), one bit at a time. */
function bitByBit(bytes: Uint8Array): number {
  let register = 0xffff_ffff;
  for (const byte of bytes) {
    register ^= byte;
    for (let bit = 0; bit < 8; bit++) register = register & 1 ? (register >>> 1) ^ 0x82f6_3b78 : register >>> 1;
  }
  return (register ^ 0xffff_ffff) >>> 0;
}

const ascii = (text: string) => new TextEncoder().encode(text);
const bigEndian = (n: number) => Uint8Array.of(n >>> 24, n >>> 16, n >>> 8, n);
const joined = (...parts: Uint8Array[]) => new Uint8Array(Buffer.concat(parts));

/** "SCSI read (10)" of RFC 3720, B.4. */
const ISCSI_READ = Uint8Array.from(
  (
    "01c00000 00000000 00000000 00000000 14000000 00000400 00000014 00000018 28000000 00000000 02000000 00000000"
      .replaceAll(" ", "")
      .match(/../g) ?? []
  ).map((hex) => Number.parseInt(hex, 16)),
);

const VECTORS: [string, Uint8Array, number][] = [
  ["nothing", new Uint8Array(0), 0],
  ["the check value of the catalogue", ascii("123456789"), 0xe306_9283],
  ["one letter", ascii("a"), 0xc1d0_4330],
  ["iSCSI: 32 zeros", new Uint8Array(32), 0x8a91_36aa],
  ["iSCSI: 32 ones", new Uint8Array(32).fill(0xff), 0x62a8_ab43],
  ["iSCSI: 32 ascending", Uint8Array.from({ length: 32 }, (_, i) => i), 0x46dd_794e],
  ["iSCSI: 32 descending", Uint8Array.from({ length: 32 }, (_, i) => 31 - i), 0x113f_db5c],
  ["iSCSI: a read command", ISCSI_READ, 0xd996_3a56],
];

for (const [what, bytes, expected] of VECTORS) {
  test(`[L3] published vector: ${what}`, () => {
    expect(crc32c(bytes)).toBe(expected);
    expect(bitByBit(bytes)).toBe(expected);
  });
}

test("every length and every offset to the eight-byte step gives what the bitwise version gives", () => {
  const random = seeded(3);
  const bytes = Uint8Array.from({ length: 80 }, () => random() * 256);
  for (let start = 0; start <= 9; start++) {
    for (let end = start; end <= bytes.length; end++) {
      expect(crc32c(bytes, start, end)).toBe(bitByBit(bytes.subarray(start, end)));
    }
  }
});

test("each entry of each table is right: one byte at a time set to every value, at every place of a step", () => {
  for (let place = 0; place < 8; place++) {
    for (let value = 0; value < 256; value++) {
      const bytes = new Uint8Array(8);
      bytes[place] = value;
      expect(crc32c(bytes)).toBe(bitByBit(bytes));
    }
  }
});

test("[L3] a link of the chain is the crc of the previous one, big-endian, and then the bytes", () => {
  const random = seeded(4);
  for (let round = 0; round < 500; round++) {
    const bytes = Uint8Array.from({ length: Math.floor(random() * 100) }, () => random() * 256);
    const end = Math.floor(random() * (bytes.length + 1));
    const start = Math.floor(random() * (end + 1));
    const previous = Math.floor(random() * 2 ** 32);
    expect(chainCrc(previous, bytes, start, end)).toBe(
      bitByBit(joined(bigEndian(previous), bytes.subarray(start, end))),
    );
  }
});

test("[L3] a chain by hand: two lines, the second over the crc of the first", () => {
  const first = chainCrc(0, ascii("one,"), 0, 4);
  const second = chainCrc(first, ascii("two,"), 0, 4);
  expect(first).toBe(bitByBit(ascii("\0\0\0\0one,")));
  expect(second).toBe(bitByBit(joined(bigEndian(first), ascii("two,"))));
  // The same line behind another one has another crc: a line cannot be moved.
  expect(chainCrc(0, ascii("two,"), 0, 4)).not.toBe(second);
});

test("results are unsigned, whatever the top bit", () => {
  const random = seeded(5);
  let high = 0;
  for (let round = 0; round < 200; round++) {
    const bytes = Uint8Array.from({ length: 16 }, () => random() * 256);
    for (const crc of [crc32c(bytes), chainCrc(0xffff_ffff, bytes, 0, 16)]) {
      expect(crc >= 0 && crc <= 0xffff_ffff).toBe(true);
      if (crc >= 2 ** 31) high++;
    }
  }
  expect(high).toBeGreaterThan(100);
});
