/** NATS JetStream, a stream with three replicas: a message is confirmed when a majority has written it. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { type JetStreamClient, jetstream, jetstreamManager, StorageType } from "@nats-io/jetstream";
import { connect, type NatsConnection } from "@nats-io/transport-node";
import { eventually, type Other, Servers, type Service } from "./other.ts";
import { freePorts } from "./processes.ts";

const NAMES = ["n1", "n2", "n3"];
const STREAM = "bench";
/** A message that is not confirmed in this time is sent again. */
const PUBLISH_MS = 500;

/** `always`: every message is synced, known from 2.10 on; `default`: every two minutes. */
export function nats(sync: "default" | "always"): Other {
  return {
    name: `NATS JetStream R3${sync === "always" ? ", sync always" : ""}`,
    missing() {
      if (Bun.which("nats-server") === null) return "there is no nats-server on the PATH";
      const version = /v([0-9]+)\.([0-9]+)/.exec(Bun.spawnSync(["nats-server", "--version"]).stdout.toString());
      const old = Number(version?.[1]) < 2 || (Number(version?.[1]) === 2 && Number(version?.[2]) < 10);
      return sync === "always" && old ? `nats-server ${version?.[0]} does not know sync_interval: always` : null;
    },
    start: (folder) => start(folder, sync),
  };
}

async function start(folder: string, sync: "default" | "always"): Promise<Service> {
  const servers = new Servers(folder);
  const ports = await freePorts(6);
  const routes = ports.slice(3).map((port) => `nats://127.0.0.1:${port}`);
  for (const [i, name] of NAMES.entries()) {
    const config = join(servers.dir(name), "nats.conf");
    const [port, routePort] = [ports[i] as number, ports[i + 3] as number];
    writeFileSync(config, natsConfig({ name, folder: servers.dir(name), port, routePort, routes, sync }));
    servers.spawn(name, "nats-server", "-c", config);
  }
  const urls = ports.slice(0, 3).map((port) => `127.0.0.1:${port}`);
  const options = { noRandomize: true, reconnectTimeWait: 10, reconnectJitter: 0, maxReconnectAttempts: -1 };
  const first = await eventually("NATS does not answer", () => connect({ ...options, servers: urls }));
  const config = { name: STREAM, subjects: [STREAM], num_replicas: 3, storage: StorageType.File };
  await eventually("NATS makes no stream", async () => (await jetstreamManager(first)).streams.add(config));
  const leader = await eventually("the stream has no leader", () => leaderOf(first));
  await first.close();
  // As ours: sent through another one than the leader, which is then killed.
  const others = urls.filter((_, i) => NAMES[i] !== leader);
  const connection = await connect({ ...options, servers: [...others, ...urls] });
  const js = jetstream(connection, { timeout: PUBLISH_MS });
  return {
    send: (text, window, enough, confirmed) => send(js, text, window, enough, confirmed),
    killLeader: async () => servers.kill(await leaderOf(connection)),
    async close() {
      await connection.close();
      await servers.end();
    },
  };
}

/** One server's configuration file. What stands on one line is parted by commas: from 2.10 on spaces do not part it. */
export function natsConfig(server: {
  readonly name: string;
  readonly folder: string;
  readonly port: number;
  readonly routePort: number;
  readonly routes: readonly string[];
  readonly sync: "default" | "always";
}): string {
  const { name, folder, port, routePort, routes, sync } = server;
  const synced = sync === "always" ? ", sync_interval: always" : "";
  return `server_name: ${name}
listen: 127.0.0.1:${port}
jetstream { store_dir: ${JSON.stringify(folder)}${synced} }
cluster { name: bench, listen: 127.0.0.1:${routePort}, routes: ${JSON.stringify(routes)} }
`;
}

async function leaderOf(connection: NatsConnection): Promise<string> {
  const { cluster } = await (await jetstreamManager(connection)).streams.info(STREAM);
  if (cluster?.leader === undefined || cluster.leader === "") throw new Error("no leader");
  return cluster.leader;
}

function send(
  js: JetStreamClient,
  text: string,
  window: number,
  enough: () => boolean,
  confirmed: (messages: number) => void,
): Promise<void> {
  const one = async () => {
    while (!enough()) {
      try {
        await js.publish(STREAM, text);
        confirmed(1);
      } catch {
        // No leader, or no answer in time: again, after a moment for the others.
        await Bun.sleep(5);
      }
    }
  };
  return Promise.all(Array.from({ length: window }, one)).then(() => {});
}
