/** The past of a running peer, page by page: the last messages, all of them, and a room as a file. */
import { afterAll, describe, expect, test } from "bun:test";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { allMessages, lastMessages, type Past } from "../../src/cli/past.ts";
import { saveRoom } from "../../src/cli/save.ts";
import { PAGE_ENTRIES } from "../../src/host/delivery.ts";
import type { DeliveredMessage } from "../../src/host/events.ts";

const AT = new Date(2026, 10, 21, 14, 2, 3).getTime();
const folder = mkdtempSync(join(tmpdir(), "chatpeer-past-"));
afterAll(() => rmSync(folder, { recursive: true }));

/** Every third entry is no message; every tenth of the others is one of the room `rare`. */
function pastOf(delivered: number): { past: Past; messages: DeliveredMessage[]; pages: number[] } {
  const messages: DeliveredMessage[] = [];
  for (let index = 1; index <= delivered; index++) {
    const room_id = index % 10 === 0 ? "rare" : "general";
    const said = { user: "bob", payload: `text ${index}`, ts: AT };
    if (index % 3 !== 0)
      messages.push({ event: "message", index, term: 1, room_id, seq_no: index, sender_id: 2, msg_id: "", ...said });
  }
  const pages: number[] = [];
  const page = (from: number) => {
    pages.push(from);
    return messages.filter((m) => m.index >= from && m.index < from + PAGE_ENTRIES);
  };
  return { past: { delivered, page }, messages, pages };
}

describe("the last messages", () => {
  test("of a room, oldest first, from no more pages than that takes", async () => {
    const { past, messages, pages } = pastOf(5 * PAGE_ENTRIES + 7);
    const rare = messages.filter((m) => m.room_id === "rare");
    for (const count of [0, 1, 20, 100, rare.length, rare.length + 1])
      expect(await lastMessages(past, count, (m) => m.room_id === "rare")).toEqual(
        count === 0 ? [] : rare.slice(-count),
      );
    pages.length = 0;
    await lastMessages(past, 1, () => true);
    expect(pages).toHaveLength(1);
    expect(await lastMessages(pastOf(0).past, 5, () => true)).toEqual([]);
  });

  test("other work of the process goes on between pages", async () => {
    const { past, pages } = pastOf(20 * PAGE_ENTRIES);
    let turns = 0;
    const searching = lastMessages(past, 1, () => false).then(() => "found");
    const turn = () => {
      turns += 1;
      if (pages.length < 20) setImmediate(turn);
    };
    setImmediate(turn);
    expect(await searching).toBe("found");
    expect(turns).toBeGreaterThan(10);
  });
});

test("all messages are there once, in order, and none that came meanwhile", async () => {
  const { past, messages } = pastOf(3 * PAGE_ENTRIES + 1);
  const grown = { delivered: past.delivered - 2, page: past.page };
  const all: DeliveredMessage[] = [];
  for await (const page of allMessages(grown)) all.push(...page);
  expect(all).toEqual(messages.filter((m) => m.index <= grown.delivered));
});

describe("/save", () => {
  test("writes the room as text that no terminal obeys", async () => {
    const { past } = pastOf(2 * PAGE_ENTRIES);
    const path = join(folder, "general.txt");
    const saved = await saveRoom(past, "general", path);
    expect(saved).toMatchObject({ ok: true, path });
    const lines = readFileSync(path, "utf8").split("\n").slice(0, -1);
    expect(lines[0]).toBe("2026-11-21 14:02:03 [seq=1] bob: text 1");
    expect(lines).toHaveLength((saved as { count: number }).count);

    const evil: DeliveredMessage = {
      ...(past.page(1)[0] as DeliveredMessage),
      user: "b\x1bob",
      payload: "a\x1b[2J\nb\u202e",
    };
    await saveRoom({ delivered: 1, page: () => [evil] }, "general", join(folder, "evil.txt"));
    expect(readFileSync(join(folder, "evil.txt"), "utf8")).toBe(
      "2026-11-21 14:02:03 [seq=1] b^[ob: a^[[2J\n    b\\u{202e}\n",
    );
  });

  test("never touches what is there, says what is wrong, and leaves no half a file", async () => {
    const { past } = pastOf(10);
    const there = join(folder, "there.txt");
    writeFileSync(there, "precious");
    mkdirSync(join(folder, "directory"));
    const message = async (file: string) => {
      const saved = await saveRoom(past, "general", file);
      return saved.ok ? "saved" : saved.message;
    };
    expect(await message(there)).toBe(`${there} is there already, choose another name`);
    expect(readFileSync(there, "utf8")).toBe("precious");
    expect(await message(join(folder, "directory"))).toContain("is there already");
    expect(await message(join(folder, "nowhere", "x"))).toContain("is not there, make it first");
    expect(await message(join(there, "x"))).toContain("is not there, make it first");
    const broken = {
      delivered: 10,
      page: () =>
        [{} as DeliveredMessage].map(() => {
          throw new Error("the log is damaged");
        }),
    };
    const half = join(folder, "half.txt");
    const saved = await saveRoom(broken, "general", half);
    expect(saved).toEqual({ ok: false, message: `${half}: the log is damaged` });
    expect(() => readFileSync(half)).toThrow("ENOENT");
  });
});
