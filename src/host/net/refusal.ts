/** The words of one side to the other when it closes a connection. */
import { REASON_CHARS_MAX } from "../../core/config.ts";
import type { Refuse } from "../../core/message.ts";
import type { Against } from "../../core/refuse-codes.ts";
import { cut } from "../../wire/text.ts";

/** The frame for a reason that was found elsewhere. */
export function refusalFor({ code, message }: Against): Refuse {
  return refusal(code, message);
}

export function refusal(code: Refuse["code"], message: string): Refuse {
  return { type: "REFUSE", code, message: cut(message, REASON_CHARS_MAX), seed: "" };
}
