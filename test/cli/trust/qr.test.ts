/** Codes for a camera: what is drawn is read back, by the decoder that comes with the encoder. */
import { expect, test } from "bun:test";
import decodeQR from "qr/decode.js";
import { qrRows } from "../../../src/cli/trust/qr.ts";
import { encodeInvitation } from "../../../src/wire/invitation.ts";

const PIXELS = 4;
/** Which halves of a cell are lit. */
const LIT: Readonly<Record<string, readonly [boolean, boolean]>> = {
  "█": [true, true],
  "▀": [true, false],
  "▄": [false, true],
  " ": [false, false],
};

/** A picture of the rows, as a camera takes it from a dark terminal. */
function picture(rows: readonly string[]) {
  const dots = rows.flatMap((row) => [0, 1].map((half) => [...row].map((cell) => LIT[cell]?.[half] as boolean)));
  const [width, height] = [(dots[0]?.length ?? 0) * PIXELS, dots.length * PIXELS];
  const data = new Uint8Array(width * height * 3);
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++)
      data.fill(
        dots[Math.floor(y / PIXELS)]?.[Math.floor(x / PIXELS)] ? 255 : 0,
        (y * width + x) * 3,
        (y * width + x + 1) * 3,
      );
  return { width, height, data };
}

test("an invitation of three peers is read from the screen again, and fits one of 80 columns", async () => {
  const peers = [1, 2, 3].map((id) => ({
    id,
    host: `10.0.0.${id}`,
    port: 6000 + id,
    pin: "abcdefgh".repeat(3) + "iq",
  }));
  const text = encodeInvitation({
    role: "member",
    cluster_id: "a1b2c3d4e5f6",
    secret: "b".repeat(25) + "a",
    addresses: peers,
  });
  const rows = await qrRows(text, (row) => row);
  expect(new Set(rows.map((row) => row.length)).size).toBe(1);
  expect(rows[0]?.length).toBeLessThan(80);
  expect(decodeQR(picture(rows))).toBe(text);
});
