/** One cluster of three runtimes: the compiled binary, the Node bundle and Deno on the sources; and the package. */
import { afterEach, expect, test } from "bun:test";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { freePorts } from "../../bench/processes.ts";
import { BINARY, Cluster, endAll, type PeerProcess, ROOT, RUNTIMES, run, sentBy } from "./harness.ts";
import { checkHistory, saidBy } from "./history.ts";

afterEach(endAll);

const texts = (prefix: string, count: number) => Array.from({ length: count }, (_, i) => `${prefix}-${i + 1}`);

test("binary, Node and Deno are one cluster: 3 × 2,000 messages, the leader killed in the middle and restarted", async () => {
  const cluster = await Cluster.reserve(3);
  const runtimeOf = ["binary", "node", "deno"] as const;
  for (const id of [1, 2, 3]) cluster.start(id, { runtime: runtimeOf[id - 1] as "binary" });
  await cluster.formed(3);
  const first = [...cluster.peers.values()];
  for (const [id, peer] of cluster.peers) peer.say(...texts(`p${id}`, 2000));
  await cluster.peer(1).until("a part is delivered", () => cluster.peer(1).messages.length > 1000);
  const leader = first[2] as PeerProcess;
  await leader.stop();
  const back = cluster.start(3, { runtime: "deno" });
  await cluster.drained();
  const chats = checkHistory(
    [1, 2, 3].map((id) => cluster.dir(id)),
    sentBy([...first, back]),
  );
  for (const id of [1, 2]) expect(saidBy(id, chats)).toEqual(texts(`p${id}`, 2000));
  const taken = saidBy(3, chats);
  expect(taken).toEqual(texts("p3", taken.length));
  expect(taken.length).toBeGreaterThanOrEqual(leader.all("pending").length);
  const { code } = await run([BINARY, "verify", ...[1, 2, 3].map((id) => cluster.dir(id))]);
  expect(code).toBe(0);
  await cluster.stop();
}, 120_000);

for (const runtime of ["binary", "node", "deno"] as const) {
  test(`1 MiB of history reaches a slow reader whole (${runtime})`, async () => {
    const cluster = await Cluster.reserve(1);
    const peer = cluster.start(1, { args: ["--log-level", "off"] });
    const text = "x".repeat(1000);
    peer.say(...Array.from({ length: 1200 }, (_, i) => `${i}:${text}`));
    peer.endInput();
    expect(await peer.exited).toBe(0);
    const [program, ...rest] = RUNTIMES[runtime] as readonly [string, ...string[]];
    const child = Bun.spawn([program, ...rest, "log", cluster.dir(1), "--json"], { stdout: "pipe", stderr: "inherit" });
    const reader = child.stdout.getReader();
    const decoder = new TextDecoder();
    let out = "";
    for (let i = 0; ; i++) {
      const { done, value } = await reader.read();
      if (done) break;
      out += decoder.decode(value, { stream: true });
      // A reader that lets the pipe run full now and then.
      if (i % 4 === 0) await Bun.sleep(5);
    }
    expect(await child.exited).toBe(0);
    const lines = out
      .split("\n")
      .slice(0, -1)
      .map((line) => JSON.parse(line));
    expect(lines.length).toBe(1200);
    expect(lines.map((l) => l.seq_no)).toEqual(Array.from({ length: 1200 }, (_, i) => i + 1));
    await cluster.stop();
  }, 60_000);
}

test("the packed package embeds a peer in Node 20: submit, messages, status, close", async () => {
  const folder = mkdtempSync(join(tmpdir(), "chatpeer-pack-"));
  const packed = await run(["npm", "pack", "--ignore-scripts", "--pack-destination", folder]);
  expect(packed.code).toBe(0);
  const archive = packed.out.trim().split("\n").at(-1) as string;
  writeFileSync(join(folder, "package.json"), '{ "name": "user", "type": "module", "private": true }');
  const installed = await run([
    "npm",
    "install",
    "--prefix",
    folder,
    "--no-audit",
    "--no-fund",
    "--prefer-offline",
    join(folder, archive),
  ]);
  expect(`${installed.code} ${installed.err}`).toStartWith("0 ");
  const [port] = (await freePorts(1)) as [number];
  // The example of docs/embed.md, word for word, with a port and a directory of this test.
  const page = await Bun.file(`${ROOT}docs/embed.md`).text();
  const example = /```js\n([\s\S]*?)```/.exec(page)?.[1];
  expect(example).toBeDefined();
  writeFileSync(
    join(folder, "example.js"),
    (example as string).replace("./data/log-1", join(folder, "data")).replace("id: 1,", `id: 1, port: ${port},`),
  );
  const child = Bun.spawn(["node", "example.js"], { cwd: folder, stdout: "pipe", stderr: "pipe" });
  const [out, err, code] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
    child.exited,
  ]);
  expect(err).toBe("");
  expect(code).toBe(0);
  expect(out).toContain("1 Hello");
  rmSync(folder, { recursive: true, force: true });
}, 60_000);

test("a program bundled in CommonJS, where there is no import.meta, embeds a peer", async () => {
  const folder = mkdtempSync(join(tmpdir(), "chatpeer-cjs-"));
  const data = JSON.stringify(join(folder, "data"));
  writeFileSync(
    join(folder, "user.mjs"),
    `import { createPeer } from "${ROOT}dist/index.js";
    createPeer({ id: 1, port: 0, dataDir: ${data}, timings: { founding: 1 } }).then(async (peer) => {
      const submission = await peer.submit("Hello");
      console.log((await submission.sent()).seq_no);
      await peer.close();
    });`,
  );
  const entrypoints = [join(folder, "user.mjs")];
  // As esbuild does; Bun would put this machine's path there.
  const define = { "import.meta.url": "undefined" };
  const built = await Bun.build({
    entrypoints,
    format: "cjs",
    target: "node",
    outdir: folder,
    naming: "user.cjs",
    define,
  });
  expect(built.success).toBe(true);
  expect(await run(["node", join(folder, "user.cjs")])).toEqual({ code: 0, out: "1\n", err: "" });
  rmSync(folder, { recursive: true });
});

test("an older Node, which cannot read the program, is told what is needed", async () => {
  const older = 'Object.defineProperty(process, "versions", { value: { ...process.versions, node: "18.19.0" } })';
  const { code, out, err } = await run([
    "node",
    "--import",
    `data:text/javascript,${older}`,
    `${ROOT}dist/chatpeer.js`,
  ]);
  expect([code, out, err]).toEqual([2, "", "chatpeer: Node.js 20 or later is needed, this is 18.19.0\n"]);
});
