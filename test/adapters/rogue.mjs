/**
 * Somebody who attacks a secured peer: by TLS with whatever certificate, or by bytes. In Node.js, where a private key that
 * does not belong to its certificate is not noticed. Commands come in as JSON lines, and one line answers each.
 */
import { createPrivateKey } from "node:crypto";
import { connect as connectPlain, createServer as createPlain } from "node:net";
import { createInterface } from "node:readline";
import { connect, createServer } from "node:tls";

const HOST = "127.0.0.1";

function settings({ certificate, privateKey, alpn = "chatpeer/2", version = "TLSv1.3" }) {
  const key = privateKey && createPrivateKey({ key: privateKey, format: "jwk" });
  return {
    ...(certificate && { cert: certificate, key: key.export({ type: "pkcs8", format: "pem" }) }),
    ...(alpn !== null && { ALPNProtocols: [alpn] }),
    minVersion: version,
    maxVersion: version,
    rejectUnauthorized: false,
  };
}

/** Dials and says "hello"; what came of it. With `again`, once more in the session of the first time. */
function dial({ port, as, again = false }, done, session = undefined) {
  const told = { heard: "" };
  const socket = connect({ ...settings(as), host: HOST, port, session }, () => {
    told.reused = socket.isSessionReused();
    socket.write("hello");
  });
  let ticket;
  socket.on("session", (data) => {
    ticket = data;
  });
  socket.on("data", (bytes) => {
    told.heard += bytes;
    socket.end();
  });
  socket.on("error", (error) => {
    told.error = error.code;
  });
  socket.on("close", () => (again ? dial({ port, as }, done, ticket) : done(told)));
}

/** Listens; each answer after the first is what one connection said. */
function listen({ as }, done) {
  const server = createServer({ ...settings(as), requestCert: true }, (socket) => {
    socket.on("data", (bytes) => {
      done({ heard: String(bytes) });
      socket.write(bytes);
    });
    socket.on("error", () => {});
  });
  server.on("tlsClientError", (_error, socket) => socket.destroy());
  server.listen(0, HOST, () => done({ port: server.address().port }));
}

/** Dials without TLS and says "hello"; what it heard. */
function plain({ port }, done) {
  let heard = "";
  const socket = connectPlain({ host: HOST, port }, () => socket.write("hello"));
  socket.on("data", (bytes) => {
    heard += bytes;
  });
  socket.on("error", () => {});
  socket.on("close", () => done({ heard }));
}

/** Listens without TLS, and greets whoever comes, as a plain peer does. */
function listenPlain(_, done) {
  const server = createPlain((socket) => {
    socket.on("error", () => {});
    socket.on("data", (bytes) => bytes.includes("secret") && done({ heard: "secret" }));
    socket.write('{"type":"HELLO"}\n');
  });
  server.listen(0, HOST, () => done({ port: server.address().port }));
}

/** What the kernel keeps for a listener that has not accepted it yet: 511 connections. More of them would dial for seconds. */
const FLOOD_AT_ONCE = 400;

/**
 * Opens connections that say `bytes`, or one byte of them every so many milliseconds, and end none of them; how long it took
 * until the other side had closed all.
 */
function flood({ port, addresses, each, bytes, every = 0 }, done) {
  const began = performance.now();
  const hello = Buffer.from(bytes, "base64");
  const left = Array.from({ length: each }, () => addresses).flat();
  let open = 0;
  const next = () => {
    const localAddress = left.pop();
    if (localAddress === undefined) return open === 0 && done({ lasted: performance.now() - began });
    open += 1;
    const socket = connectPlain({ host: HOST, port, localAddress });
    let sent = 0;
    const trickle = every > 0 && setInterval(() => socket.write(hello.subarray(sent, ++sent)), every);
    if (every === 0) socket.write(hello);
    socket.resume();
    socket.on("error", () => {});
    socket.on("close", () => {
      clearInterval(trickle);
      open -= 1;
      next();
    });
  };
  for (let n = 0; n < FLOOD_AT_ONCE; n++) next();
}

/** Dials so many times through a line that damages what this side says, each time elsewhere. */
async function mutate({ port, as, count, seed }, done) {
  const random = seeded(seed);
  const line = createPlain((near) => {
    const far = connectPlain({ host: HOST, port });
    const at = Math.floor(random() * HANDSHAKE_BYTES);
    const damage = DAMAGES[Math.floor(random() * DAMAGES.length)];
    let passed = 0;
    near.on("data", (bytes) => {
      const here = at - passed;
      passed += bytes.length;
      far.write(here >= 0 && here < bytes.length ? damage(bytes, here, random) : bytes);
    });
    for (const [one, other] of [
      [near, far],
      [far, near],
    ]) {
      one.on("error", () => {});
      one.on("close", () => other.destroy());
    }
    far.on("data", (bytes) => near.write(bytes));
  });
  await new Promise((resolve) => line.listen(0, HOST, resolve));
  let left = count;
  const next = () => {
    if (left === 0) return Promise.resolve();
    left -= 1;
    return new Promise((resolve) => {
      const socket = connect({ ...settings(as), host: HOST, port: line.address().port }, () => socket.write("hello"));
      // What was cut short would wait for more.
      const late = setTimeout(() => socket.destroy(), STUCK_MS);
      socket.on("data", () => socket.end());
      socket.on("error", () => {});
      socket.on("close", () => {
        clearTimeout(late);
        resolve();
      });
    }).then(next);
  };
  await Promise.all(Array.from({ length: AT_ONCE }, next));
  line.close();
  done({});
}

const AT_ONCE = 12;
const STUCK_MS = 50;
/** What a client says in a handshake, certificate and all. */
const HANDSHAKE_BYTES = 900;
const DAMAGES = [
  (bytes, at, random) => {
    bytes[at] ^= 1 + Math.floor(random() * 255);
    return bytes;
  },
  (bytes, at) => bytes.subarray(0, at),
  (bytes, at) => Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + 1)]),
  (bytes, at, random) =>
    Buffer.concat([bytes.subarray(0, at), Buffer.alloc(1 + Math.floor(random() * 40), 255), bytes.subarray(at)]),
];

function seeded(seed) {
  let a = seed;
  return () => {
    a = (Math.imul(a, 1_664_525) + 1_013_904_223) >>> 0;
    return a / 2 ** 32;
  };
}

const COMMANDS = { dial, listen, plain, listenPlain, flood, mutate };

for await (const line of createInterface({ input: process.stdin })) {
  const { does, ...how } = JSON.parse(line);
  COMMANDS[does](how, (told) => console.log(JSON.stringify(told)));
}
process.exit(0);
