/** Settings: flags over environment over file over what is preset; each value knows its source, each mistake its line. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { homedir, tmpdir } from "node:os";
import { join } from "node:path";
import { CHAT } from "../../../src/cli/chat/chat-command.ts";
import { CHAT_FLAGS, readChatOptions } from "../../../src/cli/chat/chat-options.ts";
import { CommandLine } from "../../../src/cli/usage/command-line.ts";
import { settingLines } from "../../../src/cli/usage/config-command.ts";
import { parseConfig, readConfigFile } from "../../../src/cli/usage/config-file.ts";
import { UsageError } from "../../../src/cli/usage/flag-values.ts";
import { configFileOf, gatherSettings, type Settings } from "../../../src/cli/usage/settings.ts";

let root = "";
beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), "chatpeer-settings-"));
});
afterAll(() => rmSync(root, { recursive: true, force: true }));

function gathered(args: readonly string[], env: Record<string, string> = {}): Settings {
  const { flags } = new CommandLine([CHAT]).read(args);
  const named = configFileOf(CHAT_FLAGS, flags, env);
  const filed = named === null ? null : readConfigFile(named, CHAT_FLAGS);
  return gatherSettings(CHAT_FLAGS, flags, env, CHAT_FLAGS, filed);
}

function file(name: string, text: string | Uint8Array): string {
  const path = join(root, name);
  writeFileSync(path, text);
  return path;
}

/** The lines of the UsageError; whatever else is thrown is the test's to fail on. */
function usage(attempt: () => unknown): string[] {
  try {
    attempt();
  } catch (error) {
    if (error instanceof UsageError) return error.message.split("\n");
    throw error;
  }
  throw new Error("nothing was refused");
}

const parsed = (text: string) =>
  Object.fromEntries([...parseConfig(text, "c.yml", CHAT_FLAGS)].map(([name, { values }]) => [name, values]));
const wrong = (text: string) => usage(() => parseConfig(text, "c.yml", CHAT_FLAGS));

describe("plain or secured", () => {
  const trust = (...args: string[]) => {
    const { secured, insecure } = readChatOptions(gathered(["--id", "1", ...args]));
    return { secured, insecure };
  };

  test("what is founded on loopback is plain, and beyond it secured; --secure and --insecure say otherwise", () => {
    for (const host of ["127.0.0.1", "localhost", "::1"])
      expect(trust("--host", host)).toEqual({ secured: false, insecure: false });
    for (const host of ["10.0.0.1", "0.0.0.0", "chat.example", "::"]) {
      expect(trust("--host", host)).toEqual({ secured: true, insecure: false });
      expect(trust("--host", host, "--insecure")).toEqual({ secured: false, insecure: true });
    }
    expect(trust("--secure")).toEqual({ secured: true, insecure: false });
    expect(usage(() => trust("--secure", "--insecure"))).toEqual([
      "--secure and --insecure say the opposite: choose one",
    ]);
  });

  test("an invitation leaves no choice, and says where the others are", () => {
    const address = { id: 1, host: "127.0.0.1", port: 6001, pin: "a".repeat(26) };
    const invitation = { role: "member", cluster_id: "c1", secret: "a".repeat(26), addresses: [address] } as const;
    const options = (...args: string[]) => readChatOptions(gathered(["--id", "2", ...args]), invitation);
    expect(options()).toMatchObject({ secured: true, insecure: false, seeds: [], invitation });
    expect(usage(() => options("--insecure"))[0]).toContain("leave out --insecure");
    expect(usage(() => options("--seed", "1:127.0.0.1:6001"))[0]).toContain("leave out --seed");
  });
});

describe("precedence", () => {
  test("a flag wins over a variable, that over the file, that over the default; each says where it is from", () => {
    const config = file("three.yml", "\nid: 1\nname: file\nroom: file\nhistory: 5\n");
    const settings = gathered(["--config", config, "--name", "flag"], { CHATPEER_ROOM: "env", CHATPEER_NAME: "env" });
    const said = ["id", "name", "room", "history", "durability"].map((n) => [settings.text(n), settings.from(n)]);
    expect(said).toEqual([
      ["1", `${config}:2`],
      ["flag", "flag"],
      ["env", "CHATPEER_ROOM"],
      ["5", `${config}:5`],
      ["fsync", "default"],
    ]);
  });

  test("seeds are not mixed: those of the flags replace those of the file", () => {
    const config = file("seeds.yml", "id: 3\nseed: [1:localhost:1, 2:localhost:2]\n");
    expect(gathered(["--config", config]).texts("seed")).toHaveLength(2);
    expect(gathered(["--config", config, "--seed", "4:h:4"]).texts("seed")).toEqual(["4:h:4"]);
  });

  test("a switch that the file turns on is turned off by =false", () => {
    const config = file("switch.yml", "headless: true\n");
    expect([
      gathered(["--config", config]).on("headless"),
      gathered(["--config", config, "--headless=false"]).on("headless"),
    ]).toEqual([true, false]);
  });

  test("a path may begin with ~ in a file, in a variable and behind =", () => {
    const config = file("home.yml", "id: 1\ndata-dir: ~/chat\nname: ~/not-a-path\n");
    const chat = join(homedir(), "chat");
    expect(readChatOptions(gathered(["--config", config]))).toMatchObject({ dataDir: chat, name: "~/not-a-path" });
    expect(gathered(["--id=1", "--data-dir=~/chat"]).text("data-dir")).toBe(chat);
    expect(gathered(["--id=1", "--data-dir=~"]).text("data-dir")).toBe(homedir());
    expect(gathered(["--id=1"], { CHATPEER_DATA_DIR: "~/chat" }).text("data-dir")).toBe(chat);
    expect(gathered(["--id=1", "--data-dir=x/~/chat"]).text("data-dir")).toBe("x/~/chat");
    expect(configFileOf(CHAT_FLAGS, new Map([["config", ["~/chat.yml"]]]), {})).toBe(join(homedir(), "chat.yml"));
    expect(() => gathered(["--id=1", "--data-dir=~bob/chat"]).text("data-dir")).toThrow(
      "give a whole path (or ./~bob/chat)",
    );
  });

  test("a wrong value is named by where it stands", () => {
    const config = file("values.yml", "id: 1\nport: 70000\n");
    expect(usage(() => readChatOptions(gathered(["--config", config])))).toEqual([
      `${config}:2: port must be a whole number from 0 to 65535, not "70000"`,
    ]);
    expect(usage(() => readChatOptions(gathered(["--id", "1"], { CHATPEER_PORT: "http" })))[0]).toStartWith(
      "CHATPEER_PORT must be a whole number",
    );
  });

  test("values that do not go together are named with the source of both", () => {
    const config = file("timings.yml", "id: 1\nleader_timeout_ms: 400\n");
    expect(usage(() => readChatOptions(gathered(["--config", config])))[0]).toEndWith(
      `(--leader-timeout: ${config}:2, --heartbeat-interval: default)`,
    );
  });
});

describe("the environment", () => {
  test("seeds are separated by commas or spaces, switches are 1 or 0, an empty variable is none", () => {
    const settings = gathered([], {
      CHATPEER_SEED: "1:a:1, 2:b:2",
      CHATPEER_JSON: "TRUE",
      CHATPEER_HEADLESS: "0",
      CHATPEER_NAME: "",
    });
    expect([settings.texts("seed"), settings.on("json"), settings.on("headless"), settings.given("name")]).toEqual([
      ["1:a:1", "2:b:2"],
      true,
      false,
      false,
    ]);
    expect(usage(() => gathered([], { CHATPEER_JSON: "maybe" }))).toEqual([
      'CHATPEER_JSON must be 1 or 0, not "maybe"',
    ]);
  });

  test("a misspelled variable is refused, one of somebody else's is not", () => {
    expect(usage(() => gathered([], { CHATPEER_NMAE: "x" }))[0]).toContain("is CHATPEER_NAME meant?");
    expect(usage(() => gathered([], { CHATPEER_INVIT: "x" }))[0]).toContain("is CHATPEER_INVITE meant?");
    expect(gathered([], { CHATPEER_SERVICE_PORT_HTTP: "80", CHATPEER: "x" }).given("name")).toBe(false);
    expect(gathered([], { CHATPEER_PORT: "tcp://10.96.0.7:6001" }).given("port")).toBe(false);
  });

  test("CHATPEER_CONFIG names the file", () => {
    const config = file("env.yml", "id: 9\n");
    expect(gathered([], { CHATPEER_CONFIG: config }).text("id")).toBe("9");
  });
});

describe("the file", () => {
  test("the names of the course's system are understood, with _ for - everywhere", () => {
    const origin = `
node_id: 2
host: 127.0.0.1
seed_nodes:
  - 1:127.0.0.1:6001
  - { node_id: 3, host: "::1", port: 6003 }
heartbeat_interval_ms: 800
leader_timeout_ms: 2500
log_dir: data/logs
log_level: "off"
`;
    expect(parsed(origin)).toEqual({
      id: ["2"],
      host: ["127.0.0.1"],
      seed: ["1:127.0.0.1:6001", "3:[::1]:6003"],
      "heartbeat-interval": ["800"],
      "leader-timeout": ["2500"],
      "data-dir": ["data/logs"],
      "log-level": ["off"],
    });
  });

  test("JSON is read too, tabs and all; an empty file says nothing, nor does a key without a value", () => {
    expect(parsed('{\n\t"id": 5,\n\t"seed": ["1:h:1"], "json": true\n}')).toEqual({
      id: ["5"],
      seed: ["1:h:1"],
      json: ["true"],
    });
    expect([parsed(""), parsed("# nothing\n"), parsed("name:\n")]).toEqual([{}, {}, {}]);
  });

  test("everything wrong is said at once, each with its line", () => {
    const text = 'id: 5\nnode_id: 6\nhots: x\nport: "6001"\nname: 007\nseed:\n - 3\nheadless: yes\nconfig: other.yml\n';
    const flags = CHAT_FLAGS.filter((flag) => flag.name !== "config");
    expect(usage(() => parseConfig(text, "c.yml", flags))).toEqual([
      "c.yml:2: node_id says what c.yml:1: id says already: keep one of them",
      "c.yml:3: there is no setting hots, did you mean host?",
      'c.yml:4: port must be a whole number, not "6001"',
      "c.yml:5: name must be a text (in quotes where it looks like something else), not 7",
      "c.yml:6: seed must be a list of peers, each ID:HOST:PORT in quotes or {id, host, port}, not [3]",
      'c.yml:8: headless must be true or false, not "yes"',
      "c.yml:9: there is no setting config",
    ]);
  });

  test("what is no YAML is refused with its line, and so are aliases, tags, lists and several documents", () => {
    for (const [text, line] of [
      ["id: 1\nid: 2\n", 2],
      ["id: 1\nseed: [a,\n", 3],
      ["id: !x 1\n", 1],
      ["id: 1\n---\nid: 2\n", 2],
    ] as const)
      expect([text, wrong(text)[0]]).toEqual([text, expect.stringMatching(new RegExp(`^c\\.yml:${line}: `))]);
    expect(wrong("- 1\n")[0]).toContain("a configuration file is made of lines like `id: 1`");
    expect(wrong("name: &a x\nroom: *a\n")[0]).toStartWith("c.yml:2: ");
  });

  test("a file that is not there, no text, or too large is refused", () => {
    const huge = file("huge.yml", "#".repeat(2 * 1024 * 1024));
    for (const path of [join(root, "none.yml"), root, huge, file("bytes.yml", new Uint8Array([0xff, 0xfe, 0x00]))])
      expect(usage(() => gathered(["--config", path]))[0]).toContain(path);
  });
});

describe("what is in force", () => {
  test("is printed as a configuration file that says the same again", () => {
    const settings = gathered([
      "--id",
      "7",
      "--name",
      "a: #b",
      "--json",
      "--seed",
      "1:[::1]:2",
      "--leader-timeout",
      "900",
    ]);
    const lines = settingLines(settings);
    expect(lines).toContain('name: "a: #b" # flag');
    expect(lines).toContain('room: "general" # default');
    const again = gathered(["--config", file("again.yml", lines.join("\n"))]);
    expect(readChatOptions(again)).toEqual(readChatOptions(settings));
  });

  test("what is printed obeys nobody's controls, and is read back as it was", () => {
    const name = "a\u202eb\u2028\u{e0041}";
    const lines = settingLines(gathered(["--id", "7", "--name", name]));
    expect(lines).toContain('name: "a\\u202eb\\u2028\\udb40\\udc41" # flag');
    const again = gathered(["--config", file("controls.yml", lines.join("\n"))]);
    expect(readChatOptions(again).name).toBe(name);
  });

  test("a peer that listens on all addresses tells the others one that can be dialled, or the one that is given", () => {
    const advertised = (...args: string[]) => readChatOptions(gathered(["--id", "7", ...args])).advertise;
    expect(advertised()).toBeNull();
    expect(advertised("--host", "0.0.0.0", "--advertise", "chat.example:1")).toEqual({ host: "chat.example", port: 1 });
    for (const host of ["0.0.0.0", "::"]) {
      const told = advertised("--host", host);
      expect(told).toMatchObject({ host: expect.stringMatching(/^\d+\.\d+\.\d+\.\d+$/), port: 6007 });
      expect(told?.host).not.toBe("0.0.0.0");
    }
  });

  test("the three sample files make one cluster, each in its own directory", () => {
    const peers = [1, 2, 3].map((n) =>
      readChatOptions(gathered(["--config", join(import.meta.dir, `../../../docs/node${n}.yml`)])),
    );
    expect(peers.map((p) => p.id)).toEqual([1, 2, 3]);
    expect(new Set(peers.map((p) => p.dataDir)).size).toBe(3);
    expect(peers[0]?.seeds).toEqual([]);
    for (const { seeds } of peers)
      for (const { id, host, port } of seeds) expect(peers[id - 1]).toMatchObject({ id, host, port });
    for (const peer of peers.slice(1)) expect(peer.seeds.map((s) => s.id)).toContain(1);
  });
});
