/** A folder like the one that the pages are read in, with the program and its documents, on ports that are free. */
import { cpSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { freePorts } from "../../bench/processes.ts";
import { BINARY, ROOT } from "./harness.ts";

const PORTS = 9;

export class Folder {
  readonly path: string;
  readonly #ports: readonly number[];

  private constructor(path: string, ports: readonly number[]) {
    this.path = path;
    this.#ports = ports;
  }

  /** Makes it where nothing is yet. */
  static async make(path: string): Promise<Folder> {
    const folder = new Folder(path, await freePorts(PORTS));
    mkdirSync(join(path, "dist"), { recursive: true });
    symlinkSync(BINARY, join(path, "dist", "chatpeer"));
    symlinkSync(`${BINARY}.js`, join(path, "dist", "chatpeer.js"));
    mkdirSync(join(path, "scripts"));
    writeFileSync(join(path, "scripts/with-bun.sh"), `exec sh ${ROOT}/scripts/with-bun.sh "$@"\n`);
    cpSync(join(ROOT, "run_p2p.sh"), join(path, "run_p2p.sh"));
    cpSync(join(ROOT, "docs"), join(path, "docs"), { recursive: true });
    for (const name of readdirSync(join(path, "docs")).filter((file) => file.endsWith(".yml"))) {
      const file = join(path, "docs", name);
      writeFileSync(file, folder.here(readFileSync(file, "utf8")));
    }
    return folder;
  }

  /** The port that stands for 6000 + `digit`. */
  port(digit: number): number {
    return this.#ports[digit - 1] as number;
  }

  /** The ports of the pages, 6001 to 6009, are taken as these; the machines of the pages are this one. */
  here(text: string): string {
    return text
      .replace(/\b600([1-9])\b/g, (_, digit) => `${this.port(Number(digit))}`)
      .replace(/\b600\$2\b/g, `$(echo ${this.#ports.slice(0, 3).join(" ")} | cut -d' ' -f$2)`)
      .replace(/\b10\.0\.0\.[0-9]\b/g, "127.0.0.1");
  }
}

/** Matches what a page shows, in which `…` stands for whatever differs. */
export function patternOf(shown: string): string {
  return shown
    .split("…")
    .map((part) => part.replace(/[\\^$.*+?()[\]{}|/]/g, "\\$&"))
    .join(".*");
}
