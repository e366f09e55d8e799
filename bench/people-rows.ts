/** The rows about people: what those at one peer notice of others' searches, floods and scripts. */
import { mkdtempSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import { shippedBinary } from "./artefacts.ts";
import { RunFailed } from "./cluster.ts";
import { House } from "./house.ts";
import { atMost, type Bench, type Lines, repeat } from "./measuring.ts";
import type { Member } from "./member.ts";

const ENTRIES = 10_000_000;
const SEARCHERS = 40;
const FLOODS = [1, 20];
/** Messages of somebody who talks. A p99 is the third of them that took longest. */
const TALKED = 300;
/** Not counted: what is loaded and compiled at first. */
const WARM_UP = 20;
const SENDS = 150;

export const PEOPLE_ROWS = {
  async search(bench: Bench): Promise<Lines> {
    const messages = bench.sized(ENTRIES);
    const binary = await shippedBinary();
    const runs: { search: number; alone: number; beside: number }[] = [];
    await bench.run({ messages }, false, async ([first]) => {
      const house = await House.start(binary, dirname((first as Member).dir));
      try {
        for (let i = 0; i < bench.runs; i++)
          runs.push({
            search: await searched(house),
            alone: await talkP99(house, bench),
            beside: await beside(house, "search", SEARCHERS, () => talkP99(house, bench)),
          });
      } finally {
        await house.end();
      }
    });
    const what = `p99 of somebody who talks at a peer where ${SEARCHERS} clients search`;
    const values = runs.map((r) => r.beside);
    return [
      {
        ...{ what: `a client's search through ${messages} messages that finds nothing`, unit: "ms", figure: "median" },
        ...{ values: runs.map((r) => r.search), beside: null, reach: atMost(5000) },
      },
      {
        ...{ what: `  … ${what}`, unit: "ms", values, figure: "median", reach: null },
        beside: { what: "alone", values: runs.map((r) => r.alone) },
      },
      {
        ...{ what: "  … later than alone by", unit: "ms", figure: "median", beside: null, reach: atMost(20) },
        values: runs.map((r) => r.beside - r.alone),
      },
    ];
  },

  async floods(bench: Bench): Promise<Lines> {
    return inHouse(bench, async (house) => {
      const runs = await repeat(bench.runs, async () => {
        const alone = await talkP99(house, bench);
        const flooded: number[] = [];
        for (const count of FLOODS) flooded.push(await beside(house, "flood", count, () => talkP99(house, bench)));
        return { alone, flooded };
      });
      return FLOODS.map((count, i) => ({
        what: `p99 of somebody who talks at a peer where ${count} client${count === 1 ? " floods" : "s flood"}`,
        ...{ unit: "ms", figure: "median", reach: atMost(50) },
        values: runs.map((r) => r.flooded[i] as number),
        beside: { what: "alone", values: runs.map((r) => r.alone) },
      }));
    });
  },

  async sends(bench: Bench): Promise<Lines> {
    return inHouse(bench, async (house) => {
      const runs = await repeat(bench.runs, async () => {
        const began = performance.now();
        const codes = await house.sends(SENDS);
        return { ms: performance.now() - began, failed: codes.filter((code) => code !== 0).length };
      });
      const what = `of ${SENDS} \`chatpeer send\`s at once to one peer, those that failed`;
      return [
        {
          ...{ what, unit: "%", figure: "worst", beside: null, reach: atMost(0) },
          values: runs.map((r) => (100 * r.failed) / SENDS),
        },
        {
          what: "  … until all were done",
          unit: "ms",
          values: runs.map((r) => r.ms),
          figure: "median",
          beside: null,
          reach: null,
        },
      ];
    });
  },
} satisfies Record<string, (bench: Bench) => Promise<Lines>>;

async function inHouse(bench: Bench, measure: (house: House) => Promise<Lines>): Promise<Lines> {
  const root = mkdtempSync(join(bench.dir, "chatpeer-bench-"));
  try {
    const house = await House.start(await shippedBinary(), root);
    try {
      return await measure(house);
    } finally {
      await house.end();
    }
  } finally {
    rmSync(root, { recursive: true, force: true });
  }
}

async function beside<T>(house: House, kind: "flood" | "search", count: number, measure: () => Promise<T>): Promise<T> {
  const clients = house.clients(kind, count);
  try {
    return await measure();
  } finally {
    await clients.end();
  }
}

async function searched(house: House): Promise<number> {
  const [ms = Number.NaN] = await told(house, "search", 1);
  return ms;
}

async function talkP99(house: House, bench: Bench): Promise<number> {
  const count = Math.max(1, bench.sized(TALKED));
  const counted = (await told(house, "talk", WARM_UP + count)).slice(WARM_UP).sort((a, b) => a - b);
  return counted[Math.ceil(0.99 * counted.length) - 1] as number;
}

/** The first values that a client prints. */
async function told(house: House, kind: "talk" | "search", count: number): Promise<number[]> {
  const values: number[] = [];
  let enough = () => {};
  const all = new Promise<void>((resolve) => {
    enough = resolve;
  });
  const client = house.clients(kind, 1, (ms) => values.push(ms) >= count && enough());
  await Promise.race([all, client.ended]);
  await client.end();
  if (values.length < count) throw new RunFailed(`a client that was to ${kind} ended early`);
  return values.slice(0, count);
}
