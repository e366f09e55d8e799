/** The operator's log: records up to a level, none of which waits for a reader. */
import type { HostEvent, LogRecord } from "../../host/events.ts";
import type { Output } from "../process/output.ts";
import { runtimeName, VERSION } from "../process/runtime.ts";

const LEVELS: readonly LogRecord["level"][] = ["error", "warn", "info", "debug"];

/** The first line of an operator's log says which peer writes it. */
export function firstRecord(
  { id, host, port, cluster_id }: Extract<HostEvent, { event: "started" }>,
  dataDir: string,
  time: number,
): LogRecord {
  const cluster = cluster_id === null ? "in no cluster yet" : `cluster ${cluster_id}`;
  const message = `chatpeer ${VERSION} (${runtimeName()}): peer ${id} listens on ${host}:${port}, data in ${dataDir}, ${cluster}`;
  return { level: "info", time, peer: id, role: "starting", term: 0, message };
}

export class OperatorLog {
  readonly #levels: readonly LogRecord["level"][];
  readonly #output: Pick<Output, "behind">;
  readonly #show: (record: LogRecord) => void;
  /** Records that were dropped, because the reader is behind. */
  #missing = 0;

  /** `show` writes a record to `output`, where it does not show it elsewhere. */
  constructor(level: LogRecord["level"] | "off", output: Pick<Output, "behind">, show: (record: LogRecord) => void) {
    this.#levels = level === "off" ? [] : LEVELS.slice(0, LEVELS.indexOf(level) + 1);
    this.#output = output;
    this.#show = show;
  }

  take(record: LogRecord): void {
    if (!this.#levels.includes(record.level)) return;
    if (this.#output.behind) {
      this.#missing++;
      return;
    }
    if (this.#missing > 0) {
      const message = `${this.#missing} records are missing here: nobody read this log for a while`;
      this.#show({ ...record, level: "warn", message });
    }
    this.#missing = 0;
    this.#show(record);
  }
}
