/** Frames, checksums and entries: `bun bench/wire.bench.ts`. One unit is one message of 100 bytes, or one KiB. */
import { crc32 } from "node:zlib";
import { PROTOCOL_VERSION } from "../src/core/config.ts";
import type { Frame } from "../src/core/frame.ts";
import type { Entry } from "../src/core/log-entry.ts";
import { crc32c } from "../src/wire/crc32c.ts";
import { FrameDecoder } from "../src/wire/decoder.ts";
import { encodeFrame } from "../src/wire/encode.ts";
import { EntryReader, makeSeal } from "../src/wire/entry.ts";
import { bytesOf, chatLog } from "./entries.ts";
import { suite } from "./suite.ts";

const MESSAGES = 512;
const { genesis, chats } = chatLog(MESSAGES);
const ballot = { term: 1, leader_id: 1, inc: "one", boot: 1 };
const frame: Frame = {
  ...{ type: "SEQ_CHAT", ballot, prev_index: 1, prev_ballot: { ...ballot, term: 0 } },
  ...{ prev_crc: genesis.crc, commit: 1, entries: chats },
};
const bytes = bytesOf(chats);
const framed = new Uint8Array(Buffer.concat(encodeFrame(frame)));
const hello: Frame = {
  ...{ type: "HELLO", version: PROTOCOL_VERSION, cluster_id: "c", id: 1, inc: "one", boot: 1 },
  ...{ host: "127.0.0.1", port: 6001 },
};
const plain = chats.map(({ chunk: _chunk, start: _start, end: _end, ...content }) => content);
const newlines = chats.map(({ end, start }) => end - start);

/** The lines of the frame as text, for what reads them without our code. */
function eachLine(read: (start: number, end: number) => void): void {
  let start = 0;
  for (const length of newlines) {
    read(start, start + length);
    start += length;
  }
}

const decoder = new FrameDecoder();
decoder.push(new Uint8Array(Buffer.concat(encodeFrame(hello))));
decoder.next();
const seal = makeSeal();
const reader = new EntryReader();
const text = Buffer.from(bytes);
const kilobytes = new Uint8Array(64 * 1024).map((_, i) => i * 31);

await suite(
  `write a frame of ${MESSAGES} messages`,
  {
    name: "JSON.stringify and UTF-8 of each",
    units: MESSAGES,
    run: () => void Buffer.from(plain.map((e) => JSON.stringify(e)).join("\n")),
  },
  {
    name: "seal: line and crc of each",
    units: MESSAGES,
    run: () => {
      let crc = genesis.crc;
      for (const chat of chats) {
        const copy: Entry = { ...chat };
        seal(copy, crc);
        crc = copy.crc;
      }
    },
  },
  { name: "encode the frame: lines as they are", units: MESSAGES, run: () => void encodeFrame(frame) },
);

await suite(
  `read a frame of ${MESSAGES} messages`,
  {
    name: "JSON.parse of each line",
    units: MESSAGES,
    run: () => eachLine((start, end) => JSON.parse(text.toString("utf8", start, end))),
  },
  {
    name: "decode: crc, check, entries",
    units: MESSAGES,
    run: () => {
      decoder.push(framed);
      if (decoder.next() === null) throw new Error("no frame");
    },
  },
  {
    name: "of that, entry parse",
    units: MESSAGES,
    run: () => {
      let crc = genesis.crc;
      eachLine((start, end) => {
        crc = reader.read(bytes, start, end, crc).crc;
      });
    },
  },
);

await suite(
  "checksum of 64 KiB, per KiB",
  { name: "zlib's crc32, native, another polynomial", units: 64, run: () => void crc32(kilobytes) },
  { name: "crc32c", units: 64, run: () => void crc32c(kilobytes) },
);
