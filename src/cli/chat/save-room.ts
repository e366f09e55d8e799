/**
 * A room's history as a text file, for people: a line for each message, the further lines of one indented, and nothing in it
 * that a terminal would obey. A file that is there already is never touched.
 */
import { open, unlink } from "node:fs/promises";
import { resolve } from "node:path";
import { allMessages, type Place } from "../../host/answers/pages.ts";
import type { DeliveredMessage } from "../../host/events.ts";
import { expandHome } from "../process/home.ts";
import { visible } from "../screen/visible.ts";
import { UsageError } from "../usage/flag-values.ts";
import { type Asking, Unanswered } from "./asking.ts";

export type Saved =
  | { readonly ok: true; readonly path: string; readonly count: number }
  | { readonly ok: false; readonly message: string };

/** `~/` is the home directory. `onSaved` is told how many messages are in the file so far. */
export async function saveRoom(
  asking: Asking,
  place: Place,
  file: string,
  onSaved: (count: number) => void = () => {},
): Promise<Saved> {
  let path = file;
  let created = false;
  try {
    path = resolve(expandHome(file));
    const handle = await open(path, "wx");
    created = true;
    let count = 0;
    try {
      for await (const messages of allMessages(asking, place)) {
        count += messages.length;
        await handle.appendFile(messages.map(savedLines).join(""));
        onSaved(count);
      }
    } finally {
      await handle.close();
    }
    return { ok: true, path, count };
  } catch (error) {
    // A file with half of the history would be taken for the whole.
    if (created) await unlink(path).catch(() => {});
    if (error instanceof Unanswered || error instanceof UsageError) return { ok: false, message: error.message };
    return { ok: false, message: reason(path, error as NodeJS.ErrnoException) };
  }
}

/** `2026-11-21 14:02:03 [seq=42] alice: Hello` */
function savedLines({ ts, seq_no, user, payload }: DeliveredMessage): string {
  const lines = payload.split(/\r?\n/).map(visible);
  return `${localTime(ts)} [seq=${seq_no}] ${visible(user)}: ${lines.join("\n    ")}\n`;
}

function localTime(ts: number): string {
  const date = new Date(ts);
  if (Number.isNaN(date.getTime())) return "----------";
  const two = (n: number) => String(n).padStart(2, "0");
  const day = [date.getFullYear(), two(date.getMonth() + 1), two(date.getDate())].join("-");
  return `${day} ${[date.getHours(), date.getMinutes(), date.getSeconds()].map(two).join(":")}`;
}

function reason(path: string, { code, message }: NodeJS.ErrnoException): string {
  switch (code) {
    case "EEXIST":
      return `${path} is there already, choose another name`;
    case "ENOENT":
    case "ENOTDIR":
      return `the directory of ${path} is not there, make it first`;
    case "EACCES":
    case "EPERM":
    case "EROFS":
      return `${path} may not be written (${code}), choose another directory`;
    case "ENOSPC":
    case "EDQUOT":
      return `the disk is full, ${path} was removed again`;
    default:
      return `${path}: ${message}`;
  }
}
