/** Makes the parts of a host around its directory, which this process has locked. */
import { SESSION_CHARS } from "../core/config.ts";
import { Answers } from "./answers/answers.ts";
import { Past } from "./answers/past.ts";
import { Slices } from "./answers/slices.ts";
import type { Who } from "./answers/who.ts";
import { Clients } from "./client/attached-clients.ts";
import type { Network, PortError } from "./contracts.ts";
import { Delivery } from "./delivery.ts";
import type { Status } from "./events.ts";
import { Intake } from "./intake.ts";
import { Meeting } from "./meeting.ts";
import type { Namesakes } from "./namesakes.ts";
import { Links } from "./net/links.ts";
import type { Presence } from "./net/presence.ts";
import type { OwnPerson } from "./own-person.ts";
import type { Opened } from "./parts.ts";
import { ROOMS, type Rooms, readRooms } from "./rooms.ts";
import { Serving } from "./serving.ts";
import { type Directory, openDirectory } from "./store/directory.ts";
import type { HeldDisk } from "./store/holding.ts";
import type { Troubles } from "./store/troubles.ts";
import { Writer } from "./store/writer.ts";
import type { Telling } from "./telling.ts";
import { tellsReading } from "./tells-reading.ts";
import type { Whole } from "./whole.ts";

export interface OpeningHost extends Whole {
  readonly network: Network;
  readonly person: OwnPerson;
  readonly presence: Presence;
  readonly rooms: Rooms;
  readonly telling: Telling;
  readonly troubles: Troubles;
  readonly namesakes: Namesakes;
  readonly who: Who;
  status(): Status;
  holds(): boolean;
  /** A turn is to follow. */
  schedule(): void;
}

/** Throws HostError for a directory that cannot be used; this process has then given it back. */
export function open(host: OpeningHost, disk: HeldDisk): Opened {
  const { clock, options, troubles } = host;
  let parts: Opened | null = null;
  const directory = openDirectory(disk, clock, {
    id: options.id,
    founds: options.seeds.length === 0,
    fsync: options.durability === "fsync",
    events: {
      durable: (index) => host.input({ type: "durable", index: parts?.writer.confirmed(index) ?? index }),
      reading: tellsReading(clock, host.event),
      failed: (error) => host.die(diskFailure(error)),
      noted: (file, error) => troubles.note(file, error),
    },
  });
  try {
    parts = assemble(host, disk, directory);
    return parts;
  } catch (error) {
    directory.close();
    throw error;
  }
}

function assemble(host: OpeningHost, disk: HeldDisk, directory: Directory): Opened {
  const { clock, options, person, presence, telling, troubles, who } = host;
  const links = () => linked;
  const attached = () => clients;
  for (const note of directory.notes) host.event({ event: "notice", code: "recovered", message: note });
  const { outbox } = directory;
  const intake = new Intake({ ...host, outbox, troubles, clients: attached }, clock.word(SESSION_CHARS));
  if (!readRooms(disk, host.rooms))
    host.event({ event: "notice", code: "recovered", message: `${ROOMS} was damaged: join your rooms again` });
  const writer = new Writer(directory, clock, {
    promised: (ballot) => host.input({ type: "promised", ballot }),
    stuck: (why) => host.input({ type: "disk-refuses", why }),
    free: () => host.input({ type: "disk-ok" }),
    noted: (file, error) => troubles.note(file, error),
    failed: (reason) => host.die(reason),
  });
  const reading = { delivered: directory.delivered, byHand: options.acknowledges === true };
  const delivery = new Delivery(directory, reading, (message) => host.event(message));
  const slices = new Slices(clock, (work) => host.guarded(work));
  const serving = new Serving({ ...host, directory, links });
  const past = new Past(slices, {
    readLines: (from, count) => directory.readLines(from, count),
    readEntries: (from, count) => directory.readEntries(from, count),
    read: (after, bytesMax, through) => serving.read(after, bytesMax, through),
  });
  const answers = new Answers({
    clock,
    slices,
    past,
    who,
    peer: host.peer,
    status: host.status,
    input: host.input,
    isHere: (name) => clients.has(name) || person.announced === name,
  });
  const clients = new Clients({
    clock,
    timings: options.timings,
    answers,
    past,
    peer: host.peer,
    clusterId: () => directory.clusterId,
    ownName: () => person.announced,
    onRenamed: () => host.namesakes.lookSoon(),
    input: host.input,
    status: host.status,
    hindrances: () => telling.hindrances(),
    waiting: () => telling.waiting,
    say: (user, room, text) => intake.submit(user, room, text, false),
  });
  const meeting = new Meeting({ ...host, directory, links, clients: attached });
  const linked = new Links({
    clients,
    network: host.network,
    clock,
    self: directory.self,
    timings: options.timings,
    hello: () => meeting.hello(),
    isMember: (member) => (host.core()?.memberOf(member) ?? null) !== null,
    judge: (hello, from) => meeting.judge(hello, from),
    holds: host.holds,
    disk: () => host.core()?.diskTimes() ?? { mean: 0, bound: 0 },
    silenceMax: (link) => meeting.silenceMax(link),
    events: {
      up: (link, hello) => meeting.onUp(link, hello),
      down: (link) => meeting.onDown(link),
      frame: (link, frame) => meeting.onFrame(link, frame),
      // No turn is needed for this: the times are looked at again within a heartbeat.
      measured: (link, roundTrip, times) =>
        host.engine()?.step({ type: "measured", link, roundTrip, disk: times }, clock.now()),
      goesOn: (away) => presence.goesOn(away),
      flow: (link, flow) => host.engine()?.step({ type: "flow", link, ...flow }, clock.now()),
      refused: (address, refuse, dialled, by) => meeting.onRefused(address, refuse, dialled, by),
      twins: (pair) => meeting.onTwins(pair),
      log: host.log,
    },
  });
  return {
    disk,
    directory,
    writer,
    delivery,
    slices,
    answers,
    clients,
    links: linked,
    intake,
    meeting,
    serving,
  };
}

function diskFailure(error: PortError): string {
  return `the disk failed to make the log durable (${error.message}): what it confirmed is safe; check the disk, then start again`;
}
