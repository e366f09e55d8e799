/** The parts of a host, by the stage that it has reached. */
import type { Engine } from "../engines/engine.ts";
import type { EngineView } from "../engines/view.ts";
import type { Access } from "./access.ts";
import type { Answers } from "./answers/answers.ts";
import type { Slices } from "./answers/slices.ts";
import type { Clients } from "./client/attached-clients.ts";
import type { Delivery } from "./delivery.ts";
import type { Gate } from "./gate.ts";
import type { Intake } from "./intake.ts";
import type { Meeting } from "./meeting.ts";
import type { Links } from "./net/links.ts";
import type { Security } from "./security.ts";
import type { Serving } from "./serving.ts";
import type { Directory } from "./store/directory.ts";
import type { HeldDisk } from "./store/holding.ts";
import type { Writer } from "./store/writer.ts";

/** It has its directory, and begins to listen. */
export interface Opened {
  readonly disk: HeldDisk;
  readonly directory: Directory;
  readonly writer: Writer;
  readonly delivery: Delivery;
  readonly slices: Slices;
  readonly answers: Answers;
  readonly access: Access;
  readonly clients: Clients;
  readonly links: Links;
  readonly intake: Intake;
  readonly meeting: Meeting;
  readonly serving: Serving;
  readonly security: Security;
  readonly gate: Gate;
}

/** It listens, and has its engine. */
export interface Started extends Opened {
  readonly engine: Engine;
  /** What the engine shows. */
  readonly peer: EngineView;
}
