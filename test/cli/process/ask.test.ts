/** Questions: what is proposed is taken on Enter, what is wrong is explained and asked again, Ctrl-C and Ctrl-D leave. */
import { describe, expect, test } from "bun:test";
import { PassThrough } from "node:stream";
import { ask, type Question } from "../../../src/cli/process/ask.ts";
import { UsageError } from "../../../src/cli/usage/flag-values.ts";

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
async function typed(questions: readonly Question[], text: string) {
  const input = new PassThrough();
  const output = new PassThrough();
  let shown = "";
  output.on("data", (chunk) => {
    shown += chunk;
  });
  const answers = ask(questions, input, output);
  input.write(text);
  const said = await answers;
  output.end();
  await new Promise((resolve) => output.once("end", resolve));
  // biome-ignore lint/suspicious/noControlCharactersInRegex: what the line editor says to the terminal is left out
  return { said, shown: shown.replace(/\x1b\[[0-9;?]*[A-Za-z]/g, "") };
}

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
