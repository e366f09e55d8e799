/** The words of one side to the other when it closes a connection. */
import { REASON_CHARS_MAX } from "../../core/config.ts";
import type { Refuse } from "../../core/message.ts";
import { cut } from "../../wire/text.ts";

export function refusal(code: Refuse["code"], message: string): Refuse {
  return { type: "REFUSE", code, message: cut(message, REASON_CHARS_MAX), seed: "" };
}
