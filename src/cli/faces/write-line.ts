/** What faces without a screen of ours have in common: lines through a pipe, whose reader may be behind. */
import type { Chatting } from "./face.ts";

export function writeLine(chat: Chatting, line: string): void {
  if (chat.out.line(line)) return;
  chat.behind();
  chat.out.resumed(() => chat.caughtUp());
}
