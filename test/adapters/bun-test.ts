/**
 * What a contract uses of "bun:test", for Node.js and Deno: a bundle takes it from here instead. The tests run one after the
 * other, and one line tells the result of each.
 */
import { deepStrictEqual, ok } from "node:assert/strict";

const claims: { readonly name: string; readonly body: () => Promise<void> }[] = [];

function test(name: string, body: () => Promise<void>): void {
  claims.push({ name, body });
}

const expect = (value: unknown) => ({
  toBe: (other: unknown) => ok(Object.is(value, other), `${value} is not ${other}`),
  toBeNull: () => ok(value === null, `${value} is not null`),
  toEqual: (other: unknown) => deepStrictEqual(value, other),
  toBeGreaterThan: (other: number) => ok((value as number) > other, `${value} is not greater than ${other}`),
  toBeLessThan: (other: number) => ok((value as number) < other, `${value} is not less than ${other}`),
  toStartWith: (other: string) => ok((value as string).startsWith(other), `${value} does not start with ${other}`),
  not: { toBe: (other: unknown) => ok(!Object.is(value, other), `${value} is ${other}`) },
});

/** Runs all tests and ends the process: with 0 if none has failed. */
async function run(): Promise<never> {
  let failed = 0;
  for (const { name, body } of claims) {
    try {
      await body();
      console.log(`(pass) ${name}`);
    } catch (error) {
      failed += 1;
      console.log(`(fail) ${name}\n${(error as Error).stack}`);
    }
  }
  process.exit(failed);
}

export { expect, run, test };
