/** Thin clients and the commands for scripts [S8], with real processes of the compiled binary. */
import { afterEach, expect, test } from "bun:test";
import { PROTOCOL_VERSION } from "../../src/core/config.ts";
import { BINARY, Cluster, endAll, type PeerEvent, PeerProcess, run } from "./harness.ts";
import { checkHistory, loggedChats, saidBy } from "./history.ts";

afterEach(endAll);

const texts = (prefix: string, count: number) => Array.from({ length: count }, (_, i) => `${prefix}-${i + 1}`);
const at = (cluster: Cluster, id: number) => `127.0.0.1:${cluster.portOf(id)}`;
const chatpeer = (args: readonly string[], input?: string) => run([BINARY, ...args], input);

function connect(cluster: Cluster, id: number, ...args: string[]): PeerProcess {
  return new PeerProcess([BINARY, "connect", at(cluster, id), "--json", ...args]);
}

for (const victim of [2, 3]) {
  const who = victim === 3 ? "the leader" : "a follower";
  test(`[S8] [I4] ${who} is killed with a client in the middle of 1,000 messages: all arrive once and in order`, async () => {
    const cluster = await Cluster.start(3);
    const client = connect(cluster, victim, "--name", "Bob");
    const other = connect(cluster, 1, "--name", "Eve");
    await Promise.all([client.event("started"), other.event("started")]);
    client.say(...texts("bob", 1000).slice(0, 500));
    await client.until("some are sent", () => client.all("sent").length >= 100);
    const killed = cluster.peer(victim).stop();
    client.say(...texts("bob", 1000).slice(500));
    await killed;
    await client.until("all are sent", () => client.all("sent").length === 1000, 60_000);
    const [left, right] = [1, 2, 3].filter((id) => id !== victim) as [number, number];
    await cluster.delivered(1000, [left, right]);
    await other.until("all of them", () => other.messages.length === 1000);
    for (const seen of [client, other, cluster.peer(left), cluster.peer(right)])
      expect(seen.messages.map((m) => m.payload)).toEqual(texts("bob", 1000));
    const sent = client.all("sent").map((e) => e.msg_id as string);
    expect(new Set(sent).size).toBe(1000);
    const chats = checkHistory([cluster.dir(left), cluster.dir(right)], sent);
    expect(saidBy(victim, chats)).toEqual(texts("bob", 1000));
    client.endInput();
    expect(await client.exited).toBe(0);
    await cluster.stop();
  }, 90_000);
}

test("[S8] several clients on one peer; a name in use there is refused, and free again when its owner has gone", async () => {
  const cluster = await Cluster.start(1);
  const bob = connect(cluster, 1, "--name", "Bob");
  const eve = connect(cluster, 1, "--name", "Eve", "--room", "attic");
  await Promise.all([bob.event("started"), eve.event("started")]);
  for (const name of ["Bob", "user1"]) {
    const { code, out } = await chatpeer(["connect", at(cluster, 1), "--name", name, "--json"], "");
    expect(out).toContain(`the name \\"${name}\\" is in use on peer 1: choose another --name`);
    expect(code).toBe(1);
  }
  bob.say("in the hall");
  eve.say("under the roof");
  await bob.event("message", (m) => m.room_id === "attic" && m.seq_no === 1);
  await eve.event("message", (m) => m.room_id === "general" && m.user === "Bob");
  bob.say("/quit");
  expect(await bob.exited).toBe(0);
  const again = connect(cluster, 1, "--name", "Bob");
  await again.event("started");
  await cluster.stop();
});

test("[S8] send: exit code 0 when it is sent, 1 when it is not, 3 when nobody knows", async () => {
  const cluster = await Cluster.start(3);
  expect(await chatpeer(["send", at(cluster, 1), "from a script", "--name", "cron"])).toEqual({
    code: 0,
    out: "",
    err: "",
  });
  expect((await chatpeer(["send", at(cluster, 2), "-", "--room", "attic"], "two\nlines\n")).code).toBe(0);
  await cluster.delivered(2);
  expect(loggedChats(cluster.dir(1)).map((c) => [c.room_id, c.payload])).toEqual([
    ["general", "from a script"],
    ["attic", "two\nlines"],
  ]);
  expect(cluster.peer(1).all("pending")).toEqual([]);

  const refused = await chatpeer(["send", at(cluster, 1), "-"], "x".repeat(70_000));
  expect(`${refused.code} ${refused.err}`).toContain("2 chatpeer: a message has at most 65536 bytes");
  await Promise.all([2, 3].map((id) => cluster.peer(id).stop()));
  const unknown = await chatpeer(["send", at(cluster, 1), "waits", "--timeout", "2s"]);
  expect(unknown.code).toBe(3);
  expect(unknown.err).toContain("not known whether it is sent: no majority");

  const dying = chatpeer(["send", at(cluster, 1), "waits too", "--timeout", "60s"]);
  while ((await cluster.peer(1).status()).pending < 2);
  await cluster.peer(1).stop();
  expect(await dying).toMatchObject({ code: 3, err: expect.stringContaining("went before it said so") });
  expect(await chatpeer(["send", at(cluster, 1), "too late"])).toMatchObject({
    code: 1,
    err: expect.stringContaining("not sent: cannot reach"),
  });
  await cluster.stop();
});

test("status and tail: how a peer is, what was said since a number, and what is said from now on", async () => {
  const cluster = await Cluster.start(3);
  cluster.peer(2).say(...texts("m", 30));
  await cluster.delivered(30);
  const status = await chatpeer(["status", at(cluster, 1), "--json"]);
  expect(JSON.parse(status.out)).toMatchObject({
    event: "status",
    id: 1,
    role: "follower",
    leader_id: 3,
    quorum: true,
  });
  expect((await chatpeer(["status", at(cluster, 3)])).out).toContain("peer 3: leader, this peer leads");
  expect((await chatpeer(["status", "127.0.0.1:1"])).code).toBe(1);

  const last = await chatpeer(["tail", at(cluster, 1)]);
  expect(last.out.split("\n").slice(0, -1)).toEqual(
    texts("m", 30)
      .slice(20)
      .map((m, i) => `[seq=${21 + i}] user2: ${m}`),
  );
  const since = await chatpeer(["tail", at(cluster, 1), "--since", "29", "--json"]);
  expect(
    since.out
      .split("\n")
      .slice(0, -1)
      .map((line) => JSON.parse(line).seq_no),
  ).toEqual([29, 30]);
  expect(await chatpeer(["tail", at(cluster, 1), "--since", "99"])).toEqual({ code: 0, out: "", err: "" });

  const follower = new PeerProcess([BINARY, "tail", at(cluster, 2), "--since", "30", "--follow", "--json"]);
  await follower.until("the last one", () => follower.messages.length === 1);
  await cluster.peer(2).stop();
  cluster.peer(1).say("after the crash");
  await follower.until("it goes on elsewhere", () => follower.messages.length === 2);
  expect(follower.messages.map((m) => m.seq_no)).toEqual([30, 31]);
  expect(await follower.stop("SIGTERM")).toBe(0);
  await cluster.stop();
});

test("[P1] [P2] [P4] people come, change names, read, and leave, for all peers and clients in the same order", async () => {
  const cluster = await Cluster.start(3);
  const bob = connect(cluster, 2, "--name", "Bob");
  const notes = (who: PeerProcess) => who.all("system").map((e) => `${e.was}>${e.user} ${e.change}`);
  await cluster.peer(1).until("Bob is here", () => notes(cluster.peer(1)).includes(">Bob joined"));
  cluster.peer(1).say("read this");
  await bob.event("message");
  bob.say("/read 1", "/nick Rob");
  await bob.until("the new name", () => notes(bob).includes("Bob>Rob renamed"));
  bob.say("/who");
  const who = await bob.event("who");
  expect(who.people.map((p: PeerEvent) => [p.peer_id, p.client]).toSorted()).toEqual([
    [1, false],
    [2, false],
    [2, true],
    [3, false],
  ]);
  await cluster.peer(3).event("read", (e) => e.user === "Bob" && e.room_id === "general" && e.through === 1);
  cluster.peer(3).say("/confirmations 1");
  expect(await cluster.peer(3).event("confirmations")).toMatchObject({ readers: [{ user: "Bob", through: 1 }] });
  bob.endInput();
  expect(await bob.exited).toBe(0);
  cluster.peer(2).say("/quit");
  const all = [">Bob joined", "Bob>Rob renamed", ">Rob left", ">user2 left"];
  for (const id of [1, 3]) {
    const peer = cluster.peer(id);
    await peer.until("who has left", () => notes(peer).at(-1) === all.at(-1));
    expect(notes(peer).filter((note) => all.includes(note))).toEqual(all);
  }
  await cluster.stop();
});

test("a pipe gets everything, however slowly it is read; a reader that leaves early is no error", async () => {
  const cluster = await Cluster.start(1);
  const lines = texts("x".repeat(2000), 1000);
  cluster.peer(1).say(...lines);
  await cluster.peer(1).until("all are sent", () => cluster.peer(1).all("sent").length === 1000);
  const command = `"${BINARY}" tail ${at(cluster, 1)} --since 1`;
  const slow = await run(["sh", "-c", `${command} | { sleep 1; wc -l -c; }`]);
  const bytes = lines.reduce((sum, line, i) => sum + `[seq=${i + 1}] user1: ${line}\n`.length, 0);
  expect(slow.out.trim().split(/\s+/).map(Number)).toEqual([1000, bytes]);
  const early = await run(["bash", "-c", `${command} | head -1; echo "\${PIPESTATUS[0]}"`]);
  expect(early.out.split("\n").slice(1)).toEqual(["0", ""]);
  expect(early.err).toBe("");
  await cluster.stop();
});

test("[W4] whatever somebody sends who says he is a client, the peer and its other clients go on", async () => {
  const cluster = await Cluster.start(1);
  const bob = connect(cluster, 1, "--name", "Bob");
  await bob.event("started");
  const attach = { type: "ATTACH", version: PROTOCOL_VERSION, cluster_id: null, user: "Mal", room_id: "general" };
  const named = JSON.stringify({ ...attach, session: "mal0mal0mal0mal0", sender_id: 0, seen: 0 });
  const chat = {
    type: "CHAT",
    sender_id: 1,
    first: 1,
    messages: [{ room_id: "general", user: "Bob", ts: 0, payload: "no" }],
  };
  const ask = (question: object) => JSON.stringify({ type: "ASK", request: 1, question });
  const long = { what: "history", room_id: "r", count: 500, text: "x" };
  const after = { index: 1, ballot: { term: 8, leader_id: 1, inc: "x", boot: 1 } };
  // How it greets, and what it says when it is served.
  const hostile = [
    [named, named],
    [named, JSON.stringify({ ...chat, session: "another0session0" })],
    [named, JSON.stringify({ type: "PREPARE", ballot: { term: 9, leader_id: 9, inc: "x", boot: 1 } })],
    [named, ask({ what: "money" })],
    [named, Array.from({ length: 100 }, () => ask(long)).join("\n")],
    [named, JSON.stringify({ type: "CATCHUP_REQ", ballot: null, after })],
    [JSON.stringify({ ...attach, session: "", sender_id: 0, seen: 0 }), ""],
    [JSON.stringify({ ...attach, version: PROTOCOL_VERSION - 1 }), ""],
  ] as const;
  for (const [greeting, said] of hostile) {
    const closed = Promise.withResolvers<string>();
    let heard = "";
    let isServed = false;
    await Bun.connect({
      hostname: "127.0.0.1",
      port: cluster.portOf(1),
      socket: {
        open: (socket) => void socket.write(`${greeting}\n`),
        data: (socket, data) => {
          heard += data.toString();
          if (isServed || !heard.includes('"ATTACHED"')) return;
          isServed = true;
          socket.write(`${said}\n`);
        },
        close: () => closed.resolve(heard),
      },
    });
    expect(await closed.promise).toContain('"type":"REFUSE"');
  }
  bob.say("still here");
  await bob.event("sent");
  expect(loggedChats(cluster.dir(1)).map((c) => c.payload)).toEqual(["still here"]);
  await cluster.stop();
});
