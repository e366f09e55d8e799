/** Questions: what is proposed is taken on Enter, what is wrong is explained and asked again, Ctrl-C and Ctrl-D leave. */
import { describe, expect, test } from "bun:test";
import { PassThrough } from "node:stream";
import { ask, type Question } from "../../../src/cli/process/ask.ts";
import { understood } from "../../../src/cli/trust/invited.ts";
import { UsageError } from "../../../src/cli/usage/flag-values.ts";
import { encodeInvitation } from "../../../src/wire/invitation.ts";

const number: Question = {
  text: "A number",
  propose: () => "7",
  check: (answer) => {
    if (!/^\d+$/.test(answer)) throw new UsageError(`${answer} is no number`);
  },
};
const word: Question = { text: "A word", propose: ([n]) => `word_${n}`, check: () => {} };
const needed: Question = { text: "Needed", propose: () => null, check: () => {} };

/** Asks, types all of it at once, and tells what was shown. */
async function typed(questions: readonly Question[], text: string, later = "") {
  const input = new PassThrough();
  const output = new PassThrough();
  let shown = "";
  output.on("data", (chunk) => {
    shown += chunk;
  });
  const answers = ask(questions, input, output);
  input.write(text);
  if (later !== "") setImmediate(() => input.write(later));
  const said = await answers;
  output.end();
  await new Promise((resolve) => output.once("end", resolve));
  // biome-ignore lint/suspicious/noControlCharactersInRegex: what the line editor says to the terminal is left out
  return { said, shown: shown.replace(/\x1b\[[0-9;?]*[A-Za-z]/g, "") };
}

describe("an invitation", () => {
  const address = { id: 1, host: "10.0.0.1", port: 6001, pin: "a".repeat(26) };
  const invitation = { role: "member", cluster_id: "c1", secret: "a".repeat(26), addresses: [address] } as const;
  const text = encodeInvitation(invitation);
  const asked: Question = { ...needed, check: (answer) => understood("this", answer, "member") };

  test("is taken and not shown; what is typed before and behind it is", async () => {
    const { said, shown } = await typed([word, asked, number], `alice\r${text}\r8\r`);
    expect(said).toEqual(["alice", text, "8"]);
    expect(shown).toContain("alice");
    expect(shown).not.toContain(text.slice(10, 20));
  });

  test("that a mail has broken into lines is one answer, and no line of it is shown", async () => {
    const lines = [text.slice(0, 40), text.slice(40, 70), text.slice(70)];
    const { said, shown } = await typed([asked, number], `${lines.join("\r")}\r8\r`);
    expect(said).toEqual([text, "8"]);
    for (const line of lines) expect(shown).not.toContain(line.slice(-6));
  });

  test("that is mistyped is explained without showing it, and asked for again", async () => {
    const other = text.at(-5) === "x" ? "y" : "x";
    const wrong = text.slice(0, -5) + other + text.slice(-4);
    const { said, shown } = await typed([asked], `${wrong}\r${text}\r`);
    expect(said).toEqual([text]);
    expect(shown).toContain("this is no invitation: ");
    expect(shown).not.toContain(text.slice(10, 20));
  });

  test("is given up where it is wrong: what is typed then stands for itself", async () => {
    const either: Question = {
      ...needed,
      check: (answer) => answer === "found" || understood("this", answer, "member"),
    };
    const input = `${text.slice(0, -5)}\r`;
    const { said, shown } = await typed([either], `${input}`, "found\r");
    expect(said).toEqual(["found"]);
    expect(shown).toContain("the end of the invitation is missing");
  });

  test("for a client is refused where a member is wanted", async () => {
    const client = encodeInvitation({ ...invitation, role: "client" });
    const { said, shown } = await typed([asked], `${client}\r\x03`);
    expect(said).toBe(null);
    expect(shown).toContain("this invitation is for a client: use it with chatpeer connect");
  });
});

describe("answers", () => {
  test("Enter takes what is proposed, which may rest on the answers before", async () => {
    const { said, shown } = await typed([number, word], "\r\r");
    expect(said).toEqual(["7", "word_7"]);
    expect(shown).toContain("A number [7]: ");
    expect(shown).toContain("A word [word_7]: ");
  });

  test("what is typed counts, without the spaces around it", async () => {
    expect((await typed([number, word], "12\r  two words \r")).said).toEqual(["12", "two words"]);
  });

  test("a wrong answer is explained, and asked again; so is none where one is needed", async () => {
    const { said, shown } = await typed([number, needed], "x\r-1\r3\r\ry\r");
    expect(said).toEqual(["3", "y"]);
    for (const line of ["x is no number", "-1 is no number", "an answer is needed"]) expect(shown).toContain(line);
    expect(shown.match(/A number \[7\]: /g)?.length).toBeGreaterThanOrEqual(3);
  });

  test("Ctrl-C and Ctrl-D leave, at whichever question, with what was typed thrown away", async () => {
    for (const keys of ["\x03", "12\x03", "\x04", "1\r\x04", "1\rword\x03"])
      expect([keys, (await typed([number, word], keys)).said]).toEqual([keys, null]);
  });
});
