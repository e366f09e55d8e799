/** Guesses which word was meant by a misspelt one. */

/** The closest of the choices, if it is close enough; else null. */
export function nearest(word: string, choices: readonly string[]): string | null {
  let best: string | null = null;
  let distance = 3;
  for (const choice of choices) {
    const d = edits(word, choice);
    if (d < distance && d < word.length) [best, distance] = [choice, d];
  }
  return best;
}

function edits(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      next.push(
        Math.min(
          (row[j] as number) + 1,
          (next[j - 1] as number) + 1,
          (row[j - 1] as number) + (a[i - 1] === b[j - 1] ? 0 : 1),
        ),
      );
    }
    row = next;
  }
  return row[b.length] as number;
}
