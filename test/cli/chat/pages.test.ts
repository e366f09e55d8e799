/** The past of a peer, page by page: the last messages, all of them, and a room as a file. */
import { afterAll, describe, expect, test } from "bun:test";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Asking } from "../../../src/cli/chat/asking.ts";
import { saveRoom } from "../../../src/cli/chat/save-room.ts";
import { HISTORY_MESSAGES_MAX } from "../../../src/core/config.ts";
import type { Told } from "../../../src/core/reports.ts";
import { allMessages, lastMessages } from "../../../src/host/answers/pages.ts";
import type { DeliveredMessage } from "../../../src/host/events.ts";
import type { OwnQuestion } from "../../../src/host/service.ts";

const AT = new Date(2026, 10, 21, 14, 2, 3).getTime();
const folder = mkdtempSync(join(tmpdir(), "chatpeer-past-"));
afterAll(() => rmSync(folder, { recursive: true }));

/** Every third entry is no message; every tenth of the others is one of the room `rare`. */
function messagesOf(entries: number): DeliveredMessage[] {
  const messages: DeliveredMessage[] = [];
  for (let index = 1; index <= entries; index++) {
    const room_id = index % 10 === 0 ? "rare" : "general";
    const said = { user: "bob", payload: `text ${index}`, ts: AT };
    if (index % 3 !== 0)
      messages.push({ event: "message", index, term: 1, room_id, seq_no: index, sender_id: 2, msg_id: "", ...said });
  }
  return messages;
}

/** A peer that answers as it does over the network, with fewer messages than were asked for. */
function answering(messages: readonly DeliveredMessage[], pageMax = HISTORY_MESSAGES_MAX) {
  const pages: OwnQuestion[] = [];
  const ask = (question: OwnQuestion, answer: (told: Told) => void) => {
    if (question.what !== "history" || question.count > HISTORY_MESSAGES_MAX) throw new Error("too much is asked");
    pages.push(question);
    const { room_id, text, before = Number.POSITIVE_INFINITY, after } = question;
    const fitting = messages.filter(
      (m) => m.room_id === room_id && m.payload.includes(text) && m.index < before && m.index > (after ?? 0),
    );
    const count = Math.min(question.count, pageMax);
    const found = after === undefined ? fitting.slice(-count) : fitting.slice(0, count);
    const end = after === undefined ? found[0] : found.at(-1);
    const more = found.length < fitting.length ? (end?.index ?? null) : null;
    setImmediate(() => answer({ event: "history", room_id, messages: found, more }));
  };
  return { asking: new Asking({ ask }), pages };
}

describe("the last messages", () => {
  test("of a room, oldest first, from no more pages than that takes", async () => {
    const messages = messagesOf(20_000);
    const rare = messages.filter((m) => m.room_id === "rare");
    const place = { room: "rare", through: 20_000 };
    const { asking, pages } = answering(messages);
    for (const count of [0, 1, 20, rare.length, rare.length + 1])
      expect(await lastMessages(asking, place, count)).toEqual(count === 0 ? [] : rare.slice(-count));
    pages.length = 0;
    await lastMessages(asking, place, 20);
    expect(pages).toHaveLength(1);
    expect(await lastMessages(answering(messages, 7).asking, place, 100)).toEqual(rare.slice(-100));
    expect(await lastMessages(answering([]).asking, { room: "rare", through: 0 }, 5)).toEqual([]);
  });

  test("only what was told by then, and what holds a text", async () => {
    const { asking } = answering(messagesOf(100));
    const found = await lastMessages(asking, { room: "general", through: 28 }, 3, "2");
    expect(found.map((m) => m.payload)).toEqual(["text 25", "text 26", "text 28"]);
  });
});

test("all messages are there once, in order, and none that came meanwhile", async () => {
  const messages = messagesOf(3000);
  const all: DeliveredMessage[] = [];
  for await (const page of allMessages(answering(messages).asking, { room: "general", through: 2998 }))
    all.push(...page);
  expect(all).toEqual(messages.filter((m) => m.room_id === "general" && m.index <= 2998));
});

test("an asker gets no answer from a peer that stops, and is told so", async () => {
  const asking = new Asking({ ask: () => {} });
  const waiting = lastMessages(asking, { room: "general", through: 5 }, 5);
  asking.stop();
  expect(waiting).rejects.toThrow("stopped before it answered");
  expect(asking.ask({ what: "who" })).rejects.toThrow("stopped before it answered");
});

describe("/save", () => {
  test("writes the room as text that no terminal obeys", async () => {
    const messages = messagesOf(2000);
    const place = { room: "general", through: 2000 };
    const path = join(folder, "general.txt");
    const counts: number[] = [];
    const saved = await saveRoom(answering(messages).asking, place, path, (count) => counts.push(count));
    expect(counts).toEqual(counts.toSorted((a, b) => a - b));
    expect(counts.at(-1)).toBe(messages.filter((m) => m.room_id === place.room).length);
    expect(saved).toMatchObject({ ok: true, path });
    const lines = readFileSync(path, "utf8").split("\n").slice(0, -1);
    expect(lines[0]).toBe("2026-11-21 14:02:03 [seq=1] bob: text 1");
    expect(lines).toHaveLength((saved as { count: number }).count);

    const evil: DeliveredMessage = {
      ...(messages[0] as DeliveredMessage),
      user: "b\x1bob",
      payload: "a\x1b[2J\nb\u202e",
    };
    await saveRoom(answering([evil]).asking, place, join(folder, "evil.txt"));
    expect(readFileSync(join(folder, "evil.txt"), "utf8")).toBe(
      "2026-11-21 14:02:03 [seq=1] b^[ob: a^[[2J\n    b\\u{202e}\n",
    );
  });

  test("never touches what is there, says what is wrong, and leaves no half a file", async () => {
    const { asking } = answering(messagesOf(10));
    const place = { room: "general", through: 10 };
    const there = join(folder, "there.txt");
    writeFileSync(there, "precious");
    mkdirSync(join(folder, "directory"));
    const message = async (file: string) => {
      const saved = await saveRoom(asking, place, file);
      return saved.ok ? "saved" : saved.message;
    };
    expect(await message(there)).toBe(`${there} is there already, choose another name`);
    expect(readFileSync(there, "utf8")).toBe("precious");
    expect(await message(join(folder, "directory"))).toContain("is there already");
    expect(await message(join(folder, "nowhere", "x"))).toContain("is not there, make it first");
    expect(await message(join(there, "x"))).toContain("is not there, make it first");
    const half = join(folder, "half.txt");
    const stopping = new Asking({ ask: () => setImmediate(() => stopping.stop()) });
    const saved = await saveRoom(stopping, place, half);
    expect(saved).toEqual({ ok: false, message: "the peer stopped before it answered" });
    expect(() => readFileSync(half)).toThrow("ENOENT");
  });
});
