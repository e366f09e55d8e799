/** Lines that begin with a slash: commands, texts that look like them, and slips that are explained. */
import { describe, expect, test } from "bun:test";
import { type Command, HELP, readCommand } from "../../src/cli/commands.ts";
import { REQUEST_NAMES } from "../../src/cli/requests.ts";
import { PEER_ID_MAX } from "../../src/core/config.ts";

const ARGUMENTS: Record<string, string> = { "/evict": "1", "/join": "attic", "/nick": "eve", "/read": "1" };

describe("what is said", () => {
  test("any text that begins with something else is said as it is, spaces and all", () => {
    for (const text of ["hello", "", " /quit", "  two  spaces ", "\\/quit", "1/2", "\u2028/quit", "⁄quit"]) {
      expect(readCommand(text)).toEqual({ do: "say", text });
    }
  });

  test("two slashes say a text with one; nothing else of it is touched", () => {
    expect(readCommand("//quit")).toEqual({ do: "say", text: "/quit" });
    expect(readCommand("//")).toEqual({ do: "say", text: "/" });
    expect(readCommand("/// three  ")).toEqual({ do: "say", text: "// three  " });
  });
});

describe("commands", () => {
  test("each is known, with or without spaces behind it", () => {
    const right: [string, Command][] = [
      ["/status", { do: "status" }],
      ["/peers", { do: "peers" }],
      ["/help", { do: "help" }],
      ["/quit", { do: "quit" }],
      ["/transfer", { do: "transfer", id: 0 }],
      ["/transfer 2", { do: "transfer", id: 2 }],
      ["/transfer 007", { do: "transfer", id: 7 }],
      ["/evict 1", { do: "evict", id: 1 }],
      [`/evict ${PEER_ID_MAX}`, { do: "evict", id: PEER_ID_MAX }],
      ["/evict \t 3", { do: "evict", id: 3 }],
    ];
    for (const [line, command] of right) {
      expect(readCommand(line)).toEqual(command);
      expect(readCommand(`${line}  `)).toEqual(command);
    }
  });

  test("help explains every command there is, and no other", () => {
    const explained = HELP.map((line) => (/^\/[a-z]+/.exec(line) ?? [""])[0]).filter((name) => name !== "");
    expect(explained).toEqual(["/status", "/peers", ...REQUEST_NAMES, "/transfer", "/evict", "/quit"]);
    for (const name of explained) {
      const command = readCommand(`${name} ${ARGUMENTS[name] ?? ""}`.trim());
      expect(command.do === "request" ? command.request.do : command.do).toBe(name.slice(1) as "status");
    }
    expect(HELP.at(-1)).toStartWith("//");
  });

  test("arguments that are missing, wrong or too many are named", () => {
    const wrong: [string, string][] = [
      ["/quit now", "/quit takes no argument"],
      ["/status 1", "/status takes no argument"],
      ["/peers 1", "/peers takes no argument"],
      ["/help quit", "/help takes no argument"],
      ["/evict 1 2", "/evict takes at most one argument"],
      ["/quit right now", "/quit takes at most one argument"],
      ["/evict", "/evict needs a peer id, like /evict 2"],
    ];
    for (const argument of ["0", "-1", "1.5", "1e3", "0x1", "two", "１", "9".repeat(30), `${PEER_ID_MAX + 1}`]) {
      wrong.push([`/evict ${argument}`, "/evict needs a peer id, like /evict 2"]);
      wrong.push([`/transfer ${argument}`, "/transfer needs a peer id, like /transfer 2"]);
    }
    for (const [line, message] of wrong) expect([line, readCommand(line)]).toEqual([line, { do: "wrong", message }]);
  });

  test("a slip is corrected, an unknown command explained; neither is sent as a message", () => {
    const hint = "(/help lists them; // sends a text that begins with a slash)";
    const wrong: [string, string][] = [
      ["/quti", `there is no command /quti, did you mean /quit? ${hint}`],
      ["/stats", `there is no command /stats, did you mean /status? ${hint}`],
      ["/QUIT", `there is no command /QUIT ${hint}`],
      ["/shrug", `there is no command /shrug ${hint}`],
      ["/etc/passwd", `there is no command /etc/passwd ${hint}`],
      ["/", `there is no command / ${hint}`],
      ["/toString", `there is no command /toString ${hint}`],
      ["/__proto__", `there is no command /__proto__ ${hint}`],
    ];
    for (const [line, message] of wrong) expect(readCommand(line)).toEqual({ do: "wrong", message });
  });
});
