/** [W2] Which version of the protocol two sides speak, against the plain definition: the highest that both have. */
import { expect, test } from "bun:test";
import { PROTOCOL_VERSION, PROTOCOL_VERSION_MIN } from "../../src/core/config.ts";
import { commonVersion, OWN_VERSIONS, refuseVersions, sayVersions, versionsOf } from "../../src/core/versions.ts";

const HIGHEST = 5;
const ALL = Array.from({ length: HIGHEST + 1 }, (_, min) =>
  Array.from({ length: HIGHEST + 1 - min }, (_, more) => ({ min, max: min + more })),
).flat();

test("[W2] two sides speak the highest version that both have, and both find the same one", () => {
  for (const a of ALL)
    for (const b of ALL) {
      const has = (version: number) => [a, b].every(({ min, max }) => min <= version && version <= max);
      const both = Array.from({ length: HIGHEST + 1 }, (_, version) => version).filter(has);
      expect(commonVersion(a, b)).toBe(both.at(-1) ?? null);
      expect(commonVersion(b, a)).toBe(commonVersion(a, b));
    }
});

test("[W2] what is said of a range is that range again; a build of one version says no more than that", () => {
  for (const range of ALL) expect(versionsOf(sayVersions(range))).toEqual(range);
  expect(sayVersions({ min: 3, max: 3 })).toEqual({ version: 3 });
  expect(OWN_VERSIONS).toEqual({ min: PROTOCOL_VERSION_MIN, max: PROTOCOL_VERSION });
  expect(PROTOCOL_VERSION_MIN).toBeLessThanOrEqual(PROTOCOL_VERSION);
});

test("[W2] where there is none in common, each side names the same older one", () => {
  const [old, young] = [
    { min: 1, max: 2 },
    { min: 3, max: 3 },
  ];
  expect(refuseVersions(old, young)).toBe(
    "this peer speaks protocol version 1 to 2, not 3: its chatpeer is the older one, update it",
  );
  expect(refuseVersions(young, old)).toBe(
    "this peer speaks protocol version 3, not 1 to 2: your chatpeer is the older one, update it",
  );
});
