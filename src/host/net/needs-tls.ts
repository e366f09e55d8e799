/** What a secured peer answers to whoever speaks without TLS: in the clear, so that the other side's people can read it. */
import { encodeFrame } from "../../wire/encode.ts";
import { joinBytes } from "../store/bytes.ts";
import { refusal } from "./refusal.ts";

export function needsTls(): Uint8Array {
  const message =
    "this cluster is secured: here nobody is spoken to without TLS. Ask one of its members for an invitation, and start with `chatpeer join`";
  return joinBytes(encodeFrame(refusal("needs-tls", message)));
}
