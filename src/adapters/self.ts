/** How to start this program again as another process; each runtime does it in its own way. */

/** Command and first arguments; the program's own arguments follow. */
export function selfCommand(): readonly [string, ...string[]] {
  const script = process.argv[1] as string;
  if (process.versions.deno !== undefined) return [process.execPath, "run", "--allow-all", script];
  // A compiled executable carries its script inside.
  if (process.versions.bun !== undefined && Bun.isStandaloneExecutable) return [process.execPath];
  return [process.execPath, ...process.execArgv, script];
}
