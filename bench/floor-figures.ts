/** What a machine does at most for such a cluster, as `bench/floor.ts` measures it. */
export interface FloorFigures {
  readonly windows: readonly {
    /** Messages sent and not yet done, at most. */
    readonly window: number;
    /** Median of the runs. */
    readonly perSecond: number;
    readonly latencyMs: { readonly p50: number; readonly p99: number };
  }[];
}
