/** What every Disk must do: one suite, run on the real one and on the virtual one. */
import { expect, test } from "bun:test";
import { type Disk, PortError } from "../../../src/host/contracts.ts";

export interface DiskUnderTest {
  readonly disk: Disk;
  /** Lets callbacks that wait run until `done` says so. */
  settle(done: () => boolean): Promise<void>;
  cleanUp(): void;
}

const bytes = (text: string) => new TextEncoder().encode(text);
const text = (b: Uint8Array) => new TextDecoder().decode(b);

export function diskContract(name: string, make: () => DiskUnderTest): void {
  const on = (claim: string, body: (t: DiskUnderTest) => void | Promise<void>) =>
    test(`${name}: ${claim}`, async () => {
      const t = make();
      t.disk.makeDirectory("log");
      try {
        await body(t);
      } finally {
        t.cleanUp();
      }
    });
  const codeOf = (run: () => unknown) => {
    try {
      run();
    } catch (error) {
      expect(error).toBeInstanceOf(PortError);
      return (error as PortError).code;
    }
    return "no error";
  };

  on("a file gives back what was written, at every offset", ({ disk }) => {
    const file = disk.open("log/a", "create");
    file.write(0, bytes("hello world"));
    file.write(6, bytes("there"));
    file.write(11, bytes("!"));
    expect(file.size).toBe(12);
    expect(text(file.read(0, 100))).toBe("hello there!");
    expect(text(file.read(6, 5))).toBe("there");
    expect(file.read(12, 5).length).toBe(0);
    expect(file.read(50, 5).length).toBe(0);
    file.close();
    const again = disk.open("log/a", "existing");
    expect([again.size, text(again.read(0, 5))]).toEqual([12, "hello"]);
    again.close();
  });

  on("a read is a copy that later writes leave alone, and a write a copy of what it was given", ({ disk }) => {
    const file = disk.open("a", "create");
    const given = bytes("one");
    file.write(0, given);
    given.fill(0);
    const read = file.read(0, 3);
    file.write(0, bytes("two"));
    expect([text(read), text(file.read(0, 3))]).toEqual(["one", "two"]);
    file.close();
  });

  on("a large write arrives whole", ({ disk }) => {
    const file = disk.open("log/large", "create");
    const large = new Uint8Array(5_000_000).map((_, i) => i % 251);
    file.write(0, large);
    expect(file.size).toBe(large.length);
    expect(Buffer.compare(file.read(0, large.length), large)).toBe(0);
    file.close();
  });

  on("truncation cuts, and what is written after it follows directly", ({ disk }) => {
    const file = disk.open("log/a", "create");
    file.write(0, bytes("0123456789"));
    file.truncate(4);
    expect(file.size).toBe(4);
    file.write(4, bytes("x"));
    expect(text(file.read(0, 100))).toBe("0123x");
    file.close();
  });

  on("create empties an existing file", ({ disk }) => {
    const file = disk.open("log/a", "create");
    file.write(0, bytes("old"));
    file.close();
    const fresh = disk.open("log/a", "create");
    expect(fresh.size).toBe(0);
    fresh.close();
  });

  on("a missing file is ENOENT, with a message that names it", ({ disk }) => {
    expect(codeOf(() => disk.open("log/none", "existing"))).toBe("ENOENT");
    expect(codeOf(() => disk.open("log/none", "read"))).toBe("ENOENT");
    expect(codeOf(() => disk.open("none/none", "create"))).toBe("ENOENT");
    expect(codeOf(() => disk.remove("log/none"))).toBe("ENOENT");
    expect(codeOf(() => disk.rename("log/none", "log/other"))).toBe("ENOENT");
    expect(() => disk.open("log/none", "existing")).toThrow("log/none");
  });

  on("a file open for reading only cannot be written", ({ disk }) => {
    disk.open("a", "create").close();
    const file = disk.open("a", "read");
    expect(codeOf(() => file.write(0, bytes("x")))).toBe("EBADF");
    file.close();
  });

  on("a list holds the file names of one directory, sorted, and is empty where there is none", ({ disk }) => {
    for (const path of ["log/10", "log/9", "log/B", "top", "log/a"]) disk.open(path, "create").close();
    expect(disk.list("log")).toEqual(["10", "9", "B", "a"]);
    expect(disk.list("")).toEqual(["top"]);
    expect(disk.list("nowhere")).toEqual([]);
  });

  on("a rename replaces its target and is seen at once; an open file follows", ({ disk }) => {
    const file = disk.open("a.new", "create");
    file.write(0, bytes("new"));
    disk.open("a", "create").close();
    disk.rename("a.new", "a");
    expect(disk.list("")).toEqual(["a"]);
    file.write(3, bytes("er"));
    file.close();
    const a = disk.open("a", "existing");
    expect(text(a.read(0, 10))).toBe("newer");
    a.close();
  });

  on("a removed file is gone from the list", ({ disk }) => {
    disk.open("log/a", "create").close();
    disk.remove("log/a");
    expect(disk.list("log")).toEqual([]);
  });

  on("directories are made with those above them, and making them again is nothing", ({ disk }) => {
    disk.makeDirectory("x/y/z");
    disk.makeDirectory("x/y/z");
    disk.open("x/y/z/f", "create").close();
    expect(disk.list("x/y/z")).toEqual(["f"]);
    expect(disk.list("x")).toEqual([]);
  });

  on("a sync completes with null, never inside the call", async ({ disk, settle }) => {
    const file = disk.open("log/a", "create");
    file.write(0, bytes("x"));
    const seen: unknown[] = [];
    file.sync((error) => seen.push(error));
    disk.syncDirectory("log", (error) => seen.push(error));
    expect(seen).toEqual([]);
    await settle(() => seen.length === 2);
    expect(seen).toEqual([null, null]);
    file.syncNow();
    disk.syncDirectoryNow("log");
    disk.syncDirectoryNow("");
    file.close();
  });

  on("a sync never completes on a closed file, and the disk goes on", async ({ disk, settle }) => {
    const file = disk.open("log/a", "create");
    file.write(0, bytes("x"));
    let called = false;
    file.sync(() => {
      called = true;
    });
    file.close();
    const other = disk.open("log/b", "create");
    let done = false;
    other.write(0, bytes("y"));
    other.sync(() => {
      done = true;
    });
    await settle(() => done);
    expect(called).toBe(false);
    expect(text(other.read(0, 9))).toBe("y");
    other.close();
  });

  on("a sync of a directory that is not there reports, and does not throw", async ({ disk, settle }) => {
    const seen: (string | null)[] = [];
    disk.syncDirectory("nowhere", (error) => seen.push(error?.code ?? null));
    expect(seen).toEqual([]);
    await settle(() => seen.length === 1);
    expect(seen).toEqual(["ENOENT"]);
  });

  on("[D1] a lock is taken once, and again after it is given back; who has it can renew it", ({ disk }) => {
    expect(disk.lock()).toBeNull();
    expect(codeOf(() => disk.lock())).toBe("ELOCKED");
    expect(disk.renewLock()).toBeNull();
    disk.unlock();
    expect(codeOf(() => disk.renewLock())).toBe("ELOST");
    expect(disk.lock()).toBeNull();
    expect(disk.renewLock()).toBeNull();
    disk.unlock();
  });
}
