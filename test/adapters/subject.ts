/**
 * A secured network in a process of its own, so that each runtime can be tried. It listens and says on which port. Commands
 * come in as JSON lines; what its handlers are told goes out as JSON lines.
 */
import { systemClock } from "../../src/adapters/clock.ts";
import { tlsNetwork } from "../../src/adapters/tls-network.ts";
import type { Command, Setup, Told } from "./subjects.ts";

const { own, limits }: Setup = JSON.parse(process.argv[2] as string);
const tell = (told: Told) => void process.stdout.write(`${JSON.stringify(told)}\n`);
const network = tlsNetwork(own, { clock: systemClock, warn: (warning) => tell({ warning }), limits });
const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);

network.listen(
  "127.0.0.1",
  0,
  (connection) => {
    tell({ accepted: connection.identity });
    // To this one, whoever has a key is a member.
    if (connection.identity !== null) connection.recognise?.();
    return {
      data(bytes) {
        tell({ heard: text(bytes) });
        connection.write(bytes);
      },
      drain: () => {},
      close: (code) => tell({ left: code }),
    };
  },
  (error, listener) => {
    if (listener === null) throw error;
    tell({ port: listener.port });
  },
);

function dial({ port, expected }: Extract<Command, { readonly port: number }>): void {
  const connection = network.connect(
    "127.0.0.1",
    port,
    {
      open: () => tell({ opened: connection.identity }),
      data(bytes) {
        tell({ answered: text(bytes) });
        connection.end();
      },
      drain: () => {},
      close: (code) => tell({ closed: code }),
    },
    expected,
  );
  connection.write(new TextEncoder().encode("secret"));
}

let input = "";
process.stdin.on("data", (bytes: Uint8Array) => {
  const lines = (input + text(bytes)).split("\n");
  input = lines.pop() as string;
  for (const line of lines) {
    const command: Command = JSON.parse(line);
    if ("port" in command) dial(command);
    else tell({ rss: process.memoryUsage().rss });
  }
});
process.stdin.on("end", () => process.exit(0));
