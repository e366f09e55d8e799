/** Lines that begin with a slash: commands, texts that look like them, and slips that are explained. */
import { describe, expect, test } from "bun:test";
import { COMMAND_NAMES, type Command, HELP, KEYS_HELP, readCommand } from "../../../src/cli/chat/slash-commands.ts";
import type { Order } from "../../../src/cli/trust/order.ts";
import { PEER_ID_MAX } from "../../../src/core/config.ts";

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
      ["/rooms", { do: "rooms" }],
      ["/history", { do: "history", count: 20, text: "" }],
      ["/history 50", { do: "history", count: 50, text: "" }],
      ["/history 50 two words", { do: "history", count: 50, text: "two words" }],
      ["/history two words", { do: "history", count: 20, text: "two words" }],
      ["/history 3rd", { do: "history", count: 20, text: "3rd" }],
      ["/join dev", { do: "join", room: "dev" }],
      ["/join the dev room", { do: "join", room: "the dev room" }],
      ["/leave", { do: "leave", room: null }],
      ["/leave dev", { do: "leave", room: "dev" }],
      ["/access", { do: "access" }],
      ["/secure", { do: "secure" }],
      ["/revoke two words", { do: "revoke", name: "two words" }],
      ["/save my chat.txt", { do: "save", file: "my chat.txt" }],
    ];
    for (const [line, command] of right) {
      expect(readCommand(line)).toEqual(command);
      expect(readCommand(`${line}  `)).toEqual(command);
    }
  });

  test("help explains every command there is, and no other", () => {
    const explained = HELP.map((line) => (/^\/[a-z]+/.exec(line) ?? [""])[0]).filter((name) => name !== "");
    expect(explained).toEqual([...COMMAND_NAMES]);
    const needed: Record<string, string> = {
      "/evict": " 1",
      "/join": " dev",
      "/save": " file",
      "/invite": " member",
      "/revoke": " eve",
      "/nick": " eve",
      "/read": " 1",
    };
    for (const name of explained) {
      const command = readCommand(name + (needed[name] ?? ""));
      expect(command.do).toBe(name.slice(1) as Command["do"]);
    }
    expect(HELP.at(-1)).toStartWith("//");
  });

  test("help fits a screen of 24 lines and 80 columns, with the bottom below it", () => {
    const lines = [...HELP, ...KEYS_HELP];
    expect(lines.length).toBeLessThanOrEqual(24 - 2);
    expect(Math.max(...lines.map((line) => line.length))).toBeLessThan(80);
  });

  test("arguments that are missing, wrong or too many are named", () => {
    const wrong: [string, string][] = [
      ["/quit now", "/quit takes no argument"],
      ["/status 1", "/status takes no argument"],
      ["/peers 1", "/peers takes no argument"],
      ["/help quit", "/help takes no argument"],
      ["/evict 1 2", "/evict takes at most one argument"],
      ["/quit right now", "/quit takes no argument"],
      ["/join", "/join needs a room, like /join general"],
      ["/join a\u0007b", 'a room must have 1 to 64 bytes of UTF-8 and no control characters, not "a\\u0007b"'],
      ["/save", "/save needs a file, like /save chat.txt"],
      ["/history 0", "/history needs a number from 1 to 10000, like /history 50, and not 0"],
      ["/history 10001", "/history needs a number from 1 to 10000, like /history 50, and not 10001"],
      ["/evict", "/evict needs a peer id, like /evict 2"],
      ["/invite", "/invite needs member or client first, like /invite member, or /invite client bob read"],
      ["/invite bob", "/invite needs member or client first, like /invite member, or /invite client bob read"],
      ["/invite member read", "/invite member takes no right: a member may do everything"],
      ["/invite client uses 0", 'uses must be a whole number from 1 to 1000, not "0"'],
      ["/invite client for 24", 'for must be a time like 30m, 24h or 7d, at most 365d, not "24"'],
      ["/invite client for 366d", 'for must be a time like 30m, 24h or 7d, at most 365d, not "366d"'],
      ["/revoke", "/revoke needs the name of a token or an invitation, like /revoke bob"],
    ];
    for (const argument of ["0", "-1", "1.5", "1e3", "0x1", "two", "１", "9".repeat(30), `${PEER_ID_MAX + 1}`]) {
      wrong.push([`/evict ${argument}`, "/evict needs a peer id, like /evict 2"]);
      wrong.push([`/transfer ${argument}`, "/transfer needs a peer id, like /transfer 2"]);
    }
    for (const [line, message] of wrong) expect([line, readCommand(line)]).toEqual([line, { do: "wrong", message }]);
  });

  test("an invitation is for a member, or for a client with a name, a right, a number of uses and a time", () => {
    const [h, d] = [3_600_000, 86_400_000];
    const member = { role: "member", name: "", rights: "admin", uses: 1, lifeMs: 24 * h, qr: false } as const;
    const client = { ...member, role: "client", rights: "write" } as const;
    const right: [string, Order][] = [
      ["member", member],
      ["member bob", { ...member, name: "bob" }],
      ["member uses 3 qr", { ...member, uses: 3, qr: true }],
      ["client", client],
      ["client bob", { ...client, name: "bob" }],
      ["client bob read", { ...client, name: "bob", rights: "read" }],
      [
        "client the build server admin uses 2 for 7d",
        { ...client, name: "the build server", rights: "admin", uses: 2, lifeMs: 7 * d },
      ],
      ["client for 30m uses 2 read", { ...client, rights: "read", uses: 2, lifeMs: h / 2 }],
      ["client qr code qr", { ...client, name: "qr code", qr: true }],
    ];
    for (const [argument, order] of right) expect(readCommand(`/invite ${argument}`)).toEqual({ do: "invite", order });
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
