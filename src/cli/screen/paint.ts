/**
 * Colours where they are wanted: on a terminal, without NO_COLOR (https://no-color.org). No library is used: libraries look
 * at `process.stdout` when they are loaded, and then the runtime makes an inherited pipe non-blocking for all who share it.
 */
export interface Paint {
  dim(text: string): string;
  bold(text: string): string;
  red(text: string): string;
  /** Stands out on any background. */
  mark(text: string): string;
  /** Light on dark, whatever the terminal's colours are. */
  lamp(text: string): string;
}

const plain = (text: string) => text;

export function paintFor(stream: { isTTY?: boolean }): Paint {
  const env = process.env;
  const wanted = stream.isTTY === true && (env.NO_COLOR ?? "") === "" && env.TERM !== "dumb";
  if (!wanted) return { dim: plain, bold: plain, red: plain, mark: plain, lamp: plain };
  const lamp = (text: string) => painted(97, 39)(painted(40, 49)(text));
  return { dim: painted(2, 22), bold: painted(1, 22), red: painted(31, 39), mark: painted(7, 27), lamp };
}

/** Select Graphic Rendition (ECMA-48, 8.3.117): on, and off again. What is off within the text goes on behind it. */
function painted(on: number, off: number): (text: string) => string {
  const [begin, end] = [`\x1b[${on}m`, `\x1b[${off}m`];
  return (text) => begin + text.replaceAll(end, end + begin) + end;
}
