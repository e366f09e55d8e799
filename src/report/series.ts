/** Colours for one after the other: terms, peers. */

/** Nobody can tell more colours apart; beyond this number they repeat. */
export const SERIES_COLORS = 8;

export type SeriesColor = `c${0 | 1 | 2 | 3 | 4 | 5 | 6 | 7 | 8}`;

/** The colour of the nth, from 1 on; 0 is what has no number yet. */
export const seriesColor = (n: number): SeriesColor => `c${n > 0 ? ((n - 1) % SERIES_COLORS) + 1 : 0}` as SeriesColor;
