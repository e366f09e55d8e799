/** Writes that never wait for a reader: what it does not take yet is kept, and comes whole, in order and once. */
import { afterEach, expect, test } from "bun:test";
import { closeSync, constants, mkdtempSync, openSync, readSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DescriptorStream } from "../../src/adapters/standard-stream.ts";

const open: number[] = [];
afterEach(() => {
  for (const fd of open.splice(0)) closeSync(fd);
});

/** Both ends of a pipe, of which the writing one is non-blocking where `waits` is false. */
function pipe(waits: boolean): [reader: number, writer: number] {
  const folder = mkdtempSync(join(tmpdir(), "chatpeer-stream-"));
  const path = join(folder, "pipe");
  expect(Bun.spawnSync(["mkfifo", path]).exitCode).toBe(0);
  const reader = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  const writer = openSync(path, constants.O_WRONLY | (waits ? 0 : constants.O_NONBLOCK));
  open.push(reader, writer);
  rmSync(folder, { recursive: true });
  return [reader, writer];
}

/** What is in the pipe. */
function take(reader: number): string {
  const pieces: string[] = [];
  const bytes = new Uint8Array(4096);
  for (;;) {
    try {
      const count = readSync(reader, bytes);
      if (count === 0) return pieces.join("");
      pieces.push(new TextDecoder().decode(bytes.subarray(0, count)));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === "EAGAIN") return pieces.join("");
      throw error;
    }
  }
}

for (const how of ["at once", "by thread"] as const) {
  test(`a reader that is full keeps nobody waiting, and gets all of it (${how})`, async () => {
    const [reader, writer] = pipe(how === "by thread");
    const stream = new DescriptorStream(writer, how, null);
    const lines = Array.from({ length: 200 }, (_, i) => `${i} ${"x".repeat(5000)}\n`);
    let answered = 0;
    for (const line of lines) stream.write(line, () => answered++);
    await new Promise((resolve) => setImmediate(resolve));
    expect(answered).toBeLessThan(lines.length);
    let seen = "";
    while (answered < lines.length) {
      seen += take(reader);
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect(seen + take(reader) === lines.join("")).toBe(true);
  });
}

test("last words come behind the rest of what was being written, as far as the reader takes them", () => {
  const [reader, writer] = pipe(false);
  const stream = new DescriptorStream(writer, "at once", null);
  const text = "x".repeat(100_000);
  stream.write(text);
  const before = take(reader);
  expect(before.length).toBeLessThan(text.length);
  stream.writeNow("bye");
  expect(before + take(reader)).toBe(`${text}bye`);
  stream.writeNow(text);
  // Nobody has taken it: it is not waited for.
  stream.writeNow("nobody hears this");
  expect(take(reader)).not.toContain("nobody");
});

test("a reader that is gone is told as EPIPE", async () => {
  const [reader, writer] = pipe(false);
  const stream = new DescriptorStream(writer, "at once", null);
  closeSync(reader);
  open.splice(open.indexOf(reader), 1);
  const failed = new Promise<NodeJS.ErrnoException>((resolve) => stream.on("error", resolve));
  stream.write("hello");
  expect((await failed).code).toBe("EPIPE");
});
