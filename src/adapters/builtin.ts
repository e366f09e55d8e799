/** Loads modules of the runtime only where they are used, because an imported module takes memory in every peer. */
import { createRequire } from "node:module";

// Any absolute path serves here: a bundle in CommonJS has no `import.meta.url`.
export const builtin = createRequire("/");
