/** Commands of the system that change the world around the peers. */

/** Runs a command to its end. Throws its output if it fails. */
export function command(...words: readonly string[]): string {
  const { success, stdout, stderr } = Bun.spawnSync([...words], { stdin: "ignore" });
  if (!success) throw new Error(`${words.join(" ")}: ${stderr.toString().trim()}`);
  return stdout.toString();
}

/** Whether a command can be run here, and ends well. */
export function works(...words: readonly string[]): boolean {
  try {
    command(...words);
    return true;
  } catch {
    return false;
  }
}
