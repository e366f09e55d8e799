/** The line editor: what each key does, what the caller is asked, and what holds whatever is pressed. */
import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { type Completer, completerOf } from "../../../src/cli/editor/completer.ts";
import { type Action, asksToQuit, press, withDraft } from "../../../src/cli/editor/editor.ts";
import { found } from "../../../src/cli/editor/history-search.ts";
import { type Key, KeyReader } from "../../../src/cli/editor/keys.ts";
import { type Editor, newEditor } from "../../../src/cli/editor/state.ts";
import { processorMs } from "../processor-time.ts";

const PASTE = "<paste:";

/** Text and keys: `hello <C-a>`, `<paste:…>`. */
function keysOf(script: string): Key[] {
  return (script.match(/<paste:[^>]*>|<[CMS]-.>|<[\w-]+>|[^<]+/g) ?? []).map((piece) => {
    if (piece.startsWith(PASTE)) return { is: "paste", text: piece.slice(PASTE.length, -1) };
    return piece.startsWith("<") ? { is: "press", name: piece.slice(1, -1) } : { is: "text", text: piece };
  });
}

function play(script: string, from: Editor = newEditor(), complete?: Completer): { editor: Editor; actions: Action[] } {
  let editor = from;
  const actions: Action[] = [];
  for (const key of keysOf(script)) {
    const step = press(editor, key, complete);
    editor = step.editor;
    if (step.action !== null) actions.push(step.action);
  }
  return { editor, actions };
}

/** The text with the cursor in it. */
function shown({ text, cursor }: Editor): string {
  return `${text.slice(0, cursor)}|${text.slice(cursor)}`;
}

const FAMILY = "👩‍👩‍👧‍👦";

describe("keys", () => {
  const KNOWN: readonly [string, string, string][] = [
    ["text goes in at the cursor", "ac<left>b", "ab|c"],
    ["start and end", "bc<C-a>a<C-e>d", "abcd|"],
    ["Home and End", "bc<home>a<end>d", "abcd|"],
    ["left and right stop at the ends", "ab<left><left><left>", "|ab"],
    ["right stops at the end", "ab<C-b><C-f><C-f>", "ab|"],
    ["words back", "one two_2  drei, vier<M-b><C-left>", "one two_2  |drei, vier"],
    ["words on", "one, two three<home><M-f><C-right>", "one, two| three"],
    ["words of other scripts", "naïve Привет <M-b>", "naïve |Привет "],
    ["backspace", "abc<left><backspace>", "a|c"],
    ["backspace at the start", "abc<home><C-h>", "|abc"],
    ["delete", "abc<home><delete><C-d>", "|c"],
    ["delete at the end", "abc<delete>", "abc|"],
    [
      "a character is what a person takes for one",
      `a${FAMILY}🇩🇪e\u0301字<left><left><left><backspace>`,
      "a|🇩🇪e\u0301字",
    ],
    ["delete takes a flag whole", "🇩🇪🇫🇷<home><delete>", "|🇫🇷"],
    ["a mark typed later joins its letter", "ae<left><left><right><right>\u0301<left>", "a|e\u0301"],
    ["the cursor is never within what has grown together", "\u0301<home>e", "e\u0301|"],
    ["kill to the end, yank", "one two<M-b><C-k><home><C-y>", "two|one "],
    ["kill to the start", "one two<left><C-u>", "|o"],
    ["Ctrl-W kills to a blank", "cd /usr/lib  <C-w>", "cd |"],
    ["Alt-Backspace kills a word", "cd /usr/lib<M-backspace>", "cd /usr/|"],
    ["Alt-D kills a word on", "one two<home><M-d>", "| two"],
    ["kills in a row are one, in the order of the text", "one two three<M-b><C-k><C-w><C-w><C-y>", "one two three|"],
    ["a key between makes two of them", "one two<C-w><left><C-w><C-e><C-y>", " one|"],
    ["yank with nothing killed", "a<C-y><M-y>", "a|"],
    ["older kills instead", "one<C-u>two<C-u>three<C-u><C-y><M-y>", "two|"],
    ["older kills go round", "one<C-u>two<C-u><C-y><M-y><M-y>", "two|"],
    ["older kills only after a yank", "one<C-u>two<C-u>x<M-y>", "x|"],
    ["older kills leave what grew together with the yanked alone", "e<C-u>a<C-u>\u0301<home><C-y><M-y>", "e\u0301|"],
    ["transpose at the end", "abc<C-t>", "acb|"],
    ["transpose in the middle moves on", "abcd<home><right><C-t>", "ba|cd"],
    ["transpose whole characters", `a${FAMILY}<C-t>`, `${FAMILY}a|`],
    ["transpose needs two", "a<C-t><home><C-t>", "|a"],
    ["undo takes a run of typing back", "one<C-w>two<C-_>", "|"],
    ["undo goes on", "one two<C-w><C-_><C-_>", "|"],
    ["undo of a kill", "one two<C-w><C-_>", "one two|"],
    ["undo brings the cleared line back", "one<C-c><C-_>", "one|"],
    ["Alt-Enter begins a line", "one<M-enter>two", "one\ntwo|"],
    ["unknown keys do nothing", "one<f13><pageup><escape><C-g>", "one|"],
  ];
  for (const [what, script, after] of KNOWN) test(what, () => expect(shown(play(script).editor)).toBe(after));
});

describe("what the caller is asked", () => {
  test("Enter sends, and the next draft is empty; nothing or blanks are not sent", () => {
    const { editor, actions } = play("hello<enter>  <enter><enter>you<C-j>");
    expect(actions).toEqual([
      { do: "send", text: "hello" },
      { do: "send", text: "you" },
    ]);
    expect(shown(editor)).toBe("|");
  });

  test("Enter in the middle sends all of it", () => {
    expect(play("hello<left><left><enter>").actions).toEqual([{ do: "send", text: "hello" }]);
  });

  test("Ctrl-C clears and asks, at once again quits", () => {
    const once = play("one<C-c>");
    expect(shown(once.editor)).toBe("|");
    expect(asksToQuit(once.editor)).toBe(true);
    expect(once.actions).toEqual([]);
    expect(play("<C-c>", once.editor).actions).toEqual([{ do: "quit" }]);
    const between = play("x", once.editor);
    expect(asksToQuit(between.editor)).toBe(false);
    expect(play("<backspace><C-c>", between.editor).actions).toEqual([]);
    expect(asksToQuit(play("<escape>", once.editor).editor)).toBe(false);
  });

  test("Ctrl-D quits on an empty draft only", () => {
    expect(play("a<C-d><left><C-d>").actions).toEqual([]);
    expect(play("a<left><C-d><C-d>").actions).toEqual([{ do: "quit" }]);
  });

  test("Ctrl-L redraws, Ctrl-Z suspends, the draft stays", () => {
    const { editor, actions } = play("one<left><C-l><C-z>");
    expect(actions).toEqual([{ do: "redraw" }, { do: "suspend" }]);
    expect(shown(editor)).toBe("on|e");
  });
});

describe("a draft of several lines", () => {
  test("a paste is one draft and one message, without the newline at its end", () => {
    const { editor, actions } = play("say: <paste:one\ntwo\n\nthree\n>");
    expect(actions).toEqual([]);
    expect(shown(editor)).toBe("say: one\ntwo\n\nthree\n|");
    expect(play("<enter>", editor).actions).toEqual([{ do: "send", text: "say: one\ntwo\n\nthree" }]);
  });

  test("is edited as one row", () => {
    expect(shown(play("<paste:one\ntwo><C-a>x<C-e>y<left><C-u>").editor)).toBe("|y");
  });

  test("a paste is undone whole", () => {
    expect(shown(play("a<paste:one\ntwo>b<C-_><C-_>").editor)).toBe("a|");
  });

  test("forty lines arrive through the terminal as one", () => {
    const lines = Array.from({ length: 40 }, (_, i) => `line ${i}`);
    const keys = new KeyReader().push(new TextEncoder().encode(`\x1b[200~${lines.join("\r")}\x1b[201~\r`));
    const actions = keys.reduce<[Editor, Action[]]>(
      ([editor, all], key) => {
        const step = press(editor, key);
        return [step.editor, step.action === null ? all : [...all, step.action]];
      },
      [newEditor(), []],
    )[1];
    expect(actions).toEqual([{ do: "send", text: lines.join("\n") }]);
  });
});

test("[L6] characters that some line editors split at stay in the line", () => {
  const text = "one\u2028two\u2029three\u0085four";
  // U+0085 comes in pastes only: typed it is a control character, and no key.
  const typed = new KeyReader().push(new TextEncoder().encode(`\x1b[200~${text}\x1b[201~one\u2028two\u2029\r`));
  let editor = newEditor();
  const actions: Action[] = [];
  for (const key of typed) {
    const step = press(editor, key);
    editor = step.editor;
    if (step.action !== null) actions.push(step.action);
  }
  expect(actions).toEqual([{ do: "send", text: `${text}one\u2028two\u2029` }]);
});

test("a message that was refused is a draft again", () => {
  const { editor } = play("too much<enter>");
  expect(shown(withDraft(editor, "too much"))).toBe("too much|");
});

describe("the history", () => {
  const OLD = newEditor(["first", "second", "third"]);

  test("is walked with Up and Down, and the draft is kept", () => {
    expect(shown(play("dra<up>", OLD).editor)).toBe("third|");
    expect(shown(play("dra<up><C-p><up><up>", OLD).editor)).toBe("first|");
    expect(shown(play("dra<up><up><down><C-n><down>", OLD).editor)).toBe("dra|");
    expect(shown(play("dra<M-<>", OLD).editor)).toBe("first|");
    expect(shown(play("dra<M-<><M->>", OLD).editor)).toBe("dra|");
  });

  test("keeps what was edited in it until something is sent; what was sent stays as it was sent", () => {
    const { editor } = play("dra<up>!<up>?<down>", OLD);
    expect(shown(editor)).toBe("third!|");
    expect(shown(play("<down>", editor).editor)).toBe("dra|");
    const sent = play("<enter>", editor);
    expect(sent.actions).toEqual([{ do: "send", text: "third!" }]);
    expect(sent.editor.history).toEqual(["first", "second", "third", "third!"]);
    expect(shown(play("<up><up><up>", sent.editor).editor)).toBe("second|");
    expect(shown(play("<up><down>", sent.editor).editor)).toBe("|");
  });

  test("after Ctrl-C it is as it was sent", () => {
    expect(shown(play("dra<up>!<up>?<C-c><up>", OLD).editor)).toBe("third|");
    expect(shown(play("dra<up>!<C-c><up><down>", OLD).editor)).toBe("|");
  });

  test("does not repeat itself, and forgets the oldest", () => {
    expect(play("a<enter>a<enter>b<enter>a<enter>").editor.history).toEqual(["a", "b", "a"]);
    const many = Array.from({ length: 1500 }, (_, i) => `${i}`);
    const { editor } = play("last<enter>", newEditor(many));
    expect(editor.history.length).toBe(1000);
    expect(shown(play("<up><up>", editor).editor)).toBe("1499|");
  });

  test("keeps what was killed before", () => {
    expect(shown(play("one<C-u>two<enter><C-y>").editor)).toBe("one|");
  });
});

describe("search", () => {
  const OLD = newEditor(["make tea", "drink tea", "Make coffee", "drink coffee", "drink coffee"]);
  const line = (editor: Editor) => (editor.search === null ? null : found(editor.search, editor.history)?.text);

  test("every character narrows it, Ctrl-R goes to older lines, Ctrl-S back", () => {
    expect(line(play("<C-r>", OLD).editor)).toBeUndefined();
    expect(line(play("<C-r>m", OLD).editor)).toBe("Make coffee");
    expect(line(play("<C-r>make t", OLD).editor)).toBe("make tea");
    expect(line(play("<C-r>drink", OLD).editor)).toBe("drink coffee");
    expect(line(play("<C-r>drink<C-r>", OLD).editor)).toBe("drink tea");
    expect(line(play("<C-r>drink<C-r><C-s>", OLD).editor)).toBe("drink coffee");
    expect(line(play("<C-r>drink t<backspace>", OLD).editor)).toBe("drink coffee");
  });

  test("what is not found says so, and keeps the last match", () => {
    const { editor } = play("<C-r>tea!", OLD);
    expect(editor.search).toEqual({ query: "tea!", place: 1, failed: true });
    expect(play("<backspace>", editor).editor.search).toEqual({ query: "tea", place: 1, failed: false });
    expect(play("<C-r>make<C-r><C-r>", OLD).editor.search).toEqual({ query: "make", place: 0, failed: true });
  });

  test("Enter sends the match, Escape takes it, other keys take it and do what they do", () => {
    expect(play("<C-r>tea<enter>", OLD).actions).toEqual([{ do: "send", text: "drink tea" }]);
    expect(shown(play("dra<C-r>tea<escape>", OLD).editor)).toBe("drink |tea");
    expect(shown(play("dra<C-r>tea<C-e>!", OLD).editor)).toBe("drink tea!|");
    expect(shown(play("dra<C-r>tea<up>", OLD).editor)).toBe("make tea|");
    expect(shown(play("dra<C-r>coffee<escape><M->>", OLD).editor)).toBe("dra|");
  });

  test("Ctrl-G and Ctrl-C leave the draft and its cursor as they were", () => {
    for (const key of ["<C-g>", "<C-c>"]) {
      const { editor, actions } = play(`dra<left><C-r>tea${key}`, OLD);
      expect(shown(editor)).toBe("dr|a");
      expect(asksToQuit(editor)).toBe(false);
      expect(actions).toEqual([]);
    }
  });

  test("nothing found: Enter does not send the draft behind it", () => {
    const { editor, actions } = play("dra<C-r>quux<enter>", OLD);
    expect(actions).toEqual([]);
    expect(shown(editor)).toBe("dra|");
  });

  test("a line that was edited since is found as it was sent", () => {
    expect(shown(play("<up><up> and cake<C-r>tea<C-r><C-s><escape>", OLD).editor)).toBe("drink |tea");
    expect(shown(play("<up>s<C-r>coff<escape>", OLD).editor)).toBe("drink |coffee");
    expect(shown(play("<up>s<C-r>coff<escape><C-_>", OLD).editor)).toBe("drink coffees|");
  });
});

describe("completion", () => {
  const complete = completerOf({
    commands: ["/status", "/help", "/history", "/join", "/who"],
    rooms: ["general", "games", "the hall"],
    names: ["alice", "Alfred", "bob", "böb"],
  });
  const tab = (script: string) => play(script, newEditor(), complete);

  test("one candidate is taken with what follows it", () => {
    expect(shown(tab("/st<tab>").editor)).toBe("/status |");
    expect(shown(tab("ali<tab>").editor)).toBe("alice: |");
    expect(shown(tab("hi ALI<tab>").editor)).toBe("hi alice |");
    expect(shown(tab("hi @bo<tab>").editor)).toBe("hi @bob |");
    expect(shown(tab("/join ge<tab>").editor)).toBe("/join general |");
    expect(shown(tab("/join ge<tab><tab>").editor)).toBe("/join general |");
    expect(shown(tab("/leave the h<tab>").editor)).toBe("/leave the hall |");
    expect(shown(tab("xali<left><left><left><C-k> end<home><delete>al<tab>").editor)).toBe("al| end");
  });

  test("of several what they have in common, and they are shown; then each in turn", () => {
    const first = tab("/h<tab>");
    expect(shown(first.editor)).toBe("/h|");
    expect(first.actions).toEqual([{ do: "candidates", candidates: ["/help ", "/history "] }]);
    expect(shown(tab("/h<tab><tab>").editor)).toBe("/help |");
    expect(shown(tab("/h<tab><tab><tab>").editor)).toBe("/history |");
    expect(shown(tab("/h<tab><tab><tab><tab>").editor)).toBe("/help |");
    expect(shown(tab("/h<tab><S-tab>").editor)).toBe("/history |");
    expect(shown(tab("/join g<tab>").editor)).toBe("/join g|");
    expect(shown(tab("/join <tab><tab>").editor)).toBe("/join general |");
    expect(shown(play("x<tab>", newEditor(), () => ({ from: 0, candidates: ["xyz1", "xyz2"] })).editor)).toBe("xyz|");
  });

  test("typing on ends it; undo takes all of it back", () => {
    expect(shown(tab("/h<tab><tab>x<tab>").editor)).toBe("/help x|");
    expect(shown(tab("/h<tab><tab><tab><C-_>").editor)).toBe("/h|");
  });

  test("nothing fits: nothing happens", () => {
    expect(tab("hello zo<tab>")).toEqual(tab("hello zo<unknown>"));
    expect(shown(tab("ali<S-tab>").editor)).toBe("ali|");
    expect(shown(play("ali<tab>").editor)).toBe("ali|");
  });
});

// ── what holds whatever is pressed ───────────────────────────────────────────────────────────────────────────────────

const NAMES = [
  ...[
    "enter",
    "M-enter",
    "C-a",
    "C-e",
    "left",
    "right",
    "M-b",
    "M-f",
    "backspace",
    "delete",
    "C-d",
    "C-k",
    "C-u",
    "C-w",
  ],
  ...["M-d", "M-backspace", "C-y", "M-y", "C-t", "C-_", "up", "down", "M-<", "M->", "C-r", "C-s", "C-g", "escape"],
  ...["tab", "S-tab", "C-c", "C-l", "C-z", "unknown"],
];
const TEXTS = [
  "a",
  "B",
  " ",
  "word",
  "字",
  "e\u0301",
  "\u0301",
  "\u200d",
  "👩",
  FAMILY,
  "🇩",
  "🇩🇪",
  "🏽",
  "\n",
  "\t",
  "한",
  "ᄒ",
  "ᅡ",
  "İ",
];
const keys: fc.Arbitrary<Key> = fc.oneof(
  fc.constantFrom(...NAMES).map((name): Key => ({ is: "press", name })),
  fc.constantFrom(...TEXTS).map((text): Key => ({ is: "text", text })),
  fc.string({ unit: "binary" }).map((text): Key => ({ is: "paste", text })),
);
const EDGES = new Intl.Segmenter("en", { granularity: "grapheme" });

test("the cursor is always within the text, at the edge of a character; what is sent was shown", () => {
  const complete = completerOf({ commands: ["/help", "/history"], rooms: ["a"], names: ["word", "Wörter", FAMILY] });
  fc.assert(
    fc.property(fc.array(keys, { maxLength: 60 }), (pressed) => {
      let editor = newEditor(["older 字 line", "B e\u0301"]);
      for (const key of pressed) {
        const before = editor;
        const { editor: after, action } = press(before, key, complete);
        const edges = [...EDGES.segment(after.text)].map((s) => s.index);
        expect([...edges, after.text.length]).toContain(after.cursor);
        expect(after.place).toBeLessThanOrEqual(after.history.length);
        if (action?.do === "send" && before.search === null) expect(before.text.startsWith(action.text)).toBe(true);
        if (action?.do === "quit") expect(key).toMatchObject({ is: "press", name: expect.stringMatching(/^C-[cd]$/) });
        editor = after;
      }
    }),
    { numRuns: 500 },
  );
});

test("undone often enough, the draft is empty as it began", () => {
  const editing = NAMES.filter((name) => !["enter", "up", "down", "M-<", "M->", "C-r", "C-s"].includes(name));
  const edits = fc.oneof(
    keys.filter((key) => key.is !== "press"),
    fc.constantFrom(...editing).map((name): Key => ({ is: "press", name })),
  );
  fc.assert(
    fc.property(fc.array(edits, { maxLength: 40 }), (pressed) => {
      let editor = newEditor();
      for (const key of pressed) editor = press(editor, key).editor;
      for (const _ of pressed) editor = press(editor, { is: "press", name: "C-_" }).editor;
      expect(editor.text).toBe("");
    }),
  );
});

test("any cut of the bytes leads to the same draft", () => {
  const input = [
    "a",
    " ",
    "字",
    FAMILY,
    "\x17",
    "\x19",
    "\x1by",
    "\x1b[D",
    "\x1bb",
    "\x1f",
    "\x7f",
    "\x1b[200~x\ry\x1b[201~",
    "\r",
  ];
  const typed = (chunks: readonly Uint8Array[]): Editor => {
    const reader = new KeyReader();
    let editor = newEditor();
    for (const chunk of chunks) for (const key of reader.push(chunk)) editor = press(editor, key).editor;
    return editor;
  };
  fc.assert(
    fc.property(fc.array(fc.constantFrom(...input)), (pieces) => {
      const bytes = new TextEncoder().encode(pieces.join(""));
      expect(typed([...bytes].map((byte) => Uint8Array.of(byte)))).toEqual(typed([bytes]));
    }),
    { numRuns: 300 },
  );
});

test("a draft of the largest message is edited in no noticeable time", () => {
  let editor = play(`<paste:${"字 e\u0301👋🏽 ".repeat(4096)}>`).editor;
  const taken = processorMs(() => {
    for (const key of keysOf("x<left><backspace><M-b><M-f><C-w><C-_><C-a>y<C-e><C-t>"))
      editor = press(editor, key).editor;
  });
  expect(taken).toBeLessThan(500);
  expect(editor.text.length).toBeGreaterThan(30_000);
});
