/** What nobody caught ends in words, whatever the machine lacks. */
import { describe, expect, test } from "bun:test";
import { crashLines } from "../../../src/cli/process/crash.ts";
import { PortError } from "../../../src/host/contracts.ts";

describe("last words", () => {
  test("of the operating system have no trace", () => {
    const error = Object.assign(new Error("EMFILE: too many open files, open 'x'"), {
      code: "EMFILE",
      syscall: "open",
    });
    expect(crashLines(error)).toEqual([
      "chatpeer: the operating system refused something that is needed: EMFILE: too many open files, open 'x'",
    ]);
  });

  test("of a file that cannot be read name it", () => {
    const error = new PortError("EACCES", "cannot list /x: permission denied (EACCES)");
    expect(crashLines(error)).toEqual(["chatpeer: cannot list /x: permission denied (EACCES)"]);
  });

  test("of a fault of ours ask for a report and bring the trace", () => {
    const lines = crashLines(new Error("assertion failed: terms are bounded"));
    expect(lines[0]).toContain("Please report it");
    expect(lines[1]).toContain("assertion failed: terms are bounded");
    expect(lines.length).toBeGreaterThan(2);
  });

  test("of what is no error at all say what it is, and move no cursor", () => {
    expect(crashLines("\x1b[2Jgone").at(-1)).toBe("^[[2Jgone");
  });
});
