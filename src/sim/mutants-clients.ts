/** Mutants of thin clients: the rule S8. */
import { isClientSession } from "../engines/bully/relayed-chats.ts";
import { clients, type Mutant, peers, whenLeading, wrap } from "./mutant.ts";

export const CLIENT_MUTANTS: readonly Mutant[] = [
  {
    name: "client-said-twice",
    rule: "S8",
    what: "a leader does not remember how far a client's session has come",
    parts: peers((peer) => {
      // Else it would not let its own log number them twice.
      peer.log.state.refusal = () => null;
      whenLeading(peer, (leadership) =>
        wrap(leadership, "onChat", (onChat) => (from, chat) => {
          if (isClientSession(chat.session))
            peer.log.state.sessions.set(`${chat.sender_id}.${chat.session}`, chat.first - 1);
          onChat(from, chat);
        }),
      );
    }),
  },
  {
    name: "client-said-once",
    rule: "S8",
    what: "a client does not say again at another peer what one that died may not have passed on",
    parts: clients((client) => wrap(client, "resend", () => () => {})),
  },
];
