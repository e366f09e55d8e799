/** Limits and times: the defaults fit together, and what a person sets wrong is refused in words that name it. */
import { describe, expect, test } from "bun:test";
import {
  BATCH_BYTES_MAX,
  BATCH_ENTRIES_MAX,
  BEHIND_ENTRIES_MAX,
  CATCHUP_BYTES_MAX,
  checkTimings,
  DEFAULT_TIMINGS,
  FRAME_BYTES_MAX,
  FRAME_ENTRIES_MAX,
  INFLIGHT_BYTES_MAX,
  INFLIGHT_ENTRIES_MAX,
  MESSAGE_BYTES_MAX,
  OUTBOX_MESSAGES_MAX,
  OUTSTANDING_MESSAGES_MAX,
  PEER_ID_MAX,
  QUEUE_BYTES_MAX,
  TAIL_ENTRIES_KEPT,
  TERM_MAX,
  TIME_MS_MAX,
  UNCOMMITTED_ENTRIES_MAX,
  VOTERS_MAX,
} from "../../src/core/config.ts";

describe("times", () => {
  test("the defaults are sound", () => {
    expect(checkTimings(DEFAULT_TIMINGS)).toBeNull();
  });

  test("each must be a positive number that a timer can wait: there is no zero for ever", () => {
    for (const name of Object.keys(DEFAULT_TIMINGS)) {
      for (const wrong of [0, -1, Number.NaN, Number.POSITIVE_INFINITY, TIME_MS_MAX + 1])
        expect(checkTimings({ ...DEFAULT_TIMINGS, [name]: wrong })).toContain(name);
    }
  });

  test("one late heartbeat is no crash: the timeouts span three", () => {
    expect(checkTimings({ ...DEFAULT_TIMINGS, heartbeat: 400 })).toBeNull();
    expect(checkTimings({ ...DEFAULT_TIMINGS, heartbeat: 401 })).toContain("leader timeout");
    expect(checkTimings({ ...DEFAULT_TIMINGS, quorumCheck: 599 })).toContain("quorum check");
  });

  test("[E4] deference ends before the leader timeout, and pauses have their bounds in order", () => {
    expect(checkTimings({ ...DEFAULT_TIMINGS, defer: 1200 })).toContain("defer");
    expect(checkTimings({ ...DEFAULT_TIMINGS, retryMin: 60 })).toContain("retryMax");
    expect(checkTimings({ ...DEFAULT_TIMINGS, retryMin: 50 })).toBeNull();
  });
});

describe("limits", () => {
  test("the largest text fits a frame, though each of its bytes may take six on the line", () => {
    expect(6 * MESSAGE_BYTES_MAX + 4096).toBeLessThan(FRAME_BYTES_MAX);
  });

  test("what is put into one frame fits one frame, and some of them fit a queue", () => {
    expect(Math.max(BATCH_BYTES_MAX, CATCHUP_BYTES_MAX) + 6 * MESSAGE_BYTES_MAX).toBeLessThan(FRAME_BYTES_MAX);
    expect(BATCH_ENTRIES_MAX).toBeLessThanOrEqual(FRAME_ENTRIES_MAX);
    expect(INFLIGHT_BYTES_MAX + FRAME_BYTES_MAX).toBeLessThan(QUEUE_BYTES_MAX);
  });

  test("[R7] a follower within its window is served from memory", () => {
    expect(INFLIGHT_ENTRIES_MAX).toBeLessThanOrEqual(TAIL_ENTRIES_KEPT);
    expect(BEHIND_ENTRIES_MAX).toBeLessThanOrEqual(TAIL_ENTRIES_KEPT);
  });

  test("[S9] each window fits the next", () => {
    expect(OUTSTANDING_MESSAGES_MAX).toBeLessThanOrEqual(OUTBOX_MESSAGES_MAX);
    expect(OUTSTANDING_MESSAGES_MAX).toBeLessThanOrEqual(UNCOMMITTED_ENTRIES_MAX);
  });

  test("[E12] terms stay exact, with room to add one; ids make ports; voters are odd", () => {
    expect(Number.isSafeInteger(TERM_MAX + 1)).toBe(true);
    expect(6000 + PEER_ID_MAX).toBe(65_535);
    expect(VOTERS_MAX % 2).toBe(1);
  });
});
