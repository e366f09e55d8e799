/**
 * Questions at a terminal, one after another: Enter takes what is proposed, a wrong answer is explained and asked again.
 * Lines typed ahead answer the questions to come. An invitation is not shown, and may be pasted in several lines.
 */
import * as readline from "node:readline";
import { type Readable, Writable } from "node:stream";
import { isInvitation, parseInvitation } from "../../wire/invitation.ts";
import { UsageError } from "../usage/flag-values.ts";

export interface Question {
  /** Ends without a colon; what is proposed stands behind it in brackets. */
  readonly text: string;
  /** Not asked, and answered with "", where this says so. Knows the answers so far. */
  skips?(answers: readonly string[]): boolean;
  /** Taken on Enter; null where an answer is needed. Knows the answers so far. */
  propose(answers: readonly string[]): string | null | Promise<string | null>;
  /** Throws UsageError, or rejects with it: it is shown, and the question comes again. */
  check(answer: string): unknown;
}

/** The answers, in the order of the questions; null after Ctrl-C or Ctrl-D, with the terminal as it was. */
export async function ask(
  questions: readonly Question[],
  input: Readable,
  output: Writable,
): Promise<readonly string[] | null> {
  const screen = new Screen(output);
  const editor = readline.createInterface({ input, output: screen, terminal: true });
  screen.typed = () => editor.line;
  const lines = new Lines(editor, screen);
  try {
    const answers: string[] = [];
    for (const question of questions) {
      const isSkipped = question.skips?.(answers) === true;
      const answer = isSkipped ? "" : await answered(question, answers, editor, lines, screen);
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
  screen: Screen,
): Promise<string | null> {
  const proposed = await propose(answers);
  editor.setPrompt(`${text}${proposed === null ? "" : ` [${proposed}]`}: `);
  /** The first lines of an invitation that is not whole yet. */
  let begun = "";
  for (;;) {
    if (!lines.ended) editor.prompt();
    const line = await lines.next();
    if (line === null) {
      screen.say("\n");
      return null;
    }
    const typed = joined(begun, line);
    begun = isBegun(typed) ? typed : "";
    // The rest of it was pasted, too.
    if (begun !== "" && lines.waiting !== null && !isInvitation(lines.waiting)) continue;
    const answer = typed === "" ? proposed : typed;
    try {
      if (answer === null) throw new UsageError("an answer is needed");
      await check(answer);
      return answer;
    } catch (error) {
      if (!(error instanceof UsageError)) throw error;
      screen.say(`  ${error.message}\n`);
      begun = "";
    }
  }
}

/** A line, behind what it goes on with. */
function joined(begun: string, line: string): string {
  return isInvitation(line.trim()) ? line.trim() : begun + line.trim();
}

function isBegun(text: string): boolean {
  return isInvitation(text) && !parseInvitation(text).ok;
}

/** What the line editor shows, but for a secret. */
class Screen extends Writable {
  readonly #output: Writable;
  typed = () => "";
  /** The lines before, of an invitation that is not whole yet. */
  #begun = "";

  constructor(output: Writable) {
    super();
    this.#output = output;
  }

  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    const isSecret = isInvitation(this.#begun + this.typed().trimStart());
    // The end of a line is shown all the same.
    if (!isSecret || /^\r?\n$/.test(chunk.toString())) this.#output.write(chunk);
    done();
  }

  /** Lines may come faster than they are taken. */
  onLine(line: string): void {
    const typed = joined(this.#begun, line);
    this.#begun = isBegun(typed) ? typed : "";
  }

  say(text: string): void {
    this.#begun = "";
    this.#output.write(text);
  }
}

class Lines {
  readonly #waiting: string[] = [];
  /** Nothing will come any more; what waits can still be taken. */
  ended = false;
  #next: ((line: string | null) => void) | null = null;

  constructor(editor: readline.Interface, screen: Screen) {
    editor.on("line", (line) => {
      screen.onLine(line);
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

  /** The next one, if it is there. */
  get waiting(): string | null {
    return this.#waiting[0]?.trim() ?? null;
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
