/** What can be read of segments that are no whole log any more. */
import { describe, expect, test } from "bun:test";
import { salvage } from "../../../src/host/store/salvage.ts";
import { segmentPath } from "../../../src/host/store/segments.ts";
import { VirtualDisk } from "../../../src/sim/virtual-disk.ts";
import { ManualClock, seeded } from "../manual-clock.ts";
import { LogMaker } from "./log-maker.ts";

/** Thirty entries in three segments of ten; `change` is made to their texts. */
function found(change: (files: Map<string, string>) => void): string[] {
  const log = new LogMaker({ segment_entries: 10, segment_bytes: 1_000_000 });
  log.fill(30);
  const files = new Map<string, string>();
  for (const first of [1, 11, 21])
    files.set(segmentPath(first), Array.from({ length: 10 }, (_, i) => log.line(first + i)).join(""));
  change(files);
  const disk = new VirtualDisk({ clock: new ManualClock(), random: seeded(1) });
  disk.fill(new Map([...files].map(([path, text]) => [path, new TextEncoder().encode(text)])));
  const told: string[] = [];
  for (const piece of salvage(disk, "log")) {
    if ("wrong" in piece) told.push(`wrong: ${piece.wrong.slice(0, 60)}`);
    else if ("missing" in piece) told.push(`missing ${piece.missing.from}-${piece.missing.through}`);
    else {
      const run = /^([0-9]+)-([0-9]+)$/.exec(told.at(-1) ?? "");
      if (run !== null && Number(run[2]) === piece.entry.index - 1) told.pop();
      told.push(
        `${run !== null && Number(run[2]) === piece.entry.index - 1 ? run[1] : piece.entry.index}-${piece.entry.index}`,
      );
    }
  }
  return told;
}

const [ONE, TWO, THREE] = [1, 11, 21].map(segmentPath) as [string, string, string];

describe("segments that are no whole log", () => {
  test("are read on behind a first one that is lost", () => {
    expect(found((f) => f.delete(ONE))).toEqual(["missing 1-10", "11-30"]);
    expect(found((f) => f.delete(TWO))).toEqual(["1-10", "missing 11-20", "21-30"]);
    expect(found(() => {})).toEqual(["1-30"]);
  });

  test("are read on behind a line that was changed or cut, and say where that is", () => {
    const changed = found((f) => f.set(TWO, (f.get(TWO) as string).replace('"index":13,', '"index":14,')));
    expect(changed).toEqual([
      "1-12",
      expect.stringContaining(`wrong: ${TWO}: behind index 12`),
      "missing 13-13",
      "14-30",
    ]);
    const cut = found((f) => f.set(TWO, (f.get(TWO) as string).slice(0, -7)));
    expect(cut).toEqual(["1-19", `wrong: ${TWO}: the last line does not end`, "missing 20-20", "21-30"]);
  });

  test("give each entry once where there are several copies", () => {
    expect(found((f) => f.set(`${THREE}.1`, f.get(THREE) as string))).toEqual(["1-30"]);
  });
});
