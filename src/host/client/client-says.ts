/** Texts that clients have said in this peer's own session [S8], until they are sent. */
import type { Entry } from "../../core/log-entry.ts";
import { messageId } from "../../core/message-id.ts";
import type { Question, Told } from "../../core/reports.ts";
import type { Submitted } from "../service.ts";
import type { Attachment } from "./attachment.ts";
import type { ClientChats } from "./client-chats.ts";

export interface ClientSaysHost {
  readonly chats: Pick<ClientChats, "offer" | "said">;
  say(user: string, room: string, text: string): Submitted;
  tell(attachment: Attachment, request: number, told: Told): void;
}

export class ClientSays {
  readonly #host: ClientSaysHost;
  readonly #said = new Map<string, { readonly by: Attachment; readonly request: number }>();

  constructor(host: ClientSaysHost) {
    this.#host = host;
  }

  /** Says the text when it is this client's turn. */
  offer(by: Attachment, request: number, said: Extract<Question, { what: "say" }>): void {
    const user = by.grant.name === "" ? said.user : by.grant.name;
    this.#host.chats.offer(by.id, by.pace, said, () => this.#say(by, request, { ...said, user }));
  }

  #say(by: Attachment, request: number, said: Extract<Question, { what: "say" }>): void {
    const submitted = this.#host.say(said.user, said.room_id, said.payload);
    if (submitted.ok) return void this.#said.set(submitted.msg_id, { by, request });
    this.#host.chats.said(by.id, said);
    this.#host.tell(by, request, { event: "error", code: submitted.code, message: submitted.message });
  }

  forget(attachment: Attachment): void {
    for (const [msgId, { by }] of this.#said) if (by === attachment) this.#said.delete(msgId);
  }

  /** A message has another id now. Returns true if it is a client's. */
  onRenamed(was: string, msgId: string): boolean {
    const said = this.#said.get(was);
    if (said === undefined) return false;
    this.#said.delete(was);
    this.#said.set(msgId, said);
    return true;
  }

  /** A message is sent. Returns true if it was a client's. */
  onSent(entry: Entry): boolean {
    if (this.#said.size === 0) return false;
    const msg_id = messageId(entry);
    const said = this.#said.get(msg_id);
    if (said === undefined) return false;
    this.#said.delete(msg_id);
    this.#host.chats.said(said.by.id, { payload: entry.text });
    const { index, room_id, seq_no } = entry;
    this.#host.tell(said.by, said.request, { event: "sent", msg_id, index, room_id, seq_no });
    return true;
  }

  /** Tells all who wait that their texts will never be sent. */
  refuseAll(message: string): void {
    for (const { by, request } of this.#said.values())
      this.#host.tell(by, request, { event: "error", code: "refused", message });
    this.#said.clear();
  }
}
