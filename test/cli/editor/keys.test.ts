/** Bytes of a keyboard as keys: what the common terminals send, cut anywhere, and what is no key. */
import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { type Key, KeyReader } from "../../../src/cli/editor/keys.ts";

const bytesOf = (input: string) => new TextEncoder().encode(input);

/** In the notation `<name>`; pastes as `<paste:…>`. Runs of text are put together. */
function told(keys: readonly Key[]): string {
  return keys
    .map((key) => (key.is === "text" ? key.text : key.is === "paste" ? `<paste:${key.text}>` : `<${key.name}>`))
    .join("");
}

/** What is told after these bytes, and after a silence. */
function read(input: string | Uint8Array): string {
  const reader = new KeyReader();
  return told([...reader.push(typeof input === "string" ? bytesOf(input) : input), ...silence(reader)]);
}

/** Long enough for all that a silence may mean. */
function silence(reader: KeyReader): Key[] {
  const keys: Key[] = [];
  while (reader.patienceMs !== null) keys.push(...reader.lapse());
  return keys;
}

/** Pieces with a silence after each, of `lapses` patiences. */
function readSlowly(pieces: readonly string[], lapses = 1): string {
  const reader = new KeyReader();
  return told(
    pieces.flatMap((piece) => {
      const keys = reader.push(bytesOf(piece));
      for (let i = 0; i < lapses && reader.patienceMs !== null; i++) keys.push(...reader.lapse());
      return keys;
    }),
  );
}

describe("keys", () => {
  const KNOWN: readonly [string, string, string][] = [
    ["Enter, Tab, Backspace", "\r\t\x7f", "<enter><tab><backspace>"],
    ["Ctrl and letters", "\x01\x02\x08\x0a\x1a", "<C-a><C-b><C-h><C-j><C-z>"],
    ["Ctrl and others", "\0\x1c\x1d\x1e\x1f", "<C-space><C-\\><C-]><C-^><C-_>"],
    ["Alt", "\x1bb\x1b<\x1b\x7f\x1b\r\x1b\x08\x1bé", "<M-b><M-<><M-backspace><M-enter><C-M-h><M-é>"],
    ["arrows, Home, End (CSI)", "\x1b[A\x1b[B\x1b[C\x1b[D\x1b[H\x1b[F", "<up><down><right><left><home><end>"],
    ["arrows, Home, End (SS3)", "\x1bOA\x1bOB\x1bOC\x1bOD\x1bOH\x1bOF", "<up><down><right><left><home><end>"],
    [
      "by number",
      "\x1b[1~\x1b[3~\x1b[4~\x1b[5~\x1b[6~\x1b[7~\x1b[8~",
      "<home><delete><end><pageup><pagedown><home><end>",
    ],
    ["with modifiers", "\x1b[1;5D\x1b[1;3C\x1b[1;2A\x1b[3;5~\x1b[1;7D", "<C-left><M-right><S-up><C-delete><C-M-left>"],
    ["Shift-Tab", "\x1b[Z", "<S-tab>"],
    ["Alt told by an ESC before", "\x1b\x1b[D\x1b\x1bOC", "<M-left><M-right>"],
    ["rxvt's Ctrl", "\x1b[3^\x1bOd", "<C-delete><C-left>"],
    ["the keypad's Enter", "\x1bOM", "<enter>"],
    [
      "CSI u",
      "\x1b[97;5u\x1b[13;3u\x1b[27u\x1b[127;5u\x1b[233u\x1b[98;3u",
      "<C-a><M-enter><escape><C-backspace>é<M-b>",
    ],
    ["modifyOtherKeys", "\x1b[27;5;99~\x1b[27;2;13~\x1b[27;2;9~", "<C-c><S-enter><S-tab>"],
    ["kitty's kinds of events", "\x1b[1;5:1D", "<C-left>"],
    ["focus", "\x1b[I\x1b[O", "<focus-in><focus-out>"],
  ];
  for (const [what, bytes, keys] of KNOWN) test(what, () => expect(read(bytes)).toBe(keys));

  test("text of every script, and characters at which line editors have been known to split", () => {
    const text = "naïve 字 👩‍👩‍👧‍👦 🇩🇪 e\u0301 one\u2028two\u2029three \ufeff";
    expect(read(text)).toBe(text);
  });
});

describe("Escape", () => {
  test("alone it is known when nothing follows; before that nothing is told", () => {
    const reader = new KeyReader();
    expect(reader.patienceMs).toBeNull();
    expect(reader.push(bytesOf("a\x1b"))).toEqual([{ is: "text", text: "a" }]);
    expect(reader.patienceMs).toBe(100);
    expect(reader.lapse()).toEqual([{ is: "press", name: "escape" }]);
    expect(silence(reader)).toEqual([]);
    expect(reader.patienceMs).toBeNull();
  });

  test("twice is once, and the next key stands for itself", () => {
    const reader = new KeyReader();
    expect(told([...reader.push(bytesOf("\x1b\x1b")), ...reader.lapse(), ...reader.push(bytesOf("b"))])).toBe(
      "<escape>b",
    );
  });
});

describe("a line that holds things up", () => {
  test("a sequence cut anywhere is never text", () => {
    for (const sequence of ["\x1b[A", "\x1bOA", "\x1b[1;5D", "\x1b[3~", "\x1b[97;5u", "\x1b[I"]) {
      for (let cut = 1; cut < sequence.length; cut++) {
        const keys = readSlowly([sequence.slice(0, cut), sequence.slice(cut)]);
        expect(keys.replace("<escape>", "")).toBe(read(sequence));
      }
    }
    expect(readSlowly(["\x1b", "[", "A"])).toBe("<escape>[A");
  });

  test("a start of a paste that arrives in pieces is still a start", () => {
    expect(readSlowly(["\x1b", "[200~one\rtwo\x1b[201~"])).toBe("<escape><paste:one\ntwo>");
    expect(readSlowly(["\x1b[2", "00~one\rtwo\x1b[201~"])).toBe("<paste:one\ntwo>");
  });

  test("Escape, and then a bracket or a word, is just that", () => {
    expect(readSlowly(["\x1b", "["], 2)).toBe("<escape>[");
    expect(readSlowly(["\x1b", "Once"])).toBe("<escape>Once");
    expect(readSlowly(["\x1b", "[x]"])).toBe("<escape>[x]");
    expect(readSlowly(["\x1b", "OA"], 2)).toBe("<escape>OA");
  });

  test("a reply of the terminal that is cut is no text; a key breaks it off", () => {
    expect(readSlowly(["\x1b]11;rgb:1e1e/", "\x1b\\a"])).toBe("<M-\\>a");
    expect(read("\x1b]11;rgb\r")).toBe("<enter>");
  });
});

describe("kitty's keyboard protocol, left on by another program", () => {
  const PRESSED: readonly [string, string, string][] = [
    ["a release is no press", "\x1b[97;1:1u\x1b[97;1:3u\x1b[13;1:3u\x1b[1;1:3A\x1b[3;1:3~", "a"],
    ["a key that is held is pressed again", "\x1b[97;1:2u\x1b[1;1:2A", "a<up>"],
    ["Shift makes capitals", "\x1b[97;2u\x1b[233;2u", "AÉ"],
    ["Shift as the terminal tells it", "\x1b[49:33;2u\x1b[47;2;63u\x1b[97:65;2:1u", "!?A"],
    ["Shift and others", "\x1b[13;2u\x1b[9;2u\x1b[97;6u", "<S-enter><S-tab><C-a>"],
    ["Shift alone is no key", "\x1b[57441;2:1u\x1b[57441;1:3u", ""],
  ];
  for (const [what, bytes, keys] of PRESSED) test(what, () => expect(read(bytes)).toBe(keys));
});

describe("bracketed paste", () => {
  test("several lines are one key, whatever ends them; nothing in it is obeyed", () => {
    expect(read("a\x1b[200~one\rtwo\r\nthree\nfour\x1b[201~b")).toBe("a<paste:one\ntwo\nthree\nfour>b");
    expect(read("\x1b[200~\x03\x1b[A\x1b[200~\x1b[20\x1b[201~")).toBe("<paste:\x03\x1b[A\x1b[200~\x1b[20>");
    expect(read("\x1b[200~\x1b[201~")).toBe("<paste:>");
  });

  test("an end without a start is nothing", () => {
    expect(read("a\x1b[201~b")).toBe("ab");
  });

  test("a paste that stalls is shown as far as it came, and goes on as a paste: no line of it is sent", () => {
    const reader = new KeyReader();
    expect(reader.push(bytesOf("\x1b[200~one\rtw"))).toEqual([]);
    expect([reader.patienceMs, reader.hasStalled]).toEqual([2000, false]);
    expect(reader.lapse()).toEqual([{ is: "paste", text: "one\ntw" }]);
    expect([reader.patienceMs, reader.hasStalled]).toEqual([null, true]);
    expect(told([...reader.push(bytesOf("o\rthree\r\x1b[20")), ...reader.lapse()])).toBe("<paste:o\nthree\n>");
    expect(told(reader.push(bytesOf("1~\r")))).toBe("<paste:><enter>");
    expect(reader.hasStalled).toBe(false);
  });

  test("a paste whose end is lost is ended by Ctrl-C; then keys are keys", () => {
    const reader = new KeyReader();
    expect(told([...reader.push(bytesOf("\x1b[200~one\x03")), ...reader.lapse()])).toBe("<paste:one\x03>");
    expect(told(reader.push(bytesOf("two\x03\r")))).toBe("<paste:two><C-c><enter>");
  });

  test("a megabyte of near-ends of a paste is read quickly", () => {
    const text = "\x1b[201".repeat(200_000);
    expect(read(`\x1b[200~${text}\x1b[201~`)).toBe(`<paste:${text}>`);
  });
});

describe("what is no key", () => {
  const GARBAGE: readonly [string, string][] = [
    ["unknown sequences, function keys", "\x1b[15~\x1bOP\x1b[?1;2c\x1b[>0;276;0c\x1b[200$~\x1b[99~"],
    ["a mouse (SGR), the cursor's position", "\x1b[<0;10;20M\x1b[<0;10;20m\x1b[12;40R"],
    ["replies: colours, names, modes", "\x1b]11;rgb:1e1e/1e1e/1e1e\x1b\\\x1b]10;x\x07\x1bP1+r544e\x1b\\\x1b[?2026;2$y"],
    ["the Linux console's function keys", "\x1b[[A\x1b[[E"],
    ["C1 controls", "\u0080\u009b\u009f"],
    ["codes that are no characters", "\x1b[57441;5u\x1b[99999999u\x1b[55296u\x1b[;5u\x1b[27;5~"],
    ["a sequence without end", `\x1b[${"1;".repeat(1000)}`],
    ["strings without end", "\x1b]0;never ended"],
  ];
  for (const [what, bytes] of GARBAGE) test(what, () => expect(read(bytes)).toBe(""));

  test("broken UTF-8 is left out, what is around it stays", () => {
    expect(read(new Uint8Array([0x61, 0xff, 0x62, 0xc3, 0x28, 0xf0, 0x9f, 0x91, 0x63]))).toBe("ab(c");
  });

  test("a key that breaks a sequence off is obeyed", () => {
    expect(read("\x1b[1;\x03")).toBe("<C-c>");
    expect(read("\x1b[12\x1b[A")).toBe("<up>");
    expect(read("\x1b]0;title\x1b[A")).toBe("<up>");
    expect(read("\x1b[1é")).toBe("é");
  });
});

const PIECES = [
  ...["a", "é", "字", "👩‍👩‍👧", "\r", "\t", "\x03", "\x1b", "\x1b[A", "\x1b[1;5D", "\x1bOH", "\x1bb", "\x1b\x7f"],
  ...["\x1b[200~", "\x1b[201~", "\x1b[97;5u", "\x1b]11;x\x07", "\x1b\\", "[", "O", "~", ";", "1", "\u2028", "\x1b[["],
];

test("any cut of the input gives the same keys", () => {
  const input = fc.oneof(
    fc.array(fc.constantFrom(...PIECES)).map((pieces) => bytesOf(pieces.join(""))),
    fc.uint8Array({ maxLength: 64 }),
  );
  fc.assert(
    fc.property(input, fc.array(fc.nat({ max: 80 })), (bytes, cuts) => {
      const reader = new KeyReader();
      const places = [0, ...cuts.map((cut) => Math.min(cut, bytes.length)).sort((a, b) => a - b), bytes.length];
      const parts = places.slice(1).flatMap((to, i) => reader.push(bytes.subarray(places[i] as number, to)));
      expect(told([...parts, ...silence(reader)])).toBe(read(bytes));
    }),
    { numRuns: 1000 },
  );
});
