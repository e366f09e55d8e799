// A program in JavaScript that hands anything to every function of the library, as any-arguments.mjs DIRECTORY SEED. Whatever
// is neither done nor refused with a PeerError ends it, but for what its own callbacks throw. Prints how often each function
// did what.
import { join } from "node:path";
import fc from "fast-check";
import { createPeer, PeerError } from "../../dist/index.js";

const [directory, seed] = process.argv.slice(2);
const fail = () => {
  throw new RangeError("nobody reads this");
};
const throwing = new Proxy({}, { get: fail, has: fail, ownKeys: fail, getPrototypeOf: fail });
/** Stands for values that fast-check itself must not look at. */
const unreadable = new Map([
  ["throwing", throwing],
  ["throwing inside", [throwing]],
  ["aborted", { signal: AbortSignal.abort(throwing) }],
]);
const readable = (value) => unreadable.get(value) ?? value;

const odd = fc.constantFrom(
  ...[undefined, null, Number.NaN, Number.POSITIVE_INFINITY, -1, 0, -0, 0.5, 2 ** 31, 2 ** 53, 1n, true, Symbol("odd")],
  ...["", "\0", "\ud800", "x".repeat(70_000), "start", "general", new Uint8Array(2), new Date(Number.NaN), () => {}],
  ...[Object.create(null), { __proto__: { seed: 1 } }, ...unreadable.keys()],
  ...[{ signal: "none" }, { rooom: "attic" }, { timeout: 2 ** 31 }, { from: 1e9 }, { room: "a\nb" }, new Array(2)],
);
const right = fc.oneof(
  ...[fc.string({ minLength: 1 }), fc.array(fc.string({ minLength: 1 })), fc.integer({ min: 0, max: 3 })],
  fc.record(
    { room: fc.constantFrom("general", "attic"), from: fc.constantFrom(1, "new"), text: fc.string() },
    { requiredKeys: [] },
  ),
);
const anything = fc.oneof(
  odd,
  right,
  fc.anything({ withBigInt: true, withDate: true, withMap: true, withTypedArray: true, withNullPrototype: true }),
);

let thrown = 0;
process.on("unhandledRejection", (error) => {
  if (error.message !== "of a callback") throw error;
  thrown += 1;
});
const callback = () => {
  throw new Error("of a callback");
};

const own = { id: 1, port: 0, dataDir: join(directory, "1"), name: "odd", presence: true, timings: { founding: 1 } };
const peer = await createPeer({ ...own, onEvent: callback, onLog: callback });
await peer.ready();
let taken = 0;
const next = async (stream) => {
  const loop = stream[Symbol.asyncIterator]();
  const waiting = loop.next();
  await loop.return();
  await waiting;
};
const functions = {
  submit: async (...args) => {
    const submission = await peer.submit(...args);
    taken += 1;
    await submission.sent();
  },
  submitAll: (texts, options) =>
    peer.submitAll(Array.isArray(texts) ? texts.slice(0, 1) : texts, options).then(() => taken++),
  sent: (...args) => last.sent(...args),
  ready: (...args) => peer.ready(...args),
  messages: (...args) => next(peer.messages(...args)),
  batches: (...args) => next(peer.batches(...args)),
  ack: (...args) => peer.ack(...args),
  history: (...args) => peer.history(...args),
  joinRoom: (...args) => peer.joinRoom(...args),
  leaveRoom: (...args) => peer.leaveRoom(...args),
  confirmRead: (...args) => peer.confirmRead(...args),
  confirmations: (...args) => peer.confirmations(...args),
  rename: (...args) => peer.rename(...args),
};
const last = await peer.submit("first");
taken += 1;

const found = {};
async function call(name, run) {
  let outcome = "done";
  try {
    await run();
  } catch (error) {
    if (!(error instanceof PeerError)) throw error;
    outcome = error.code;
  }
  found[name] ??= {};
  found[name][outcome] = (found[name][outcome] ?? 0) + 1;
}

const run = { seed: Number(seed), endOnFailure: true };
for (const [name, make] of Object.entries(functions)) {
  const property = fc.asyncProperty(fc.array(anything, { maxLength: 3 }), (args) =>
    call(name, () => make(...args.map(readable))),
  );
  await fc.assert(property, { ...run, numRuns: 300 });
}

const options = ["id", "host", "port", "advertise", "seeds", "name", "presence", "receipts", "timings", "durability"];
const others = ["dataDir", "onEvent", "onLog", "signal", "seed", "rooom", "__proto__"];
const planted = fc.oneof(
  anything,
  fc.constantFrom(undefined, true, {}, [], () => {}),
);
const property = fc.asyncProperty(fc.constantFrom(...options, ...others), planted, (option, value) => {
  // What it may be, and would have an effect outside of this test: another directory, a port of somebody else.
  const isRight = (option === "dataDir" && typeof value === "string") || (option === "port" && Number.isInteger(value));
  const all = { id: 2, port: 0, dataDir: join(directory, "2"), [option]: isRight ? null : readable(value) };
  return call("createPeer", async () => (await createPeer(all)).close());
});
await fc.assert(property, { ...run, numRuns: 300 });
await fc.assert(
  fc.asyncProperty(anything, (value) => call("createPeer", () => createPeer(readable(value)))),
  { ...run, numRuns: 100 },
);

// All that was taken is in the log, and nothing else: the peer is as well as ever.
await (await peer.submit("last")).sent();
let read = 0;
for await (const { payload } of peer.messages({ from: "start" })) {
  read += 1;
  if (payload === "last") break;
}
await peer.close();
console.log(JSON.stringify({ found, taken: taken + 1, read, thrown }));
