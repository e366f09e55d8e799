/** The peer listens now: its engine begins with what the directory holds, and its users are told. */
import type { Address } from "../core/address.ts";
import { SESSION_CHARS } from "../core/config.ts";
import type { Key } from "../core/ids.ts";
import type { Engine } from "../engines/engine.ts";
import type { EngineView } from "../engines/view.ts";
import { makeSeal } from "../wire/entry.ts";
import type { Opened } from "./parts.ts";
import type { Directory } from "./store/directory.ts";
import { makeEntry } from "./store/made-entry.ts";
import type { Telling } from "./telling.ts";
import type { Whole } from "./whole.ts";

export interface BeginningHost extends Pick<Whole, "clock" | "options" | "event"> {
  readonly telling: Telling;
}

/** `port` is the bound one. `use` takes the engine before anybody is told of it. */
export function begin<T extends { readonly peer: EngineView }>(
  host: BeginningHost,
  parts: Opened,
  port: number,
  use: (engine: Engine) => T,
): T {
  const { clock, event, options, telling } = host;
  const { directory, intake, security } = parts;
  const { id, timings, advertise } = options;
  const address = advertise ?? { host: options.host, port };
  const founded = found(host, directory, address, security.key);
  const engine = options.engine(
    {
      self: directory.self,
      address,
      timings,
      seal: makeSeal(),
      random: () => clock.random(),
      wall: () => clock.wall(),
      session: intake.session,
      newSession: () => clock.word(SESSION_CHARS),
      // A plain peer gets one when its cluster is to be secured.
      get key() {
        return security.key ?? undefined;
      },
      ...(options.invitation !== undefined && { invite: options.invitation.secret }),
    },
    directory.restored,
    clock.now(),
  );
  const running = use(engine);
  const { peer } = running;
  intake.begin(peer, directory.restored);
  parts.access.listens(options.host, port);
  const { founding } = peer;
  if (founded) telling.founded(peer);
  const cluster_id = directory.clusterId;
  event({ event: "started", id, host: options.host, port, cluster_id, ...(founding > 0 && { founding_ms: founding }) });
  if (clock.wall() === 0) {
    const message = "this machine's clock is before 1970: messages from here bear the date 1970-01-01 until it is set";
    event({ event: "notice", code: "clock", message });
  }
  for (const { session, counters, to } of directory.renamed) {
    const { drafts = [] } = directory.restored.outbox.find((run) => run.session === to) ?? {};
    intake.tellRenamed(session, counters, to, drafts);
  }
  return running;
}

/** [M1] Writes the first entry of a new cluster, durable before anybody hears of it. */
function found({ event, options }: BeginningHost, directory: Directory, address: Address, key: Key | null): boolean {
  const genesis = directory.foundingGenesis(address, options.segments, key);
  if (genesis === null) return false;
  const { state } = directory.restored;
  const { id, inc, boot } = directory.self;
  const ballot = { term: 0, leader_id: id, inc, boot };
  const entry = makeEntry(1, ballot, "genesis", genesis, 0);
  directory.store.append([entry]);
  directory.store.syncNow();
  state.apply(entry);
  directory.restored = { ...directory.restored, entries: [entry], durable: 1 };
  const seconds = options.timings.founding / 1000;
  const what = genesis.secure === true ? "founded secured cluster" : "founded cluster";
  const invite = genesis.secure === true ? "; invite others with /invite" : "";
  const message = `${what} ${genesis.cluster_id}: messages are taken in ${seconds} s, or when another peer joins${invite}`;
  event({ event: "notice", code: "founded", message });
  return true;
}
