/** The output of a process, line by line. */

/** Calls `onLine` with each line, the last one too if it has no newline; resolves at the end of the stream. */
export async function readLines(stream: ReadableStream<Uint8Array>, onLine: (line: string) => void): Promise<void> {
  const decoder = new TextDecoder();
  let rest = "";
  for await (const chunk of stream) {
    const lines = (rest + decoder.decode(chunk, { stream: true })).split("\n");
    rest = lines.pop() as string;
    for (const line of lines) onLine(line);
  }
  if (rest !== "") onLine(rest);
}
