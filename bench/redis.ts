/** Redis Streams, one primary and two replicas: a batch is confirmed when `WAIT 1` says that a replica has it too. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { createClient } from "redis";
import { eventually, type Other, Servers, type Service } from "./other.ts";
import { freePorts } from "./processes.ts";

const STREAM = "bench";
/** Messages of one batch at most: WAIT holds up its connection, so one batch is under way at a time. */
const BATCH = 1000;
/** A primary that was not heard for this long is replaced. It is our default leader timeout. */
const DOWN_MS = 1200;
const WAIT_MS = 500;
const FLAGS = ["--bind", "127.0.0.1", "--save", "", "--appendonly", "yes", "--appendfsync", "always"];

type Client = ReturnType<typeof createClient>;

export const redis: Other = {
  name: "Redis Streams + WAIT 1, appendfsync always",
  missing: () => (Bun.which("redis-server") === null ? "there is no redis-server on the PATH" : null),
  start,
};

async function start(folder: string): Promise<Service> {
  const servers = new Servers(folder);
  const ports = await freePorts(6);
  const [primary, ...replicas] = ports.slice(0, 3) as [number, number, number];
  const sentinels = ports.slice(3);
  const nameOf = (port: number) => `redis${ports.indexOf(port) + 1}`;
  servers.spawn(nameOf(primary), "redis-server", "--port", `${primary}`, ...FLAGS);
  for (const port of replicas)
    servers.spawn(
      nameOf(port),
      "redis-server",
      "--port",
      `${port}`,
      "--replicaof",
      "127.0.0.1",
      `${primary}`,
      ...FLAGS,
    );
  for (const port of sentinels) {
    const config = join(servers.dir(nameOf(port)), "sentinel.conf");
    writeFileSync(
      config,
      `port ${port}
bind 127.0.0.1
sentinel monitor bench 127.0.0.1 ${primary} 2
sentinel down-after-milliseconds bench ${DOWN_MS}
sentinel failover-timeout bench 5000
`,
    );
    servers.spawn(nameOf(port), "redis-server", config, "--sentinel");
  }
  const sentinel = await eventually("the sentinel does not answer", () => open(sentinels[0] as number));
  await eventually("Redis has not two replicas and three sentinels", async () => {
    const master = pairs(await sentinel.sendCommand(["SENTINEL", "MASTER", "bench"]));
    if (master.get("num-slaves") !== "2" || master.get("num-other-sentinels") !== "2") throw new Error("not yet");
    for (const replica of (await sentinel.sendCommand(["SENTINEL", "REPLICAS", "bench"])) as unknown as string[][])
      if (pairs(replica).get("master-link-status") !== "ok") throw new Error("a replica has no link");
  });
  const primaryNow = async () =>
    Number(((await sentinel.sendCommand(["SENTINEL", "GET-MASTER-ADDR-BY-NAME", "bench"])) as unknown as string[])[1]);
  let client = await open(primary);
  const again = async () => {
    client.destroy();
    client = await eventually("no primary answers", async () => open(await primaryNow()));
  };
  return {
    async send(text, window, enough, confirmed) {
      while (!enough()) {
        const batch = Math.min(window, BATCH);
        try {
          const added = Array.from({ length: batch }, () => client.xAdd(STREAM, "*", { text }));
          const [replicas] = await Promise.all([client.sendCommand(["WAIT", "1", `${WAIT_MS}`]), ...added]);
          if (Number(replicas) >= 1) confirmed(batch);
        } catch {
          await Bun.sleep(5);
          await again();
        }
      }
    },
    killLeader: async () => servers.kill(nameOf(await primaryNow())),
    async close() {
      client.destroy();
      sentinel.destroy();
      await servers.end();
    },
  };
}

async function open(port: number): Promise<Client> {
  const client = createClient({ socket: { host: "127.0.0.1", port, reconnectStrategy: false }, RESP: 2 });
  client.on("error", () => {});
  await client.connect();
  return client as Client;
}

/** An answer of names and values in turn. */
function pairs(answer: unknown): Map<string, string> {
  const flat = answer as string[];
  return new Map(flat.flatMap((name, i) => (i % 2 === 0 ? [[name, flat[i + 1] as string] as const] : [])));
}
