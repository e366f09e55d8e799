/**
 * Places in a text, as UTF-16 offsets at the edges of grapheme clusters (UAX #29): what a person takes for one character is
 * stepped over and deleted as one. Nothing here walks the whole text: ICU finds the edges around an offset.
 */
import { graphemes } from "../screen/graphemes.ts";

export class Clusters {
  readonly text: string;
  readonly #segments: Intl.Segments;

  constructor(text: string) {
    this.text = text;
    this.#segments = graphemes(text);
  }

  /** The end of the cluster at this place. */
  next(at: number): number {
    const cluster = this.#segments.containing(at);
    return cluster === undefined ? this.text.length : cluster.index + cluster.segment.length;
  }

  /** The start of the cluster before this place. */
  previous(at: number): number {
    return this.#segments.containing(at - 1)?.index ?? 0;
  }

  /** This place, or the end of the cluster that it is within. */
  edge(at: number): number {
    return this.#segments.containing(at)?.index === at ? at : this.next(at);
  }
}

/** Words as in readline: letters and digits of any script, with their marks. */
const IN_WORD = /^[\p{L}\p{N}\p{M}\p{Pc}]/u;
const BLANK = /^\s/u;

export function wordEnd(text: string, at: number): number {
  const clusters = new Clusters(text);
  const inWord = (place: number) => IN_WORD.test(text.slice(place, clusters.next(place)));
  let place = at;
  while (place < text.length && !inWord(place)) place = clusters.next(place);
  while (place < text.length && inWord(place)) place = clusters.next(place);
  return place;
}

export function wordStart(text: string, at: number): number {
  return startBefore(text, at, (cluster) => IN_WORD.test(cluster));
}

/** The start of what stands between blanks: what Ctrl-W takes. */
export function blankStart(text: string, at: number): number {
  return startBefore(text, at, (cluster) => !BLANK.test(cluster));
}

function startBefore(text: string, at: number, belongs: (cluster: string) => boolean): number {
  const clusters = new Clusters(text);
  let place = at;
  for (const wanted of [false, true]) {
    while (place > 0) {
      const before = clusters.previous(place);
      if (belongs(text.slice(before, place)) !== wanted) break;
      place = before;
    }
  }
  return place;
}
