/**
 * What follows from a log prefix: it follows from the prefix alone, however the log got there, and taking entries back
 * is the exact inverse of applying them [S5] [M3]. Random logs against recounting from the start.
 */
import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { type Ballot, NO_BALLOT } from "../../src/core/ids.ts";
import type { Configuration, Entry } from "../../src/core/log-entry.ts";
import { LogState, type LogStateData } from "../../src/core/log-state.ts";
import { messageId } from "../../src/core/message-id.ts";
import { entryOf, genesisOf } from "./entries.ts";
import { type Move, moves, written } from "./logs.ts";

const RUNS = { seed: 3, numRuns: 300 };

function replay(entries: readonly Entry[]): LogState {
  const state = new LogState();
  for (const entry of entries) state.apply(entry);
  return state;
}

function forEveryLog(claim: (entries: Entry[], made: Move[]) => void): void {
  fc.assert(
    fc.property(moves, (made) => claim(written(made), made)),
    RUNS,
  );
}

const ballot: Ballot = { term: 1, leader_id: 1, inc: "i1", boot: 1 };
function chat(index: number, seq: number, id: string, room = "lobby"): Entry {
  const dot = id.lastIndexOf(".");
  const message = { session: id.slice(0, dot), counter: Number(id.slice(dot + 1)) };
  return entryOf(index, ballot, "chat", { room_id: room, seq_no: seq, ...message });
}

describe("apply and undo", () => {
  test("[S5] [M3] taking an entry back leaves what was there before it, to the last counter", () => {
    forEveryLog((entries) => {
      const state = new LogState();
      const before: LogStateData[] = [];
      for (const entry of entries) {
        expect(state.refusal(entry)).toBeNull();
        before.push(state.toData());
        state.apply(entry);
      }
      // The genesis alone is never taken back: two logs with different ones are two clusters [W2].
      for (const entry of entries.slice(1).toReversed()) {
        state.undo(entry, entries[entry.index - 2]?.crc ?? 0);
        expect(state.toData()).toEqual(before.pop() as LogStateData);
      }
    });
  });

  test("[S5] the counters are those of the prefix, counted anew", () => {
    forEveryLog((entries) => {
      const rooms = new Map<string, number>();
      const sessions = new Map<string, number>();
      for (const { kind, room_id, session } of entries) {
        if (kind !== "chat") continue;
        rooms.set(room_id, (rooms.get(room_id) ?? 0) + 1);
        sessions.set(session, (sessions.get(session) ?? 0) + 1);
      }
      const state = replay(entries);
      expect(new Map(state.rooms)).toEqual(rooms);
      expect(new Map(state.sessions)).toEqual(sessions);
      expect(state.chats).toBe(entries.filter((e) => e.kind === "chat").length);
    });
  });

  test("a ballot is found wherever it stands, and so is the start of its run", () => {
    forEveryLog((entries) => {
      const state = replay(entries);
      expect(state.ballotAt(0)).toEqual(NO_BALLOT);
      let start = 0;
      let last = "";
      for (const { index, term, leader_id, inc, boot } of entries) {
        if (`${term}.${leader_id}.${inc}.${boot}` !== last) start = index;
        last = `${term}.${leader_id}.${inc}.${boot}`;
        expect(state.ballotAt(index)).toEqual({ term, leader_id, inc, boot });
        expect(state.runStart(index)).toBe(start);
      }
    });
  });

  test("[M3] the newest configuration is the last one written, settled or not", () => {
    forEveryLog((entries) => {
      const config = entries.findLast((e) => e.kind === "config" || e.kind === "genesis") as Entry;
      const settled = entries.find((e) => e.kind === "settled" && e.index > config.index)?.index ?? 0;
      const { newest } = replay(entries);
      expect(newest?.index).toBe(config.index);
      expect(newest?.configuration).toBe(config.data as Configuration);
      expect(newest?.settled).toBe(config.kind === "genesis" ? 1 : settled);
    });
  });

  test("[M3] configurations may be forgotten once a committed one replaces them: truncation still finds what was", () => {
    fc.assert(
      fc.property(moves, fc.nat(), (made, at) => {
        const entries = written(made);
        const committed = 1 + (at % entries.length);
        const state = replay(entries);
        state.forget(committed);
        for (const entry of entries.slice(committed).toReversed())
          state.undo(entry, entries[entry.index - 2]?.crc ?? 0);
        const { newest } = replay(entries.slice(0, committed));
        expect(state.newest).toEqual(newest);
        // One that is not settled needs the one before it for truncation no more: it names those voters itself.
        expect(state.configurations.length).toBeGreaterThan(0);
      }),
      RUNS,
    );
  });
});

describe("checkpoints", () => {
  test("[L5] the state goes through plain data unchanged, and shares nothing with it", () => {
    forEveryLog((entries) => {
      const data = replay(entries).toData();
      const copy = LogState.fromData(JSON.parse(JSON.stringify(data)));
      expect(copy.toData()).toEqual(data);
      // The restored state goes on; the checkpoint it came from stays as it was.
      const again = LogState.fromData(data);
      const { newest } = again;
      if (newest?.settled === 0)
        again.apply(entryOf(entries.length + 1, ballot, "settled", { data: { config_index: newest.index } }));
      again.apply(entryOf(again.index + 1, ballot, "leader"));
      expect(data).toEqual(replay(entries).toData());
    });
  });
});

test("[L5] a checkpoint that is older than boot numbers is read: its ballots are of boot 0", () => {
  const data = replay([...written([{ kind: "leader", room: "lobby", session: "1.a" }])]).toData();
  const older = data.runs.map(({ from, ballot: { boot: _, ...rest } }) => ({ from, ballot: rest }));
  const copy = LogState.fromData({ ...data, runs: older } as unknown as LogStateData);
  expect(copy.toData().runs).toEqual(data.runs.map(({ from, ballot }) => ({ from, ballot: { ...ballot, boot: 0 } })));
});

describe("what cannot come next", () => {
  const state = replay([genesisOf(["voter"]), chat(2, 1, "1.s.1"), chat(3, 2, "1.s.2")]);

  test("[S2] a message twice, or before the one before it", () => {
    expect(state.refusal(chat(4, 3, "1.s.3"))).toBeNull();
    expect(state.refusal(chat(4, 3, "1.s.2"))).toContain("expected counter 3");
    expect(state.refusal(chat(4, 3, "1.s.4"))).toContain("expected counter 3");
    expect(state.refusal(chat(4, 3, "1.other.2"))).toContain("expected counter 1");
    expect(state.refusal(chat(4, 3, "2.s.1"))).toBeNull();
  });

  test("a number that leaves one out in its room, or uses one again", () => {
    expect(state.refusal(chat(4, 4, "1.s.3"))).toContain("expected 3");
    expect(state.refusal(chat(4, 2, "1.s.3"))).toContain("expected 3");
    expect(state.refusal(chat(4, 1, "1.s.3", "attic"))).toBeNull();
    expect(state.refusal(chat(4, 3, "1.s.3", "attic"))).toContain("expected 1");
  });

  test("an index out of turn, a second genesis, a first entry that is none", () => {
    expect(state.refusal(chat(3, 3, "1.s.3"))).toContain("index 3 after 3");
    expect(state.refusal(chat(5, 3, "1.s.3"))).toContain("index 5 after 3");
    expect(state.refusal({ ...genesisOf(["voter"]), index: 4 })).toContain("genesis");
    expect(new LogState().refusal(chat(1, 1, "1.s.1"))).toContain("at index 1");
  });

  test("[M3] a settling of nothing, of something else, or of the same again", () => {
    const settled = (index: number, of: number) => entryOf(index, ballot, "settled", { data: { config_index: of } });
    expect(state.refusal(settled(4, 1))).toContain("settles");
    const changed = replay([genesisOf(["voter"])]);
    changed.apply(entryOf(2, ballot, "config", { data: { members: [], prev_voters: [] } }));
    expect(changed.refusal(settled(3, 1))).toContain("settles");
    expect(changed.refusal(settled(3, 2))).toBeNull();
    changed.apply(settled(3, 2));
    expect(changed.refusal(settled(4, 2))).toContain("settles");
  });
});

test("a message id names its session by all but its last part", () => {
  expect(messageId(chat(1, 1, "12.a1b2.7"))).toBe("12.a1b2.7");
});
