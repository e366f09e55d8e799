/** The one argument of a process that plays for another. Its own file: the start of every program reads it. */
export const WORKER = "sim-worker";
