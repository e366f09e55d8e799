/** Values of flags: taken as they were typed, and refused with what was given, what is wanted and an example. */
import { describe, expect, test } from "bun:test";
import { address, duration, name, oneOf, seed, UsageError, wholeNumber } from "../../../src/cli/usage/flag-values.ts";
import { PEER_ID_MAX } from "../../../src/core/config.ts";
import { nearest } from "../../../src/nearest.ts";

/** The message of the UsageError; whatever else is thrown is the test's to fail on. */
function usage(attempt: () => unknown): string {
  let value: unknown;
  try {
    value = attempt();
  } catch (error) {
    if (error instanceof UsageError) return error.message;
    throw error;
  }
  throw new Error(`taken as ${JSON.stringify(value)}`);
}

describe("whole numbers", () => {
  test("from the first to the last that is allowed, zeros in front or not", () => {
    expect([wholeNumber("--id", "1", 1, 9), wholeNumber("--id", "9", 1, 9), wholeNumber("--id", "007", 1, 9)]).toEqual([
      1, 9, 7,
    ]);
    expect(wholeNumber("--after", "999999999999999", 0, 999_999_999_999_999)).toBe(999_999_999_999_999);
  });

  test("anything else is refused with the bounds and what was typed", () => {
    const wrong = [
      "",
      " ",
      "0",
      "10",
      "-1",
      "+1",
      "1.0",
      "1e0",
      "0x1",
      " 1",
      "1 ",
      "1\n",
      "١",
      "one",
      "NaN",
      "Infinity",
    ];
    for (const text of [...wrong, "1".repeat(16), "0".repeat(16)]) {
      expect(usage(() => wholeNumber("--id", text, 1, 9))).toBe(
        `--id must be a whole number from 1 to 9, not ${JSON.stringify(text)}`,
      );
    }
  });
});

describe("times", () => {
  test("milliseconds, seconds, minutes; plain numbers are milliseconds", () => {
    const right: [string, number][] = [
      ["200", 200],
      ["200ms", 200],
      ["1.2s", 1200],
      ["0.5ms", 0.5],
      ["1m", 60_000],
      ["1.5m", 90_000],
      ["60m", 3_600_000],
      ["3600000", 3_600_000],
    ];
    for (const [text, ms] of right) expect([text, duration("--leader-timeout", text)]).toEqual([text, ms]);
  });

  test("anything else is refused with an example", () => {
    const wrong = [
      "",
      "0",
      "0ms",
      "0.0s",
      "-1s",
      "+1s",
      "1h",
      "1S",
      "1 s",
      "s",
      ".5s",
      "1.s",
      "1e3",
      "1,2s",
      "soon",
      "1s\n",
    ];
    for (const text of [...wrong, "61m", "3600001", "9".repeat(400)]) {
      expect(usage(() => duration("--leader-timeout", text))).toBe(
        `--leader-timeout must be a time like 200ms or 1.2s, at most 60m, not ${JSON.stringify(text)}`,
      );
    }
  });
});

test("choices: one of them, letter by letter", () => {
  expect(oneOf("--durability", "os", ["fsync", "os"])).toBe("os");
  for (const text of ["", "OS", "o", "os ", "toString", "__proto__"]) {
    expect(usage(() => oneOf("--durability", text, ["fsync", "os"]))).toBe(
      `--durability must be one of fsync, os, not ${JSON.stringify(text)}`,
    );
  }
});

describe("names", () => {
  test("names of any script, and names that look like something else, stay as they are", () => {
    const right = [
      "a",
      "007",
      "1e3",
      "true",
      "__proto__",
      "Ada Lovelace",
      "李",
      "👩‍🚀",
      "a".repeat(64),
      "é".repeat(32),
    ];
    for (const text of right) expect(name("--name", text)).toBe(text);
  });

  test("empty, too long in bytes, or with control characters: refused, and quoted within bounds", () => {
    for (const text of ["", "a".repeat(65), "é".repeat(33), "a\nb", "\0", "a\x1b[31m", "\x7f", "\x9b", "\u0085"]) {
      expect(usage(() => name("--room", text))).toBe(
        `--room must have 1 to 64 bytes of UTF-8 and no control characters, not ${JSON.stringify(text)}`,
      );
    }
    expect(usage(() => name("--name", "x".repeat(1e6))).length).toBeLessThan(200);
  });
});

describe("addresses", () => {
  test("a name, IPv4, or IPv6 in brackets, with a port", () => {
    const right: [string, string, number][] = [
      ["127.0.0.1:6001", "127.0.0.1", 6001],
      ["chat.example:1", "chat.example", 1],
      ["localhost:65535", "localhost", 65_535],
      ["[::1]:6001", "::1", 6001],
      ["[fe80::1%eth0]:6001", "fe80::1%eth0", 6001],
      ["[::ffff:10.0.0.1]:6001", "::ffff:10.0.0.1", 6001],
      [`${"h".repeat(255)}:1`, "h".repeat(255), 1],
    ];
    for (const [text, host, port] of right) expect(address("--advertise", text)).toEqual({ host, port });
  });

  test("anything else is refused with an example", () => {
    const wrong = [
      "",
      "host",
      "host:",
      ":6001",
      "6001",
      "host:0",
      "host:65536",
      "host:99999",
      "host:100000",
      "host:-1",
    ];
    wrong.push(
      "host:1e3",
      "host: 1",
      "ho st:1",
      "host:1 ",
      "host:1\n",
      "::1:6001",
      "[::1]",
      "[::1]6001",
      "[]:1",
      "[h]o:1",
    );
    wrong.push("host:6001:6002", "http://host:1", `${"h".repeat(256)}:1`, "[::1:6001", "::1]:6001", "\t:1");
    for (const text of wrong) {
      expect(usage(() => address("--advertise", text))).toBe(
        `--advertise must be HOST:PORT like 192.168.1.5:6001 (IPv6 in brackets), not ${JSON.stringify(text)}`,
      );
    }
  });
});

describe("seeds", () => {
  test("an id and an address", () => {
    expect(seed("--seed", "2:127.0.0.1:6002")).toEqual({ id: 2, host: "127.0.0.1", port: 6002 });
    expect(seed("--seed", `${PEER_ID_MAX}:[::1]:1`)).toEqual({ id: PEER_ID_MAX, host: "::1", port: 1 });
  });

  test("anything else is refused with an example, what was typed, and what is wrong with it", () => {
    const wrong: [string, string][] = [
      ["nonsense", "the id must be a whole number"],
      ["", "the id must be a whole number"],
      ["127.0.0.1:6002", "the id must be a whole number"],
      ["0:127.0.0.1:6002", "the id must be a whole number"],
      [`${PEER_ID_MAX + 1}:127.0.0.1:6002`, `from 1 to ${PEER_ID_MAX}`],
      ["two:127.0.0.1:6002", 'not "two"'],
      ["2:127.0.0.1", "the address must be HOST:PORT"],
      ["2:127.0.0.1:99999", "the address must be HOST:PORT"],
      ["2:::1:6002", "IPv6 in brackets"],
      ["2", "the id"],
    ];
    for (const [text, why] of wrong) {
      const message = usage(() => seed("--seed", text));
      expect(message).toStartWith(`--seed must be ID:HOST:PORT like 2:127.0.0.1:6002, not ${JSON.stringify(text)}: `);
      expect(message).toContain(why);
    }
  });
});

describe("the nearest word", () => {
  const flags = ["--json", "--name", "--room", "--headless"];

  test("one slip or two are forgiven, more are not", () => {
    expect(nearest("--jsn", flags)).toBe("--json");
    expect(nearest("--jsoon", flags)).toBe("--json");
    expect(nearest("--jason", flags)).toBe("--json");
    expect(nearest("--nmae", flags)).toBe("--name");
    expect(nearest("--headles", flags)).toBe("--headless");
    expect(nearest("--headXXX", flags)).toBeNull();
    expect(nearest("--completely-else", flags)).toBeNull();
    expect(nearest("--json", [])).toBeNull();
  });

  test("a letter or two are near nothing", () => {
    expect([nearest("x", ["id"]), nearest("", ["id"]), nearest("ab", ["id"])]).toEqual([null, null, null]);
    expect(nearest("di", ["dir"])).toBe("dir");
  });

  test("the closest wins, whatever the order", () => {
    expect(nearest("/stat", ["/quit", "/status", "/start"])).toBe("/start");
    expect(nearest("/stat", ["/start", "/status", "/quit"])).toBe("/start");
  });
});
