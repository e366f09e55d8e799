/**
 * Nothing that others send is obeyed by the terminal, and nothing looks like what it is not. In texts and in names alike:
 *
 * - control characters (C0, C1, DEL), lone surrogates, separators of lines, bidirectional controls and characters without
 *   a shape of their own (Unicode's Default_Ignorable_Code_Point) are shown as what they are instead of sent;
 * - an invisible joiner stays where it belongs: in an emoji of up to four parts and in the flags made of tags (UTS #51), and
 *   within words of the scripts that are spelled with it, where it changes what is seen (UAX #31, section 2.3);
 * - of the marks on one character eight are shown, which is more than any script puts there, and `…` for the others:
 *   stacks of hundreds would paint over the lines around them.
 */

const MARKS_MAX = 8;
/** What says which variant of a character is meant: part of emoji, of Mongolian and of Japanese names. */
const VARIATION = String.raw`\ufe00-\ufe0f\u{e0100}-\u{e01ef}\u180b-\u180d\u180f`;
const HIDDEN = String.raw`(?![${VARIATION}])[\p{Cc}\p{Cs}\p{Zl}\p{Zp}\p{Bidi_Control}\p{Default_Ignorable_Code_Point}\ufff9-\ufffb]`;
const MARK = String.raw`(?!\u034f|\u17b4|\u17b5)\p{M}`;

const EMOJI = String.raw`\p{Extended_Pictographic}(?:\ufe0f|\p{Emoji_Modifier})?`;
const JOINED = String.raw`${EMOJI}(?:\u200d${EMOJI}){1,3}`;
/** England, Scotland, Wales: a black flag, and `gbeng`, `gbsct`, `gbwls` in tag characters. */
const FLAG = String.raw`\u{1f3f4}\u{e0067}\u{e0062}(?:\u{e0065}\u{e006e}\u{e0067}|\u{e0073}\u{e0063}\u{e0074}|\u{e0077}\u{e006c}\u{e0073})\u{e007f}`;
const VIRAMA = String.raw`[\u094d\u09cd\u0a4d\u0acd\u0b4d\u0bcd\u0c4d\u0ccd\u0d4d\u0dca]`;
const IN_WORDS = [
  String.raw`(?<=\p{scx=Arab})\u200c(?=\p{scx=Arab})(?=\p{L})`,
  String.raw`(?<=${VIRAMA})(?:\u200c(?=\p{L})|\u200d(?!\p{M}))`,
  String.raw`(?<=\p{L})\u200d(?=${VIRAMA})`,
].join("|");

const HOSTILE = new RegExp(`(${JOINED}|${FLAG}|${IN_WORDS})|((?:${MARK}){${MARKS_MAX}})(?:${MARK})+|${HIDDEN}`, "gu");

/** Text that is safe on one line of a terminal: newlines and tabs are shown too. */
export function visible(text: string): string {
  return text.replace(HOSTILE, (found, kept?: string, marks?: string) => {
    if (kept !== undefined) return kept;
    if (marks !== undefined) return `${marks}…`;
    const code = found.codePointAt(0) as number;
    if (code < 0x20) return `^${String.fromCharCode(code + 0x40)}`;
    if (code === 0x7f) return "^?";
    return `\\u{${code.toString(16)}}`;
  });
}
