/** The engine that runs where nobody chooses another one. Only this file names it to the rest of the product. */
import { BULLY } from "./bully/bully.ts";
import type { EngineKind } from "./engine.ts";

export const DEFAULT_ENGINE: EngineKind = BULLY;
