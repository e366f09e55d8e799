/**
 * Questions at a terminal, one after another: Enter takes what is proposed, a wrong answer is explained and asked again.
 * Lines typed ahead answer the questions to come.
 */
import * as readline from "node:readline";
import type { Readable, Writable } from "node:stream";
import { UsageError } from "../usage/flag-values.ts";

export interface Question {
  /** Ends without a colon; what is proposed stands behind it in brackets. */
  readonly text: string;
  /** Taken on Enter; null where an answer is needed. Knows the answers so far. */
  propose(answers: readonly string[]): string | null | Promise<string | null>;
  /** Throws UsageError, which is shown, and the question comes again. */
  check(answer: string): unknown;
}

/** The answers, in the order of the questions; null after Ctrl-C or Ctrl-D, with the terminal as it was. */
export async function ask(
  questions: readonly Question[],
  input: Readable,
  output: Writable,
): Promise<readonly string[] | null> {
  const editor = readline.createInterface({ input, output, terminal: true });
  const lines = new Lines(editor);
  try {
    const answers: string[] = [];
    for (const question of questions) {
      const answer = await answered(question, answers, editor, lines, output);
      if (answer === null) return null;
      answers.push(answer);
    }
    return answers;
  } finally {
    editor.close();
  }
}

async function answered(
  { text, propose, check }: Question,
  answers: readonly string[],
  editor: readline.Interface,
  lines: Lines,
  output: Writable,
): Promise<string | null> {
  const proposed = await propose(answers);
  editor.setPrompt(`${text}${proposed === null ? "" : ` [${proposed}]`}: `);
  for (;;) {
    if (!lines.ended) editor.prompt();
    const line = await lines.next();
    if (line === null) {
      output.write("\n");
      return null;
    }
    const answer = line.trim() === "" ? proposed : line.trim();
    try {
      if (answer === null) throw new UsageError("an answer is needed");
      check(answer);
      return answer;
    } catch (error) {
      if (!(error instanceof UsageError)) throw error;
      output.write(`  ${error.message}\n`);
    }
  }
}

class Lines {
  readonly #waiting: string[] = [];
  /** Nothing will come any more; what waits can still be taken. */
  ended = false;
  #next: ((line: string | null) => void) | null = null;

  constructor(editor: readline.Interface) {
    editor.on("line", (line) => {
      if (this.#next === null) this.#waiting.push(line);
      else this.#answer(line);
    });
    const end = () => {
      this.ended = true;
      this.#answer(null);
    };
    editor.on("SIGINT", end);
    editor.on("close", end);
    // A terminal that is gone reports an error.
    editor.on("error", end);
  }

  /** null when there are no more. */
  next(): Promise<string | null> {
    const line = this.#waiting.shift();
    if (line !== undefined) return Promise.resolve(line);
    if (this.ended) return Promise.resolve(null);
    return new Promise((resolve) => {
      this.#next = resolve;
    });
  }

  #answer(line: string | null): void {
    this.#next?.(line);
    this.#next = null;
  }
}
