/**
 * The protocol, each time with one rule broken on purpose: a simulator that finds none of these proves nothing about
 * the protocol without them (DeMillo, Lipton & Sayward 1978, mutation testing).
 */
import type { Mutant } from "./mutant.ts";
import { CLIENT_MUTANTS } from "./mutants-clients.ts";
import { DISK_MUTANTS } from "./mutants-disk.ts";
import { LOG_MUTANTS } from "./mutants-log.ts";
import { MEMBER_MUTANTS } from "./mutants-members.ts";
import { TRUST_MUTANTS } from "./mutants-trust.ts";

export type { Mutant } from "./mutant.ts";

export const MUTANTS: readonly Mutant[] = [
  ...LOG_MUTANTS,
  ...CLIENT_MUTANTS,
  ...MEMBER_MUTANTS,
  ...DISK_MUTANTS,
  ...TRUST_MUTANTS,
];
