/** The secured network in Bun, Node.js and Deno against whoever shows another certificate than its own, or none, or no TLS 1.3. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { createPrivateKey } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Validity, Version } from "@peculiar/asn1-x509";
import { type Credentials, makeCertificate } from "../../src/adapters/certificate.ts";
import { STRANGER_LIMITS } from "../../src/adapters/strangers.ts";
import { certificateWith } from "./certificates.ts";
import { ARTEFACTS, type Artefact, type Command, Conversation, commandOf, type Setup, type Told } from "./subjects.ts";

/** How somebody speaks TLS. Version and protocol are those of peers where nothing is said. */
interface Guise {
  readonly certificate?: string;
  readonly privateKey?: object;
  readonly version?: "TLSv1.2";
  readonly alpn?: string | null;
}

interface Attack {
  readonly does: "dial" | "listen" | "plain" | "listenPlain" | "mutate";
  readonly [how: string]: unknown;
}

interface Outcome {
  readonly port?: number;
  /** What the subject said to it in TLS. */
  readonly heard?: string;
  readonly reused?: boolean;
  readonly error?: string;
}

const [SUBJECT, MEMBER, STRANGER] = [makeCertificate(), makeCertificate(), makeCertificate()];
const EXPIRED = new Validity({ notBefore: new Date(Date.UTC(2000, 0)), notAfter: new Date(Date.UTC(2001, 0)) });
/** Whoever is refused must give its place back: there are far more attacks than places. */
const LIMITS = { ...STRANGER_LIMITS, perSecond: 10_000, handshake: 1000 };

const bundles = mkdtempSync(join(tmpdir(), "chatpeer-tls-"));
const subjects = new Map<Artefact, Conversation<Command, Told>>();
const ports = new Map<Artefact, number>();
let rogue: Conversation<Attack, Outcome>;

beforeAll(async () => {
  const setup: Setup = { own: SUBJECT, limits: LIMITS };
  const starts = ARTEFACTS.map(async (artefact) => {
    const command = await commandOf(artefact, "subject.ts", bundles);
    const subject = new Conversation<Command, Told>([...command, JSON.stringify(setup)]);
    subjects.set(artefact, subject);
    ports.set(artefact, (await subject.next()).port as number);
  });
  rogue = new Conversation(["node", join(import.meta.dir, "rogue.mjs")]);
  await Promise.all(starts);
});

afterAll(async () => {
  await Promise.all([rogue, ...subjects.values()].map((process) => process.stop()));
  rmSync(bundles, { recursive: true });
});

const as = ({ certificate, privateKey }: Credentials): Guise => ({
  certificate,
  privateKey: createPrivateKey(privateKey).export({ format: "jwk" }),
});

/** Who is refused in the handshake or right after it, whatever its pin. */
const REFUSED: Readonly<Record<string, Guise>> = {
  "a member's certificate without its key": {
    certificate: MEMBER.certificate,
    privateKey: certificateWith({ bears: MEMBER }).privateKey,
  },
  "version 1": certificateWith({ version: Version.v1 }),
  "version 1 with a member's public key, without its private key": certificateWith({
    version: Version.v1,
    bears: MEMBER,
  }),
  "an expired certificate": certificateWith({ validity: EXPIRED }),
  "another curve": certificateWith({ curve: "P-384" }),
  "a certificate that somebody else has signed": certificateWith({ signedBy: MEMBER }),
  "TLS 1.2": { ...as(MEMBER), version: "TLSv1.2" },
  "no protocol named": { ...as(MEMBER), alpn: null },
  "another protocol named": { ...as(MEMBER), alpn: "h2" },
};

describe.each(ARTEFACTS)("%s", (artefact) => {
  /** What the subject says next, without its warnings. */
  async function next(): Promise<Told> {
    for (;;) {
      const told = await (subjects.get(artefact) as Conversation<Command, Told>).next();
      if (told.warning === undefined) return told;
    }
  }

  const dialsIt = (guise: Guise, again = false) =>
    rogue.ask({ does: "dial", port: ports.get(artefact), as: guise, again });

  /** All that the subject tells is told in order: what came before a connection is told before it. */
  async function accepts(key: string | null, guise: Guise): Promise<void> {
    expect(await dialsIt(guise)).toMatchObject({ heard: "hello", reused: false });
    expect([await next(), await next(), await next()]).toEqual([{ accepted: key }, { heard: "hello" }, { left: "" }]);
  }

  async function dials(guise: Guise, expected: string): Promise<void> {
    const { port } = await rogue.ask({ does: "listen", as: guise });
    subjects.get(artefact)?.say({ port: port as number, expected });
  }

  test.each(Object.keys(REFUSED))("accepts nobody with %s, and hears not a byte", async (name) => {
    expect((await dialsIt(REFUSED[name] as Guise)).heard).toBe("");
    await accepts(MEMBER.key, as(MEMBER));
  });

  test("accepts whoever proves to have a key of its own, and says which", async () => {
    await accepts(STRANGER.key, as(STRANGER));
  });

  test("accepts whoever shows no certificate as nobody", async () => {
    await accepts(null, {});
  });

  test("accepts no session that is resumed", async () => {
    expect(await dialsIt(as(MEMBER), true)).toMatchObject({ heard: "" });
    expect([await next(), await next(), await next()]).toEqual([
      { accepted: MEMBER.key },
      { heard: "hello" },
      { left: "" },
    ]);
    await accepts(MEMBER.key, as(MEMBER));
  });

  test.each([...Object.keys(REFUSED), "no certificate", "a key of its own"])(
    "tells nothing to whoever is dialled and has %s",
    async (name) => {
      const guise = name === "a key of its own" ? as(STRANGER) : (REFUSED[name] ?? {});
      await dials(guise, MEMBER.key);
      const { closed, ...more } = await next();
      expect(more).toEqual({});
      expect(closed).toMatch(name === "a key of its own" ? /^EPIN$/ : /^(ECERT|ETLS)$/);
      // The rogue tells in order as well.
      await dials(as(MEMBER), MEMBER.key);
      expect(await next()).toEqual({ opened: MEMBER.key });
      expect(await rogue.next()).toEqual({ heard: "secret" });
      expect([await next(), await next()]).toEqual([{ answered: "secret" }, { closed: "" }]);
    },
  );

  test("answers in the clear whoever speaks without TLS, and hears not a byte", async () => {
    const { heard = "" } = await rogue.ask({ does: "plain", port: ports.get(artefact) });
    expect(JSON.parse(heard)).toMatchObject({ type: "REFUSE", code: "needs-tls" });
    expect(heard).toEndWith("\n");
    await accepts(MEMBER.key, as(MEMBER));
  });

  test("tells nothing to a plain peer, and says that it is one", async () => {
    const { port } = await rogue.ask({ does: "listenPlain" });
    subjects.get(artefact)?.say({ port: port as number, expected: MEMBER.key });
    expect(await next()).toEqual({ closed: "EPLAIN" });
    await accepts(MEMBER.key, as(MEMBER));
  });

  test("lives through damaged handshakes, and memory stays bounded", async () => {
    const memory = async () => {
      subjects.get(artefact)?.say({ memory: true });
      for (;;) {
        const { rss, accepted } = await next();
        // Where the damage was in what nobody looks at.
        if (accepted !== undefined) expect(accepted).toBe(MEMBER.key);
        if (rss !== undefined) return rss;
      }
    };
    const attack = { does: "mutate" as const, port: ports.get(artefact), as: as(MEMBER) };
    await rogue.ask({ ...attack, count: 75, seed: 1 });
    const before = await memory();
    await rogue.ask({ ...attack, count: 300, seed: 2 });
    expect(((await memory()) - before) / 2 ** 20).toBeLessThan(32);
    // Damage behind the handshake lets a connection in, and what is told of that may come late.
    expect(await dialsIt(as(MEMBER))).toMatchObject({ heard: "hello" });
  }, 60_000);
});
