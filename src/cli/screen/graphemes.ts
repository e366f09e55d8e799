/** What a person takes for one character: grapheme clusters (UAX #29). */
let segmenter: Intl.Segmenter | null = null;

/** Made at first use: its tables take megabytes, and a peer without a screen needs none. */
export function graphemes(text: string): Intl.Segments {
  segmenter ??= new Intl.Segmenter("en", { granularity: "grapheme" });
  return segmenter.segment(text);
}
