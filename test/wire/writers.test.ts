/**
 * Writers held to their readers [W7]: whatever numbers and texts the types allow, what is written is read back as it was, and
 * what would not be is never written, but is an assertion.
 */
import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { AssertionError } from "../../src/core/assert.ts";
import {
  BOOT_MAX,
  FRAME_BYTES_MAX,
  MEMBERS_MAX,
  NAME_BYTES_MAX,
  NOTICE_CHARS_MAX,
  OUTSTANDING_MESSAGES_MAX,
  PEER_ID_MAX,
  PEOPLE_TOLD_MAX,
  READS_WAITING_MAX,
  REASON_CHARS_MAX,
  ROOMS_TOLD_MAX,
  TERM_MAX,
  TROUBLES_MAX,
  TWINS_TOLD_MAX,
  USERS_MAX,
  VOTERS_MAX,
  WHO_ROWS_MAX,
} from "../../src/core/config.ts";
import type { Frame } from "../../src/core/frame.ts";
import type { Draft, Entry } from "../../src/core/log-entry.ts";
import type { Told } from "../../src/core/reports.ts";
import { Batch } from "../../src/core/weigh.ts";
import { FrameDecoder } from "../../src/wire/decoder.ts";
import { encodeFrame } from "../../src/wire/encode.ts";
import { EntryReader, makeSeal } from "../../src/wire/entry.ts";
import type { FrameType } from "../../src/wire/schemas.ts";
import { FRAMES } from "../../src/wire/schemas.ts";
import { anyNumber, anyText, attempt, planted, positive } from "./any-values.ts";
import { contents, join, KINDS, Sampler } from "./samples.ts";

const TYPES = Object.keys(FRAMES) as FrameType[];
const HELLO = join(encodeFrame(new Sampler(1).hello()));

describe("entries", () => {
  for (const kind of KINDS) {
    test(`[W7] [L1] ${kind}: any number or text at any place is read back as it was, or an assertion`, () => {
      const counts = { written: 0, asserted: 0 };
      const fields = (entry: Entry) => positive({ ...contents(entry), crc: 0 });
      fc.assert(
        fc.property(fc.nat(1000), fc.oneof(anyNumber, anyText), fc.nat(50), (seed, value, at) => {
          const { crc: _crc, chunk, start: _start, end: _end, ...plain } = new Sampler(seed).entry(kind);
          const entry: Entry = {
            ...planted({ ...plain, kind: undefined }, value, at),
            kind,
            crc: 0,
            chunk,
            start: 0,
            end: 0,
          };
          const seal = makeSeal();
          // Behind another of the same form, or alone.
          const before = { ...plain, crc: 0, chunk, start: 0, end: 0 } as Entry;
          if (seed % 2 === 0) seal(before, 0);
          const written = attempt(() => seal(entry, before.crc));
          if (written instanceof AssertionError) {
            counts.asserted += 1;
            return;
          }
          counts.written += 1;
          const back = new EntryReader().read(entry.chunk, entry.start, entry.end, before.crc);
          // A field that the kind leaves out is not written, whatever is in it.
          const unused = kind === "chat" ? {} : { session: "", counter: 0, seq_no: 0, text: "" };
          const said = kind === "chat" || kind === "system" || kind === "read";
          const ts = said || kind === "access" ? entry.ts : 0;
          const empty = said ? unused : { ...unused, room_id: "", sender_id: 0, user: "", ts };
          expect(fields(back)).toEqual(fields({ ...entry, ...empty }));
        }),
        { numRuns: 600 },
      );
      expect(counts.written).toBeGreaterThan(20);
      expect(counts.asserted).toBeGreaterThan(20);
    });
  }
});

describe("frames", () => {
  for (const type of TYPES) {
    test(`[W7] ${type}: any number or text at any place is read back as it was, or an assertion`, () => {
      const read = (bytes: Uint8Array) => {
        const decoder = new FrameDecoder();
        if (type !== "HELLO" && type !== "ATTACH") {
          decoder.push(HELLO.slice());
          decoder.next();
        }
        decoder.push(bytes);
        return decoder.next();
      };
      fc.assert(
        fc.property(fc.nat(1000), fc.oneof(anyNumber, anyText), fc.nat(100), (seed, value, at) => {
          const whole = new Sampler(seed).frame(type, 0);
          const frame = { ...planted({ ...whole, type: undefined }, value, at), type } as unknown as Frame;
          const bytes = attempt(() => join(encodeFrame(frame)));
          if (bytes instanceof AssertionError) return;
          // A reason that is not known is read as another one, so that versions to come may have more of them.
          const code = type === "REFUSE" ? { code: "closing" } : {};
          expect(positive({ ...read(bytes), ...code })).toEqual(positive({ ...frame, ...code }));
        }),
        { numRuns: 300 },
      );
    });
  }

  test("[W7] a CHAT or a PENDING holds as many drafts as its batch takes, whatever they say", () => {
    const payload = fc.tuple(fc.constantFrom("\x01", '"', "x", "€"), fc.constantFrom(1, 100, 21_000, 65_000, 65_536));
    const draft = payload.map(
      ([c, length]): Draft => ({
        ...{ room_id: '"'.repeat(NAME_BYTES_MAX), user: '"'.repeat(NAME_BYTES_MAX), ts: Number.MAX_SAFE_INTEGER },
        payload: c.repeat(c < "\x7f" ? length : Math.max(1, Math.floor(length / 3))),
      }),
    );
    fc.assert(
      fc.property(fc.array(draft, { minLength: 1, maxLength: 12 }), (drafts) => {
        const batch = new Batch();
        for (let i = 0; batch.messages.length < OUTSTANDING_MESSAGES_MAX; i++)
          if (!batch.add(drafts[i % drafts.length] as Draft)) break;
        const run = { session: "s".repeat(64), first: Number.MAX_SAFE_INTEGER, messages: batch.messages };
        for (const frame of [
          { type: "CHAT", sender_id: PEER_ID_MAX, ...run },
          { type: "PENDING", ...run },
        ] as const)
          expect(join(encodeFrame(frame)).length).toBeLessThanOrEqual(FRAME_BYTES_MAX);
      }),
      { numRuns: 60 },
    );
  });

  test("[W7] the largest answers, introductions and lists of members fit a frame", () => {
    const name = '"'.repeat(NAME_BYTES_MAX);
    const host = '"'.repeat(255);
    const most = Number.MAX_SAFE_INTEGER;
    const address = { host, port: 65_535 };
    const list = <T>(count: number, item: T): T[] => Array.from({ length: count }, () => item);
    const key = { id: PEER_ID_MAX, inc: "a".repeat(64) };
    const time = 12_345_678.901234;
    const person = { user: name, client: true, heard_ms: time, round_trip_ms: time, lag: most };
    const member = { id: PEER_ID_MAX, ...address, role: "observer", state: "unreachable", lag: most } as const;
    const told: Told[] = [
      {
        ...{ event: "status", id: 1, role: "candidate", term: TERM_MAX, leader_id: 1, quorum: false },
        ...{
          members: list(MEMBERS_MAX, member),
          first_index: most,
          last_index: most,
          commit_index: most,
          pending: most,
          waiting: {
            message: '"'.repeat(NOTICE_CHARS_MAX),
            needed: VOTERS_MAX,
            peers: list(2 * VOTERS_MAX, { id: PEER_ID_MAX, ...address, why: "damaged" }),
          },
          troubles: list(TROUBLES_MAX, { file: "x".repeat(100), message: '"'.repeat(REASON_CHARS_MAX), since: most }),
          disk_ms: most,
          twins: list(TWINS_TOLD_MAX, { id: PEER_ID_MAX, at: list(2, { boot: BOOT_MAX, ...address }) }),
        },
      },
      {
        event: "rooms",
        rooms: list(ROOMS_TOLD_MAX, { room_id: name, last_seq_no: most, joined: false, unread: most }),
      },
      { event: "who", people: list(WHO_ROWS_MAX, { ...person, peer_id: PEER_ID_MAX }) },
      { event: "here", id: 1, commit_index: most, people: list(WHO_ROWS_MAX, person) },
      { event: "confirmations", room_id: name, readers: list(USERS_MAX, { user: name, through: most }) },
    ];
    for (const answer of told) encodeFrame({ type: "TELL", request: most, told: answer });
    const configured = { ...key, ...address, role: "observer" } as const;
    encodeFrame({
      ...{ type: "JOIN_ACK", cluster_id: key.inc, members: list(MEMBERS_MAX, configured) },
      ...{ leader: { id: 1, ...address }, admitted: most, configured: most },
    });
    const who = { user: name, room_id: name, ts: most };
    encodeFrame({
      type: "PEOPLE",
      users: list(PEOPLE_TOLD_MAX, { ...who, was: name, here: false }),
      reads: list(READS_WAITING_MAX, { ...who, through: most }),
    });
  });
});
