/** The files in which a directory keeps who its peer is. */
import { afterEach, expect, test } from "bun:test";
import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { keyNoted, makeKeys, openKeys } from "../../src/adapters/key-files.ts";

const made: string[] = [];

function directory(): string {
  const path = mkdtempSync(join(tmpdir(), "chatpeer-keys-"));
  made.push(path);
  return path;
}

afterEach(() => {
  for (const path of made.splice(0)) rmSync(path, { recursive: true });
});

const refusal = (path: string) =>
  openKeys(path).then(
    () => null,
    ({ code, message }) => ({ code, message }),
  );

test("they are made once, for this user alone, and are the same ever after", async () => {
  const path = directory();
  expect(await openKeys(path)).toBeNull();
  const before = process.umask(0);
  const keys = await makeKeys(path).finally(() => process.umask(before));
  expect(readdirSync(path).sort()).toEqual(["cert.pem", "key.pem"]);
  for (const file of readdirSync(path)) expect(statSync(join(path, file)).mode & 0o777).toBe(0o600);
  expect(await openKeys(path)).toEqual(keys);
  expect(readFileSync(join(path, "key.pem"), "utf8")).toStartWith("-----BEGIN PRIVATE KEY-----");
  await expect(makeKeys(path)).rejects.toMatchObject({ code: "EEXIST" });
  expect(await openKeys(path)).toEqual(keys);
});

test("the key is told without a look at what it is worth; not where there is none, or where others can read it", async () => {
  const path = directory();
  expect(await keyNoted(path)).toBeNull();
  const { key } = await makeKeys(path);
  expect(await keyNoted(path)).toBe(key);
  chmodSync(join(path, "key.pem"), 0o640);
  await expect(keyNoted(path)).rejects.toMatchObject({ code: "EACCES" });
  rmSync(join(path, "key.pem"));
  expect(await keyNoted(path)).toBeNull();
});

test.each(["key.pem", "cert.pem"])(
  "nothing is made beside a %s that is there, and it is left as it is",
  async (file) => {
    const path = directory();
    writeFileSync(join(path, file), "mine");
    await expect(makeKeys(path)).rejects.toMatchObject({ code: "EEXIST" });
    expect(readdirSync(path)).toEqual([file]);
    expect(readFileSync(join(path, file), "utf8")).toBe("mine");
  },
);

test.each([0o640, 0o604, 0o660, 0o644, 0o601])("a key of mode %o is refused, with what to do", async (mode) => {
  const path = directory();
  await makeKeys(path);
  const key = join(path, "key.pem");
  chmodSync(key, mode);
  expect(await refusal(path)).toEqual({ code: "EACCES", message: expect.stringContaining(`chmod 600 ${key}`) });
  chmodSync(key, 0o600);
  expect(await refusal(path)).toBeNull();
});

test("one without the other is refused, and neither is made anew", async () => {
  const path = directory();
  await makeKeys(path);
  const [key, certificate] = [join(path, "key.pem"), join(path, "cert.pem")];
  const kept = readFileSync(certificate);
  rmSync(certificate);
  expect(await refusal(path)).toEqual({
    code: "ENOENT",
    message: expect.stringMatching(/key\.pem is there, and its certificate .*cert\.pem is not: put it back/),
  });
  writeFileSync(certificate, kept);
  rmSync(key);
  expect(await refusal(path)).toEqual({
    code: "ENOENT",
    message: expect.stringMatching(/cert\.pem is there, and its key .*key\.pem is not: put it back/),
  });
  expect(readdirSync(path)).toEqual(["cert.pem"]);
});

test.each(["", "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n"])(
  "files that are damaged, or another peer's, are refused (%j)",
  async (damaged) => {
    const [path, other] = [directory(), directory()];
    await makeKeys(path);
    await makeKeys(other);
    const certificate = join(path, "cert.pem");
    writeFileSync(certificate, readFileSync(join(other, "cert.pem")));
    expect(await refusal(path)).toEqual({ code: "EINVAL", message: expect.stringContaining("of another key") });
    writeFileSync(certificate, damaged);
    expect(await refusal(path)).toEqual({ code: "EINVAL", message: expect.stringContaining("cannot be used") });
  },
);
