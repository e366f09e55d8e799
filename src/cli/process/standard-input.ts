/** Standard input, from which a secret may be taken before the chat reads the rest. */
import { PassThrough, type Readable } from "node:stream";

const NEWLINE = 0x0a;

/** What is left where something was taken. */
let rest: Readable | null = null;

export function standardInput(): Readable {
  return rest ?? process.stdin;
}

/** All of it where it is shorter; cut at `bytesMax`. Rejects with the error of the stream. */
export async function takeFirstLine(bytesMax: number): Promise<string> {
  const source = standardInput();
  let bytes = Buffer.alloc(0);
  // Not `for await`, which destroys the stream when it is left.
  const isWhole = () => bytes.includes(NEWLINE) || bytes.length >= bytesMax;
  const hasEnded = await new Promise<boolean>((resolve, reject) => {
    const take = (chunk: Uint8Array) => {
      bytes = Buffer.concat([bytes, chunk]);
      if (isWhole()) done(false);
    };
    const end = () => done(true);
    const done = (ended: boolean) => {
      source.pause();
      source.off("data", take).off("end", end).off("close", end).off("error", reject);
      resolve(ended);
    };
    source.on("data", take).on("end", end).on("close", end).on("error", reject);
  });
  const newline = bytes.indexOf(NEWLINE);
  const left = new PassThrough();
  if (newline >= 0) left.write(bytes.subarray(newline + 1));
  if (hasEnded) left.end();
  else source.pipe(left);
  rest = left;
  return bytes.subarray(0, newline < 0 ? bytes.length : newline).toString();
}
