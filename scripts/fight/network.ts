/**
 * The hosts: network namespaces on a bridge, which lies in a namespace of its own, so that several fights on one machine never
 * meet. Where none can be made (no root, no Linux) every host is some addresses of the loopback, and its line is never touched.
 *
 *     ┌ switch ───────────────────────┐
 *     │  br0 ── h1   h2   h3   h4   h5 │       host 3: eth0, 10.77.3.k; k goes up with each move
 *     └─────────│────│────│────│────│─┘
 *             eth0 eth0 eth0 eth0 eth0
 */
import { command, works } from "./command.ts";
import { type Fault, HOSTS } from "./plan.ts";

export interface Network {
  /** For people. */
  readonly name: string;
  /** Faults that cannot be made here, and why. */
  readonly missing: ReadonlyMap<Fault, string>;
  /** The address of a host now. */
  address(host: number): string;
  /** The command as it runs on that host. */
  on(host: number, ...words: readonly string[]): string[];
  /** The host has another address from now on. */
  move(host: number): void;
  /** Nothing that `from` sends arrives at `to`. */
  cut(from: number, to: number): void;
  /** The host's cable is pulled out. */
  unplug(host: number): void;
  /** Of a host's line, both ways. */
  slow(host: number, kbit: number): void;
  delay(host: number, ms: number): void;
  lose(host: number, percent: number): void;
  /** All lines are as they were at first. */
  heal(): void;
  close(): void;
}

const ALL: readonly number[] = Array.from({ length: HOSTS }, (_, i) => i + 1);
/** Moves of a host until it has its first address again. */
const ADDRESSES = 250;

/** `name` is unique among the fights of this machine. */
export function openNetwork(name: string): Network {
  try {
    return new Namespaces(name);
  } catch (error) {
    return new Loopback((error as Error).message);
  }
}

class Namespaces implements Network {
  readonly name = "five hosts in network namespaces";
  readonly missing = new Map<Fault, string>();
  readonly #prefix: string;
  readonly #moves = new Map<number, number>();

  constructor(prefix: string) {
    this.#prefix = prefix;
    try {
      command("ip", "netns", "add", this.#switch);
      command("ip", "-n", this.#switch, "link", "add", "br0", "type", "bridge");
      command("ip", "-n", this.#switch, "link", "set", "br0", "up");
      for (const host of ALL) this.#add(host);
      this.#probe();
    } catch (error) {
      this.close();
      throw error;
    }
  }

  address(host: number): string {
    return `10.77.${host}.${1 + ((this.#moves.get(host) ?? 0) % ADDRESSES)}`;
  }

  on(host: number, ...words: readonly string[]): string[] {
    return ["ip", "netns", "exec", this.#host(host), ...words];
  }

  move(host: number): void {
    const address = (change: "del" | "add") =>
      command("ip", "-n", this.#host(host), "addr", change, `${this.address(host)}/16`, "dev", "eth0");
    address("del");
    this.#moves.set(host, (this.#moves.get(host) ?? 0) + 1);
    address("add");
  }

  cut(from: number, to: number): void {
    this.#drop(to, from);
  }

  unplug(host: number): void {
    command("ip", "-n", this.#switch, "link", "set", `h${host}`, "down");
  }

  slow(host: number, kbit: number): void {
    this.#shape(host, "tbf", "rate", `${kbit}kbit`, "burst", "16kb", "latency", "400ms");
  }

  delay(host: number, ms: number): void {
    this.#shape(host, "netem", "delay", `${ms / 2}ms`);
  }

  lose(host: number, percent: number): void {
    const sometimes = ["-m", "statistic", "--mode", "random", "--probability", `${percent / 100}`];
    for (const other of ALL)
      if (other !== host) {
        this.#drop(host, other, ...sometimes);
        this.#drop(other, host, ...sometimes);
      }
  }

  heal(): void {
    for (const host of ALL) {
      if (!this.missing.has("cut")) command(...this.on(host, "iptables", "-F", "INPUT"));
      command("ip", "-n", this.#switch, "link", "set", `h${host}`, "up");
      // Whose line has no such rule has nothing to be removed.
      works("tc", "-n", this.#host(host), "qdisc", "del", "dev", "eth0", "root");
      works("tc", "-n", this.#switch, "qdisc", "del", "dev", `h${host}`, "root");
    }
  }

  close(): void {
    for (const name of [...ALL.map((host) => this.#host(host)), this.#switch]) works("ip", "netns", "del", name);
  }

  get #switch(): string {
    return `${this.#prefix}-switch`;
  }

  #host(host: number): string {
    return `${this.#prefix}-h${host}`;
  }

  #add(host: number): void {
    const name = this.#host(host);
    command("ip", "netns", "add", name);
    const cable = ["link", "add", `h${host}`, "type", "veth", "peer", "name", "eth0", "netns", name];
    command("ip", "-n", this.#switch, ...cable);
    command("ip", "-n", this.#switch, "link", "set", `h${host}`, "master", "br0", "up");
    command("ip", "-n", name, "addr", "add", `${this.address(host)}/16`, "dev", "eth0");
    command("ip", "-n", name, "link", "set", "eth0", "up");
    command("ip", "-n", name, "link", "set", "lo", "up");
  }

  #drop(at: number, from: number, ...when: readonly string[]): void {
    const what = ["-i", "eth0", "-s", `10.77.${from}.0/24`, ...when, "-j", "DROP"];
    command(...this.on(at, "iptables", "-A", "INPUT", ...what));
  }

  #shape(host: number, ...how: readonly string[]): void {
    command("tc", "-n", this.#host(host), "qdisc", "replace", "dev", "eth0", "root", ...how);
    command("tc", "-n", this.#switch, "qdisc", "replace", "dev", `h${host}`, "root", ...how);
  }

  /** Kernels lack one or the other. */
  #probe(): void {
    const [host, other] = [1, 2];
    const probes: readonly [readonly Fault[], () => void][] = [
      [["cut", "cut-way", "split"], () => this.cut(other, host)],
      [["lossy-line"], () => this.lose(host, 1)],
      [["slow-line"], () => this.slow(host, 1000)],
      [["far-line"], () => this.delay(host, 1)],
    ];
    for (const [faults, make] of probes)
      try {
        make();
      } catch (error) {
        for (const fault of faults) this.missing.set(fault, (error as Error).message);
      }
    this.heal();
  }
}

class Loopback implements Network {
  readonly name: string;
  readonly missing: ReadonlyMap<Fault, string>;
  /** Of 127.0.0.0/8, so that fights at the same time do not meet. */
  readonly #net = 1 + Math.floor(Math.random() * 254);
  readonly #moves = new Map<number, number>();

  constructor(why: string) {
    this.name = "five hosts on addresses of the loopback";
    const lines: readonly Fault[] = ["cut", "cut-way", "split", "unplug", "lossy-line", "slow-line", "far-line"];
    this.missing = new Map(lines.map((fault) => [fault, why]));
  }

  address(host: number): string {
    return `127.${this.#net}.${host}.${1 + ((this.#moves.get(host) ?? 0) % ADDRESSES)}`;
  }

  on(_host: number, ...words: readonly string[]): string[] {
    return [...words];
  }

  move(host: number): void {
    this.#moves.set(host, (this.#moves.get(host) ?? 0) + 1);
  }

  cut(): void {}
  unplug(): void {}
  slow(): void {}
  delay(): void {}
  lose(): void {}
  heal(): void {}
  close(): void {}
}
