/** Lines that begin with a slash, in the terminal and in `--json` alike. */
import { PEER_ID_MAX } from "../core/config.ts";
import { nearest } from "./flags.ts";
import { REQUEST_HELP, REQUEST_NAMES, type Request, readRequest } from "./requests.ts";

export type Command =
  | { readonly do: "say"; readonly text: string }
  | { readonly do: "status" | "peers" | "help" | "quit" }
  | { readonly do: "transfer"; readonly id: number }
  | { readonly do: "evict"; readonly id: number }
  | { readonly do: "request"; readonly request: Request }
  | { readonly do: "wrong"; readonly message: string };

const NAMES = ["/status", "/peers", "/help", "/transfer", "/evict", "/quit", ...REQUEST_NAMES];

export const HELP = [
  "/status         who leads, whether a majority is here, what waits",
  "/peers          the members, where they are, how far behind",
  ...REQUEST_HELP,
  "/transfer [ID]  hand the lead to a peer (to the highest one that is fit)",
  "/evict ID       give up a dead peer, so that its id is free again",
  "/quit           leave: hand over, say goodbye, go",
  "//text          say a text that begins with a slash",
];

export function readCommand(line: string): Command {
  if (!line.startsWith("/")) return { do: "say", text: line };
  if (line.startsWith("//")) return { do: "say", text: line.slice(1) };
  const request = readRequest(line);
  if (request !== null) return request.do === "wrong" ? request : { do: "request", request };
  const [name, argument, ...rest] = line.trim().split(/\s+/) as [string, string?];
  if (rest.length > 0) return { do: "wrong", message: `${name} takes at most one argument` };
  switch (name) {
    case "/status":
    case "/peers":
    case "/help":
    case "/quit":
      return argument === undefined
        ? { do: name.slice(1) as "status" }
        : { do: "wrong", message: `${name} takes no argument` };
    case "/transfer":
    case "/evict": {
      if (argument === undefined && name === "/transfer") return { do: "transfer", id: 0 };
      const id = /^[0-9]{1,6}$/.test(argument ?? "") ? Number(argument) : 0;
      if (id < 1 || id > PEER_ID_MAX) return { do: "wrong", message: `${name} needs a peer id, like ${name} 2` };
      return { do: name.slice(1) as "transfer" | "evict", id };
    }
    default: {
      const close = nearest(name, NAMES);
      return {
        do: "wrong",
        message: `there is no command ${name}${close === null ? "" : `, did you mean ${close}?`} (/help lists them; // sends a text that begins with a slash)`,
      };
    }
  }
}
