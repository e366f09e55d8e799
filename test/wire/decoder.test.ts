/**
 * A connection's bytes into frames [W1] [W2] [W3] [W4]: the pieces they come in make no difference, limits hold before
 * anything is kept for what exceeds them, and nothing that a stranger can send throws anything but a WireError.
 */
import { describe, expect, test } from "bun:test";
import { FRAME_BYTES_MAX, FRAME_ENTRIES_MAX, NESTING_MAX, PROTOCOL_VERSION } from "../../src/core/config.ts";
import type { Frame } from "../../src/core/frame.ts";
import type { Hello } from "../../src/core/message.ts";
import type { Versions } from "../../src/core/versions.ts";
import { FrameDecoder } from "../../src/wire/decoder.ts";
import { encodeFrame } from "../../src/wire/encode.ts";
import { FRAMES, type FrameType } from "../../src/wire/schemas.ts";
import { WireError, WrongVersion } from "../../src/wire/wire-error.ts";
import { ascii, join, lineOf, lineWithHead, Sampler, said } from "./samples.ts";

const GREETING_BYTES_MAX = 4096;
const TYPES = Object.keys(FRAMES) as FrameType[];
/** REFUSE is read as generously as can be: peers of other versions say it too. */
const STRICT = TYPES.filter((type) => type !== "REFUSE");
const HELLO_FRAME = new Sampler(1).hello();
const HELLO = join(encodeFrame(HELLO_FRAME));

const bytesOf = (frames: readonly Frame[]) => join(frames.flatMap(encodeFrame));
const line = (value: unknown) => ascii(`${JSON.stringify(value)}\n`);

function drain(decoder: FrameDecoder): Frame[] {
  const frames: Frame[] = [];
  for (let frame = decoder.next(); frame !== null; frame = decoder.next()) frames.push(frame);
  return frames;
}

/** A decoder that has been greeted: all frames are open to it. */
function greeted(): FrameDecoder {
  const decoder = new FrameDecoder();
  decoder.push(HELLO.slice());
  expect(drain(decoder)).toHaveLength(1);
  return decoder;
}

function refusal(decoder: FrameDecoder, bytes: Uint8Array | string): string {
  decoder.push(typeof bytes === "string" ? ascii(bytes) : bytes);
  try {
    const frames = drain(decoder);
    throw new Error(`not refused: ${JSON.stringify(said(frames[0] as Frame) ?? null)?.slice(0, 300)}`);
  } catch (error) {
    if (error instanceof WireError) return error.message;
    throw error;
  }
}

/** One conversation with every type of frame in it, and its bytes. */
function conversation(seed: number): { frames: Frame[]; bytes: Uint8Array } {
  const sampler = new Sampler(seed);
  const frames = [sampler.hello(), ...TYPES.map((type) => sampler.frame(type)), sampler.frame("SEQ_CHAT", 12)];
  return { frames, bytes: bytesOf(frames) };
}

describe("pieces", () => {
  for (const type of TYPES) {
    test(`[W1] a ${type} comes out as it went in`, () => {
      const sampler = new Sampler(TYPES.indexOf(type) + 1);
      for (let round = 0; round < 40; round++) {
        const frame = sampler.frame(type);
        const decoder = greeted();
        decoder.push(bytesOf([frame]));
        expect(drain(decoder).map(said)).toEqual([said(frame)]);
      }
    });
  }

  test("any split of the bytes into pieces gives the same frames, each as soon as its last byte is there", () => {
    for (let seed = 1; seed <= 40; seed++) {
      const { frames, bytes } = conversation(seed);
      const ends = frames.map((_, i) => bytesOf(frames.slice(0, i + 1)).length);
      const sampler = new Sampler(seed);
      const decoder = new FrameDecoder();
      const out: Frame[] = [];
      for (let at = 0; at < bytes.length; ) {
        const size = 1 + sampler.below(sampler.pick([1, 10, 300, 5000, 100_000]));
        decoder.push(bytes.slice(at, at + size));
        at = Math.min(bytes.length, at + size);
        out.push(...drain(decoder));
        expect(out.length).toBe(ends.filter((end) => end <= at).length);
      }
      // Entries handed out early are still what they were: their bytes were not written over by what came later.
      expect(out.map(said)).toEqual(frames.map(said));
    }
  });

  test("a cut at every single place gives the same frames", () => {
    const sampler = new Sampler(7);
    const frames = [sampler.hello(), sampler.frame("SEQ_CHAT", 2), sampler.frame("PING")];
    const bytes = bytesOf(frames);
    const expected = frames.map(said);
    for (let cut = 0; cut <= bytes.length; cut++) {
      const decoder = new FrameDecoder();
      decoder.push(bytes.slice(0, cut));
      const before = drain(decoder);
      decoder.push(bytes.slice(cut));
      const all = [...before, ...drain(decoder)].map(said);
      if (!Bun.deepEquals(all, expected)) throw new Error(`another outcome with a cut at ${cut} of ${bytes.length}`);
    }
  });

  test("frames need not be taken before more bytes come", () => {
    const { frames, bytes } = conversation(3);
    const decoder = new FrameDecoder();
    for (let at = 0; at < bytes.length; at += 100) decoder.push(bytes.slice(at, at + 100));
    expect(drain(decoder).map(said)).toEqual(frames.map(said));
  });

  test("half a frame is no frame, however often one asks", () => {
    const decoder = greeted();
    const bytes = bytesOf([new Sampler(2).frame("SEQ_CHAT", 3)]);
    decoder.push(bytes.slice(0, -1));
    for (let i = 0; i < 3; i++) expect(decoder.next()).toBeNull();
    decoder.push(bytes.slice(-1));
    expect(decoder.next()).toMatchObject({ type: "SEQ_CHAT" });
    expect(decoder.next()).toBeNull();
  });

  test("[W1] entries keep the bytes they came in; only a line that came in pieces is copied", () => {
    const frame = new Sampler(5).frame("CATCHUP_RESP", 20) as Extract<Frame, { type: "CATCHUP_RESP" }>;
    const bytes = bytesOf([frame]);
    const longest = Math.max(...frame.entries.map(({ start, end }) => end - start));
    for (const size of [bytes.length, 1000, 7]) {
      const decoder = greeted();
      const out: Frame[] = [];
      const pieces: Uint8Array[] = [];
      for (let at = 0; at < bytes.length; at += size) {
        const piece = bytes.slice(at, at + size);
        pieces.push(piece);
        decoder.push(piece);
        out.push(...drain(decoder));
      }
      const { entries } = out[0] as typeof frame;
      expect(entries.map(lineOf)).toEqual(frame.entries.map(lineOf));
      const came = (chunk: Uint8Array) => pieces.some(({ buffer }) => buffer === chunk.buffer);
      const copied = entries.filter(({ chunk }) => !came(chunk));
      expect(copied.length).toBeLessThan(pieces.length);
      // What an entry pins is bounded by what its line needed.
      for (const { chunk } of copied) expect(chunk.length).toBeLessThanOrEqual(2 * (longest + size));
    }
  });

  test("[W1] a frame of no entries is a frame; its header alone is enough", () => {
    const decoder = greeted();
    decoder.push(bytesOf([new Sampler(6).frame("SEQ_CHAT", 0)]));
    expect(drain(decoder)).toMatchObject([{ type: "SEQ_CHAT", entries: [] }]);
  });

  test("[L6] U+2028, U+2029, U+0085 and carriage returns end no line", () => {
    const decoder = greeted();
    const message = "one\u2028two\u2029three\u0085four\rfive";
    decoder.push(ascii(`\r{"type":"ADMIN_ACK","ok":true,"message":${JSON.stringify(message)}}\r\n`));
    expect(drain(decoder)).toEqual([{ type: "ADMIN_ACK", ok: true, message }]);
  });

  test("a long line in small pieces is searched once, not again from its start with every piece", () => {
    const decoder = greeted();
    const bytes = ascii(`{"type":"ADMIN_ACK","ok":true,"message":"","x":"${"y".repeat(50_000)}`);
    const indexOf = Uint8Array.prototype.indexOf;
    let looked = 0;
    Uint8Array.prototype.indexOf = function (this: Uint8Array, value: number, from = 0) {
      looked += this.length - from;
      return indexOf.call(this, value, from);
    };
    try {
      for (let at = 0; at < bytes.length; at++) {
        decoder.push(bytes.subarray(at, at + 1));
        if (decoder.next() !== null) throw new Error("no frame ended");
      }
    } finally {
      Uint8Array.prototype.indexOf = indexOf;
    }
    expect(looked).toBe(bytes.length);
    expect(refusal(decoder, '"}\n')).toContain("ADMIN_ACK with a wrong x");
  });
});

describe("[W2] greeting", () => {
  test("nothing but HELLO, ATTACH, REDEEM or REFUSE is listened to first; then everything", () => {
    const sampler = new Sampler(9);
    for (const type of TYPES) {
      const bytes = bytesOf([sampler.frame(type)]);
      if (["HELLO", "ATTACH", "REDEEM", "REFUSE"].includes(type)) {
        const decoder = new FrameDecoder();
        decoder.push(bytes);
        expect(drain(decoder)).toMatchObject([{ type }]);
      } else expect(refusal(new FrameDecoder(), bytes)).toBe(`${type} before HELLO`);
      const decoder = greeted();
      decoder.push(bytesOf([sampler.frame(type)]));
      expect(drain(decoder)).toMatchObject([{ type }]);
    }
  });

  test("the HELLO or ATTACH of another protocol version is told as such, whatever else stands in it", () => {
    for (const fields of [
      { ...HELLO_FRAME, version: 999, version_min: 998 },
      { type: "HELLO", version: PROTOCOL_VERSION + 1, new_field: [] },
      { type: "ATTACH", version: PROTOCOL_VERSION - 1 },
    ]) {
      const decoder = new FrameDecoder();
      decoder.push(line(fields));
      expect(() => drain(decoder)).toThrow(WrongVersion);
    }
  });

  test("a greeting whose versions include one that is spoken here is taken; what a later one adds is passed over", () => {
    const { version_min: _, ...said } = new Sampler(1).hello() as Hello;
    const heard = (fields: object, own?: Versions) => {
      const decoder = new FrameDecoder(own);
      decoder.push(line(fields));
      return drain(decoder);
    };
    const later = { ...said, version: PROTOCOL_VERSION + 5, version_min: PROTOCOL_VERSION };
    expect(heard({ ...later, invented: ["later"] })).toEqual([later]);
    expect(heard({ ...said, version: 3 }, { min: 2, max: 5 })).toMatchObject([{ type: "HELLO", version: 3 }]);
    expect(() => heard({ ...said, version: 3 }, { min: 4, max: 5 })).toThrow(WrongVersion);
    // In the same version nothing can have been added.
    expect(() => heard({ ...said, invented: true })).toThrow("HELLO with a wrong invented");
  });

  test("versions that are none, or the wrong way round, are malformed", () => {
    for (const versions of [
      { version: PROTOCOL_VERSION, version_min: PROTOCOL_VERSION + 1 },
      { version: PROTOCOL_VERSION + 1, version_min: 0.5 },
      { version: "1" },
      { version: PROTOCOL_VERSION, version_min: null },
    ]) {
      const greeting = JSON.stringify({ ...new Sampler(1).hello(), ...versions });
      expect(refusal(new FrameDecoder(), `${greeting}\n`)).toMatch(/^HELLO with (a wrong version|wrong versions)/);
    }
  });

  test("a REFUSE of another version is understood: a reason not known here means to try again", () => {
    const decoder = new FrameDecoder();
    decoder.push(line({ type: "REFUSE", code: "tired", message: "m", seed: "", since: 3 }));
    expect(drain(decoder)).toEqual([{ type: "REFUSE", code: "closing", message: "m", seed: "" }]);
  });

  test("a HELLO that is wrong does not open the rest", () => {
    const decoder = new FrameDecoder();
    refusal(decoder, '{"type":"HELLO"}\n');
    expect(refusal(decoder, '{"type":"PING","at":1}\n')).toBe("PING before HELLO");
  });
});

describe("[W3] limits before allocation", () => {
  test("a line longer than the limit is refused before it ends, and at its end", () => {
    for (const [make, max] of [
      [() => new FrameDecoder(), GREETING_BYTES_MAX],
      [greeted, FRAME_BYTES_MAX],
    ] as const) {
      const message = `a line of more than ${max} bytes`;
      expect(refusal(make(), "x".repeat(max + 1))).toBe(message);
      expect(refusal(make(), `${"x".repeat(max + 1)}\n`)).toBe(message);
      const decoder = make();
      decoder.push(ascii("x".repeat(max)));
      expect(decoder.next()).toBeNull();
      expect(refusal(decoder, "x")).toBe(message);
      // A line of just so many bytes is looked at.
      expect(refusal(make(), `${"x".repeat(max)}\n`)).toContain("not a line of JSON");
      const spaces = `{"type":"REFUSE","code":"limit","message":"","seed":""${" ".repeat(max)}`.slice(0, max - 1);
      const fits = make();
      fits.push(ascii(`${spaces}}\n`));
      expect(drain(fits)).toMatchObject([{ type: "REFUSE" }]);
    }
  });

  test("the limit is that of one line, not of what came in one piece", () => {
    const pings = Array.from(
      { length: 40_000 },
      (_, at) => `{"type":"PING","at":${at},${" ".repeat(20)}"type":"PING"}\n`,
    );
    const bytes = ascii(pings.join(""));
    expect(bytes.length).toBeGreaterThan(2 * FRAME_BYTES_MAX);
    const decoder = greeted();
    decoder.push(bytes);
    expect(drain(decoder)).toHaveLength(40_000);
  });

  test("nesting: the last level that is taken, the first that is not, and 10^6 of them", () => {
    // Unknown fields are refused in any case: what counts is which check says so.
    const nested = (levels: number) =>
      `{"type":"PING","at":1,"x":${"[".repeat(levels - 1)}${"]".repeat(levels - 1)}}\n`;
    expect(refusal(greeted(), nested(NESTING_MAX))).toContain("PING with a wrong x");
    expect(refusal(greeted(), nested(NESTING_MAX + 1))).toBe(`nested deeper than ${NESTING_MAX} levels`);
    for (const open of ["[", '{"a":', "[[{}],{},["]) {
      expect(refusal(greeted(), `${open.repeat(Math.floor(1e6 / open.length))}\n`)).toBe(
        `nested deeper than ${NESTING_MAX} levels`,
      );
    }
  });

  test("brackets in strings are no nesting", () => {
    const message = `${"[{".repeat(200)}\\"${"[".repeat(200)}`;
    const decoder = greeted();
    decoder.push(line({ type: "ADMIN_ACK", ok: true, message }));
    expect(drain(decoder)).toEqual([{ type: "ADMIN_ACK", ok: true, message }]);
  });

  const header = (count: unknown, bytes: unknown, more: object = {}) => ({
    ...{ type: "SEQ_CHAT", ballot: { term: 1, leader_id: 1, inc: "a", boot: 1 }, prev_index: 0 },
    ...{ prev_ballot: { term: 0, leader_id: 0, inc: "", boot: 0 }, prev_crc: 0, commit: 0, count, bytes, ...more },
  });

  test("a header that announces too much is refused before anything behind it is waited for", () => {
    expect(refusal(greeted(), line(header(FRAME_ENTRIES_MAX + 1, 10)))).toContain("SEQ_CHAT with a wrong count");
    expect(refusal(greeted(), line(header(1, FRAME_BYTES_MAX + 1)))).toContain("SEQ_CHAT with a wrong bytes");
    for (const wrong of [-1, 0.5, 1e300, "1", null, [1]]) {
      expect(refusal(greeted(), line(header(wrong, 10)))).toContain("wrong count");
      expect(refusal(greeted(), line(header(1, wrong)))).toContain("wrong bytes");
    }
    const decoder = greeted();
    decoder.push(line(header(FRAME_ENTRIES_MAX, FRAME_BYTES_MAX)));
    expect(decoder.next()).toBeNull();
  });

  test("what is behind the header is what it announced: count, bytes, turn, chain, ends", () => {
    const sampler = new Sampler(9);
    const entries = sampler.chain(0, 0, 3);
    const lines = entries.map(lineOf).join("");
    const size = ascii(lines).length;
    const send = (announced: object, behind = lines) => join([line(announced), ascii(behind)]);

    const good = greeted();
    good.push(send(header(3, size)));
    expect(drain(good)).toMatchObject([{ entries: [{ index: 1 }, { index: 2 }, { index: 3 }] }]);

    expect(refusal(greeted(), send(header(2, size)))).toBe("SEQ_CHAT announced 2 entries and brought 3");
    expect(refusal(greeted(), send(header(4, size)))).toBe("SEQ_CHAT announced 4 entries and brought 3");
    expect(refusal(greeted(), send(header(1, 0)))).toBe("SEQ_CHAT announced 1 entries and brought 0");
    expect(refusal(greeted(), send(header(3, size - 1)))).toContain("whose last entry does not end");
    expect(refusal(greeted(), send(header(3, size + 1), `${lines}x`))).toContain("whose last entry does not end");
    expect(refusal(greeted(), send(header(4, size + 1), `${lines}\n`))).toContain("an entry is one line that ends in");
    expect(refusal(greeted(), send(header(3, size, { prev_index: 1 })))).toBe("SEQ_CHAT with index 1 out of turn");
    expect(refusal(greeted(), send(header(3, size, { prev_crc: 1 })))).toContain("the crc does not fit");
    // The first two lines swapped: their crcs say so.
    const [a, b, c] = entries.map(lineOf) as [string, string, string];
    expect(refusal(greeted(), send(header(3, size), b + a + c))).toContain("the crc does not fit");
    // A gap under crcs that fit.
    const gap = { ...sampler.entry("leader"), index: 3 };
    const place = `{"index":3,"term":1,"leader_id":1,"inc":"a","kind":"${gap.kind}",`;
    const skipping = join([ascii(a), lineWithHead(place, entries[0]?.crc)]);
    expect(refusal(greeted(), join([line(header(2, skipping.length)), skipping]))).toBe(
      "SEQ_CHAT with index 3 out of turn",
    );
  });
});

describe("[W4] whatever a stranger sends", () => {
  test("lines that are no message are refused with their beginning, safe to print", () => {
    const wrong: [string, string][] = [
      ["", "not a line of JSON"],
      ["hello", "not a line of JSON in UTF-8: hello"],
      ["GET / HTTP/1.1\r", "GET / HTTP/1.1\\x0d"],
      ["null", "not a JSON object: null"],
      ["[]", "not a JSON object"],
      ['"PING"', "not a JSON object"],
      ["{}", "unknown message: {}"],
      ['{"type":null}', "unknown message"],
      ['{"type":["PING"],"at":1}', "unknown message"],
      ['{"type":"ping","at":1}', "unknown message"],
      ['{"type":"__proto__"}', "unknown message"],
      ['{"type":"toString"}', "unknown message"],
      ['{"type":"PING","at":1}{"type":"PING","at":2}', "not a line of JSON"],
      ['{"type":"PING","at":1e999}', "PING with a wrong at"],
      ['{"type":"PING"}', "PING with a wrong at"],
      ["\x1b[2J\x07", "\\x1b[2J\\x07"],
      ["é", "\\xc3\\xa9"],
    ];
    for (const [text, why] of wrong) expect(refusal(greeted(), `${text}\n`)).toContain(why);
    expect(refusal(greeted(), `${"X".repeat(5000)}\n`)).toBe(
      `not a line of JSON in UTF-8: ${"X".repeat(40)}… (5000 bytes)`,
    );
  });

  test("[A8] what may be a secret is in no refusal, which is logged on both sides", () => {
    const secret = "abcdefghij234567klmnopqrst";
    const redeem = { ...new Sampler(3).frame("REDEEM"), invite: `${secret}2` };
    const attach = { ...new Sampler(3).frame("ATTACH"), token: secret.slice(1) };
    for (const bytes of [
      line(redeem),
      line(attach),
      ascii(`{"token":"${secret}",\n`),
      line({ token: secret, type: "X" }),
    ])
      expect(refusal(new FrameDecoder(), bytes)).not.toContain(secret.slice(1, 20));
  });

  test("text that is not UTF-8 is refused, a byte order mark too", () => {
    const [front, back] = ['{"type":"ADMIN_ACK","ok":true,"message":"', '"}\n'].map(ascii) as [Uint8Array, Uint8Array];
    for (const bytes of [[0xff], [0xc3], [0x80], [0xed, 0xa0, 0x80], [0xc0, 0xaf], [0xf4, 0x90, 0x80, 0x80]]) {
      expect(refusal(greeted(), join([front, Uint8Array.from(bytes), back]))).toContain("not a line of JSON in UTF-8");
    }
    expect(refusal(greeted(), '\ufeff{"type":"PING","at":1}\n')).toContain("not a line of JSON in UTF-8");
  });

  test("[L7] unknown fields, __proto__ among them, are refused in every frame and at every depth", () => {
    const sampler = new Sampler(10);
    for (const type of STRICT) {
      const text = new TextDecoder().decode(encodeFrame(sampler.frame(type, 0))[0]);
      for (const field of ["__proto__", "constructor", "toString", "extra"]) {
        for (let at = text.indexOf("{"); at >= 0; at = text.indexOf("{", at + 1)) {
          // Only braces of objects: those in texts and names stand behind other characters.
          if (at > 0 && !/[:[,]/.test(text[at - 1] as string)) continue;
          const planted = `${text.slice(0, at)}{"${field}":{"polluted":true}${text[at + 1] === "}" ? "" : ","}${text.slice(at + 1)}`;
          expect(refusal(greeted(), planted)).toMatch(new RegExp(`^${type} with a wrong .*${field}`));
        }
      }
    }
    expect(({} as { polluted?: boolean }).polluted).toBeUndefined();
  });

  test("[L7] a frame is a fresh object, its parts too: nothing of what was parsed is shared", () => {
    const decoder = greeted();
    decoder.push(
      line({
        type: "COORDINATOR",
        ballot: { boot: 1, inc: "a", leader_id: 1, term: 2 },
        peer: { port: 1, host: "h", id: 1 },
      }),
    );
    const [frame] = drain(decoder) as [object];
    // In the schema's order, not in the sender's.
    expect(JSON.stringify(frame)).toBe(
      '{"type":"COORDINATOR","ballot":{"term":2,"leader_id":1,"inc":"a","boot":1},"peer":{"id":1,"host":"h","port":1}}',
    );
  });

  test("fuzz: frames with damaged bytes give frames or a WireError, never anything else", () => {
    const sampler = new Sampler(20);
    let taken = 0;
    let refused = 0;
    for (let round = 0; round < 4000; round++) {
      const bytes = bytesOf([sampler.frame(sampler.pick(TYPES)), sampler.frame("PING")]);
      for (let n = 1 + sampler.below(3); n > 0; n--) {
        bytes[sampler.below(bytes.length)] = sampler.pick([sampler.below(256), ...ascii('{}[]",:\n0e-')]);
      }
      const decoder = greeted();
      try {
        for (let at = 0; at < bytes.length; at += 500) {
          decoder.push(bytes.slice(at, at + 500));
          taken += drain(decoder).length;
        }
      } catch (error) {
        if (!(error instanceof WireError)) throw error;
        refused++;
      }
    }
    expect(taken).toBeGreaterThan(300);
    expect(refused).toBeGreaterThan(2000);
  });

  test("fuzz: fields of control frames with any JSON in them give frames or a WireError", () => {
    const sampler = new Sampler(21);
    const values: unknown[] = [null, true, -1, 0, 1, 1.5, 2 ** 53, 1e308, "", "a", "\0", "x".repeat(70_000), [], {}];
    values.push([null], [[]], { term: 1 }, Array(9000).fill(1), { __proto__: null }, [{ id: 1 }]);
    const counts = { taken: 0, refused: 0 };
    for (let round = 0; round < 3000; round++) {
      const frame = JSON.parse(new TextDecoder().decode(encodeFrame(sampler.frame(sampler.pick(STRICT), 0))[0]));
      const inner = Object.values(frame).filter((value) => typeof value === "object" && value !== null);
      const target = sampler.pick([frame, ...inner]) as Record<string, unknown>;
      const field = sampler.pick(Object.keys(target));
      if (field === undefined) continue;
      target[field] = sampler.pick(values);
      const decoder = greeted();
      decoder.push(line(frame));
      try {
        for (const out of drain(decoder)) {
          counts.taken++;
          // What was taken is what was sent, field by field.
          const { entries: _entries, ...header } = { entries: [], ...out };
          const { count: _count, bytes: _bytes, ...sent } = frame;
          expect(header as object).toEqual(sent);
        }
      } catch (error) {
        if (!(error instanceof WireError)) throw error;
        counts.refused++;
      }
    }
    expect(counts.taken).toBeGreaterThan(100);
    expect(counts.refused).toBeGreaterThan(1000);
  });

  test("fuzz: noise gives nothing but a WireError", () => {
    const sampler = new Sampler(22);
    for (let round = 0; round < 500; round++) {
      const noise = Uint8Array.from({ length: 1 + sampler.below(300) }, () => sampler.below(256));
      for (const decoder of [new FrameDecoder(), greeted()]) refusal(decoder, join([noise, ascii("\n")]));
    }
  });

  test("what is said about hostile bytes is short, so that a log line cannot be made of a megabyte", () => {
    const long = "y".repeat(900_000);
    const hostile: [string, unknown][] = [
      ["no JSON", long],
      ["unknown type", { type: long }],
      ["wrong value", { type: "JOIN", id: 1, inc: long, host: "h", port: 1 }],
      ["text too long", { type: "ADMIN_ACK", ok: true, message: long }],
    ];
    for (const [what, value] of hostile) {
      expect([what, refusal(greeted(), line(value)).length < 400]).toEqual([what, true]);
    }
  });

  // Known to fail: the name of an unknown field and the value in a structured payload are quoted whole and raw.
  test("… and safe to print, also where a schema says it", () => {
    const long = `\x1b[2J${"y".repeat(900_000)}`;
    const member = { id: 1, inc: long, host: "h", port: 1, role: "voter" };
    const place = '{"index":1,"term":2,"leader_id":3,"inc":"abc","kind":"config"';
    const config = lineWithHead(`${place},"payload":${JSON.stringify({ members: [member], prev_voters: [] })},`);
    const header = `{"type":"SEQ_CHAT","ballot":{"term":1,"leader_id":1,"inc":"a","boot":1},"prev_index":0,"prev_ballot":{"term":0,"leader_id":0,"inc":"","boot":0},"prev_crc":0,"commit":0,"count":1,"bytes":${config.length}}\n`;
    const said = {
      "an unknown field": refusal(greeted(), line({ type: "PING", at: 1, [long]: 1 })),
      "a wrong value": refusal(greeted(), line({ type: "JOIN", id: 1, inc: long, host: "h", port: 1 })),
      "a payload": refusal(greeted(), join([ascii(header), config])),
    };
    const safe = Object.entries(said).map(([what, text]) => [what, text.length < 400, !text.includes("\x1b")]);
    expect(safe).toEqual(Object.keys(said).map((what) => [what, true, true]));
  });
});
