/** The Network contract as a program, for Node.js and Deno. */
import { nodeNetwork } from "../../src/adapters/node-network.ts";
import { networkContract } from "../host/net/network-contract.ts";
import { run } from "./bun-test.ts";
import { overTls, under } from "./networks.ts";

networkContract("node:net", under(nodeNetwork));
networkContract("TLS", overTls);
await run();
