/** The runtime's modules that few need: loaded where they are used, because one that is imported takes memory in every peer. */
import { createRequire } from "node:module";

export const builtin = createRequire(import.meta.url);
