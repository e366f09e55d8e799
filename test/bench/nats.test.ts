import { describe, expect, test } from "bun:test";
import { natsConfig } from "../../bench/nats.ts";

const SERVER = { name: "n1", folder: "/tmp/n1", port: 4222, routePort: 4322, routes: ["nats://127.0.0.1:4322"] };

describe("the configuration of a NATS server", () => {
  test("parts what stands on one line by commas, as nats-server 2.10 and later want it", () => {
    const lines = natsConfig({ ...SERVER, sync: "always" }).split("\n");
    expect(lines).toContain('jetstream { store_dir: "/tmp/n1", sync_interval: always }');
    for (const line of lines) {
      const block = /\{(.*)\}/.exec(line)?.[1] ?? "";
      // A key begins the block or stands behind a comma.
      for (const [, before] of block.matchAll(/(\S+) +[a-z_]+: /g)) expect(before).toEndWith(",");
    }
  });

  test("says nothing of syncing where the preset is measured", () => {
    expect(natsConfig({ ...SERVER, sync: "default" })).toContain('jetstream { store_dir: "/tmp/n1" }');
  });
});
