/** What data directories hold, read and checked without any of the project's code. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

export interface LoggedChat {
  readonly index: number;
  readonly seq_no: number;
  readonly sender_id: number;
  readonly msg_id: string;
  readonly room_id: string;
  readonly payload: string;
}

/** Payloads of one sender, in order, without the markers of `drained`. */
export function saidBy(id: number, chats: readonly LoggedChat[]): string[] {
  return chats.filter((c) => c.sender_id === id && c.payload !== "drained").map((c) => c.payload);
}

/** Every line of a directory's segments, in order, read without any of the project's code. */
export function logLines(dir: string): string[] {
  return readdirSync(join(dir, "log"))
    .filter((name) => /^[0-9]{20}\.jsonl$/.test(name))
    .sort()
    .flatMap((name) =>
      readFileSync(join(dir, "log", name), "utf8")
        .split("\n")
        .slice(0, -1),
    );
}

export function loggedChats(dir: string): LoggedChat[] {
  return logLines(dir)
    .map((line) => JSON.parse(line))
    .filter((entry) => entry.kind === "chat");
}

/**
 * The promise, checked on the files: the directories hold one history (bytes), no message twice, each session in
 * order and whole, `seq_no` 1, 2, 3 … per room, and everything in `sent` is there. Returns the chats.
 */
export function checkHistory(dirs: readonly string[], sent: readonly string[]): LoggedChat[] {
  const logs = dirs.map(logLines);
  const longest = logs.reduce((a, b) => (b.length > a.length ? b : a));
  logs.forEach((lines, d) => {
    lines.forEach((line, i) => {
      if (line !== longest[i]) throw new Error(`entry ${i + 1} differs in ${dirs[d]}:\n${line}\n${longest[i]}`);
    });
  });
  const chats: LoggedChat[] = longest.map((line) => JSON.parse(line)).filter((e) => e.kind === "chat");
  const counters = new Map<string, number>();
  const rooms = new Map<string, number>();
  for (const chat of chats) {
    const dot = chat.msg_id.lastIndexOf(".");
    const session = chat.msg_id.slice(0, dot);
    const counter = Number(chat.msg_id.slice(dot + 1));
    if (counter !== (counters.get(session) ?? 0) + 1)
      throw new Error(`message ${chat.msg_id} follows counter ${counters.get(session)}`);
    counters.set(session, counter);
    if (chat.seq_no !== (rooms.get(chat.room_id) ?? 0) + 1)
      throw new Error(`seq_no ${chat.seq_no} follows ${rooms.get(chat.room_id)}`);
    rooms.set(chat.room_id, chat.seq_no);
  }
  const ids = new Set(chats.map((c) => c.msg_id));
  const missing = sent.filter((id) => !ids.has(id));
  if (missing.length > 0) throw new Error(`${missing.length} sent messages are missing, the first is ${missing[0]}`);
  return chats;
}
