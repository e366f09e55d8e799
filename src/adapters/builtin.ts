/** The runtime's modules that few need: loaded where they are used, because one that is imported takes memory in every peer. */
import { createRequire } from "node:module";

// From no file in particular: a bundle in CommonJS has no `import.meta.url`.
export const builtin = createRequire("/");
