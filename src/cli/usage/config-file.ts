/**
 * A configuration file, YAML or JSON: the keys are the flags' names (`_` may stand for `-`), and those of the two systems
 * this one follows. Everything that is wrong in it is said at once, each with its line.
 */
import { closeSync, openSync, readSync } from "node:fs";
import * as v from "valibot";
import { isMap, isScalar, LineCounter, type Pair, parseDocument } from "yaml";
import { nearest } from "../../nearest.ts";
import { visible } from "../screen/visible.ts";
import { type Flag, maySet, type Setting } from "./flag.ts";
import { UsageError } from "./flag-values.ts";
import { CONFIG } from "./settings.ts";

/** A file of settings is a page; this is a mistaken argument. */
const FILE_BYTES_MAX = 1024 * 1024;
/** One slip may make much of what follows wrong. */
const WRONG_SHOWN_MAX = 20;

/** Throws UsageError, a line for each thing that is wrong. */
export function readConfigFile(file: string, flags: readonly Flag[]): Map<string, Setting> {
  return parseConfig(
    readText(file),
    file,
    flags.filter(({ name }) => name !== CONFIG),
  );
}

function readText(file: string): string {
  try {
    const bytes = readBeginning(file, FILE_BYTES_MAX + 1);
    if (bytes.length > FILE_BYTES_MAX)
      throw new UsageError(`${file} has more than ${FILE_BYTES_MAX} bytes: that is no file of settings`);
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch (error) {
    if (error instanceof UsageError) throw error;
    throw new UsageError(`cannot read the configuration file ${file}: ${(error as Error).message}`);
  }
}

/** Limit in bytes: a pipe or a device does not say how many it has, and may have no end. */
function readBeginning(file: string, bytesMax: number): Uint8Array {
  const bytes = new Uint8Array(bytesMax);
  const fd = openSync(file, "r");
  try {
    let done = 0;
    for (let got = -1; got !== 0 && done < bytesMax; done += got)
      got = readSync(fd, bytes, done, bytesMax - done, null);
    return bytes.subarray(0, done);
  } finally {
    closeSync(fd);
  }
}

export function parseConfig(text: string, file: string, flags: readonly Flag[]): Map<string, Setting> {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false });
  const at = (offset: number) => `${file}:${lines.linePos(offset).line}`;
  const broken = [...document.errors, ...document.warnings].map((e) => `${at(e.pos[0])}: ${e.message}`);
  if (broken.length > 0) throw allWrong(broken);
  if (document.contents === null) return new Map();
  if (!isMap(document.contents))
    throw new UsageError(`${file}: a configuration file is made of lines like \`id: 1\`, this one is something else`);
  const found = new Map<string, Setting>();
  const wrong: string[] = [];
  for (const pair of document.contents.items) {
    const { key, offset } = keyOf(pair);
    const place = at(offset);
    const flag = flagOf(key, flags);
    if (flag === undefined) {
      wrong.push(`${place}: there is no setting ${visible(key)}${suggestion(key, flags)}`);
      continue;
    }
    const before = found.get(flag.name);
    if (before !== undefined) {
      wrong.push(`${place}: ${key} says what ${before.label} says already: keep one of them`);
      continue;
    }
    const value = plainValue(pair, document, place);
    // A key without a value is a line that somebody left to be filled in.
    if (value === null) continue;
    const read = v.safeParse(SHAPES[flag.setting as keyof typeof SHAPES], value);
    if (read.success) found.set(flag.name, { values: read.output, label: `${place}: ${key}`, from: place });
    else wrong.push(`${place}: ${key} must be ${WANTED[flag.setting as keyof typeof WANTED]}, not ${shown(value)}`);
  }
  if (wrong.length > 0) throw allWrong(wrong);
  return found;
}

function allWrong(lines: readonly string[]): UsageError {
  const more = lines.length - WRONG_SHOWN_MAX;
  return new UsageError([...lines.slice(0, WRONG_SHOWN_MAX), ...(more > 0 ? [`and ${more} more`] : [])].join("\n"));
}

/** How a value is written, and the text that the flag would have for it. */
const text = v.pipe(
  v.string(),
  v.transform((value) => [value]),
);
const number = v.pipe(
  v.number(),
  v.safeInteger(),
  v.transform((value) => [String(value)]),
);
const peerId = { id: v.exactOptional(v.number()), node_id: v.exactOptional(v.number()) };
const peer = v.pipe(
  v.strictObject({ ...peerId, host: v.string(), port: v.number() }),
  v.check(({ id, node_id }) => (id === undefined) !== (node_id === undefined)),
  v.transform(({ id, node_id, host, port }) => `${id ?? node_id}:${host.includes(":") ? `[${host}]` : host}:${port}`),
);
const SHAPES = {
  text,
  number,
  time: v.pipe(
    v.union([v.number(), v.string()]),
    v.transform((value) => [String(value)]),
  ),
  switch: v.pipe(
    v.boolean(),
    v.transform((value) => [String(value)]),
  ),
  seeds: v.union([text, v.array(v.union([v.string(), peer]))]),
} satisfies Record<NonNullable<Flag["setting"]>, v.GenericSchema<unknown, string[]>>;

const WANTED: Record<keyof typeof SHAPES, string> = {
  text: "a text (in quotes where it looks like something else)",
  number: "a whole number",
  time: "a time like 200ms or 1.2s, or a number of milliseconds",
  switch: "true or false",
  seeds: "a list of peers, each ID:HOST:PORT in quotes or {id, host, port}",
};

function keyOf({ key }: Pair): { readonly key: string; readonly offset: number } {
  const offset = (key as { range?: [number, number, number] | null } | null)?.range?.[0] ?? 0;
  return { key: isScalar(key) ? String(key.value) : "?", offset };
}

function plainValue(pair: Pair, document: ReturnType<typeof parseDocument>, place: string): unknown {
  const value = pair.value as { toJS?: (document: unknown, options: object) => unknown } | null;
  try {
    return value?.toJS?.(document, { maxAliasCount: 0 }) ?? null;
  } catch (error) {
    throw new UsageError(`${place}: ${(error as Error).message}`);
  }
}

function flagOf(key: string, flags: readonly Flag[]): Flag | undefined {
  const name = key.replaceAll("_", "-");
  return flags.find((flag) => maySet(flag) && (flag.name === name || flag.alsoKeys?.includes(key)));
}

function suggestion(key: string, flags: readonly Flag[]): string {
  const keys = flags.filter(maySet).flatMap((flag) => [flag.name, ...(flag.alsoKeys ?? [])]);
  const close = nearest(key, keys) ?? nearest(key.replaceAll("_", "-"), keys);
  return close === null ? "" : `, did you mean ${close}?`;
}

function shown(value: unknown): string {
  const said = JSON.stringify(value) ?? String(value);
  return `${said.slice(0, 80)}${said.length > 80 ? "…" : ""}`;
}
