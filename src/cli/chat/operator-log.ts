/** The operator's log: records up to a level, none of which waits for a reader. */
import type { LogRecord } from "../../host/events.ts";
import type { Output } from "../process/output.ts";

const LEVELS: readonly LogRecord["level"][] = ["error", "warn", "info", "debug"];

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
