/** The face that a chat wears: each is loaded only where it is worn. */
import type { Mode, Streams } from "../chat/talk-options.ts";
import { progressOn } from "../process/progress-line.ts";
import type { Chatting, Face } from "./face.ts";

/** What measures text for people takes 5 MB of memory, of which a script has no use. */
export async function loadFace(mode: Mode, error: Streams["error"]): Promise<(chat: Chatting) => Face> {
  if (mode === "json") {
    const { JsonFace } = await import("./json-face.ts");
    return (chat) => new JsonFace(chat);
  }
  if (mode === "terminal") {
    const { ScreenFace } = await import("./screen-face.ts");
    return (chat) => new ScreenFace(chat);
  }
  const { PlainFace } = await import("./plain-face.ts");
  const progress = await progressOn(error);
  return (chat) => new PlainFace(chat, progress);
}
