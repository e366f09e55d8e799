/** Serves lines of the log to peers that lack them, from disk as they are. */
import { CATCHUP_ANSWER_BYTES_MAX, CATCHUP_BYTES_MAX } from "../core/config.ts";
import type { LogIndex } from "../core/ids.ts";
import type { Output } from "../engines/engine.ts";
import type { EngineView } from "../engines/view.ts";
import { encodeRawEntries } from "../wire/encode.ts";
import type { Links } from "./net/links.ts";
import { byteLength } from "./store/bytes.ts";
import type { Directory } from "./store/directory.ts";
import type { RawEntries } from "./store/log-store.ts";
import type { Whole } from "./whole.ts";

export interface ServingHost extends Pick<Whole, "log" | "die"> {
  readonly directory: Directory;
  links(): Pick<Links, "window" | "sendRaw">;
}

export class Serving {
  readonly #host: ServingHost;

  constructor(host: ServingHost) {
    this.#host = host;
  }

  serve({ log }: EngineView, { link, ballot, after, through }: Extract<Output, { do: "serve" }>): void {
    const last = Math.min(through, this.#host.directory.store.last);
    const window = this.#host.links().window(link);
    if (window === null) return;
    let left = Math.min(window.answer, CATCHUP_ANSWER_BYTES_MAX);
    for (let from = after; ; ) {
      const read = this.read(from.index, Math.min(window.frame, CATCHUP_BYTES_MAX), last);
      if (read === null) return;
      const end = from.index + read.count;
      left -= byteLength(read.lines);
      const more = end < last && left > 0;
      const header = {
        type: "CATCHUP_RESP" as const,
        ballot,
        prev_index: from.index,
        prev_ballot: from.ballot,
        prev_crc: read.prevCrc,
        commit: log.commit,
        hint: null,
        more,
      };
      this.#host.log("debug", `serves ${read.count} entries after ${from.index}`);
      this.#host.links().sendRaw(link, encodeRawEntries(header, read.lines, read.count));
      if (!more) return;
      from = log.tailAt(end);
    }
  }

  /** Lines of the log from disk. Null where it is damaged, which ends this peer: the next start repairs it [D5]. */
  read(after: LogIndex, bytesMax: number, through: LogIndex): RawEntries | null {
    const { store } = this.#host.directory;
    const read = store.read(after, bytesMax, Math.min(through, store.last));
    if (read !== null) return read;
    this.#host.directory.markDamage(after + 1);
    this.#host.die(`the log is damaged behind index ${after}: start again, and it is fetched anew from the others`);
    return null;
  }
}
