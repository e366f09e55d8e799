/** The library in a secured cluster: a peer invites, another one comes, and who is not let in is told why by a code. */
import { afterAll, afterEach, beforeAll, expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type ChatPeer, type CreatePeerOptions, createPeer, PeerError, type PeerErrorCode } from "../../src/index.ts";

const TEST_MS = 30_000;
let root = "";
const open: ChatPeer[] = [];

beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), "chatpeer-library-trust-"));
});
afterEach(async () => {
  for (const peer of open.splice(0).reverse()) await peer.close();
});
afterAll(() => rmSync(root, { recursive: true, force: true }));

async function create(id: number, options: Partial<CreatePeerOptions>, dir = `${id}`): Promise<ChatPeer> {
  const peer = await createPeer({ id, port: 0, dataDir: join(root, dir), ...options });
  open.push(peer);
  return peer;
}

async function codeOf(attempt: Promise<unknown>): Promise<PeerErrorCode> {
  try {
    await attempt;
  } catch (error) {
    if (error instanceof PeerError) return error.code;
    throw error;
  }
  throw new Error("nothing was refused");
}

test(
  "an invited peer is a member when it is created; another one with the same invitation is told that it was used",
  async () => {
    const first = await create(1, { secure: true });
    await first.ready();
    const { invitation, expires } = await first.invite({ name: "second", expiresIn: 60_000 });
    expect(expires).toBeGreaterThan(Date.now());
    const second = await create(2, { invite: invitation });
    expect(second.status().members.map(({ id }) => id)).toEqual([1, 2]);
    await (await second.submit("hello")).sent();
    for await (const { payload, sender_id } of first.messages) {
      expect([payload, sender_id]).toEqual(["hello", 2]);
      break;
    }
    const { members, invitations } = await first.access();
    expect(members.map(({ key }) => key?.length)).toEqual([52, 52]);
    expect(invitations).toMatchObject([{ name: "second", role: "member", state: "used" }]);
    expect(await codeOf(create(3, { invite: invitation }))).toBe("invite-used");
    await first.evict(2);
    expect(await codeOf(first.revoke("nobody"))).toBe("refused");
  },
  TEST_MS,
);

test(
  "a revoked, a broken and a client's invitation do not let a peer in; a plain cluster invites nobody",
  async () => {
    const first = await create(1, { secure: true }, "first");
    await first.ready();
    const { invitation } = await first.invite({ name: "third" });
    await first.revoke("third");
    expect(await codeOf(create(3, { invite: invitation }, "third"))).toBe("revoked");
    const client = await first.invite({ role: "client", rights: "read" });
    expect(await codeOf(create(3, { invite: client.invitation }, "client"))).toBe("bad-option");
    const broken = await create(3, { invite: invitation.slice(0, -4) }, "broken").catch((error: PeerError) => error);
    expect(broken).toMatchObject({
      code: "bad-option",
      message: "invite: the end of the invitation is missing: paste all of it",
    });
    const plain = await create(1, {}, "plain");
    await plain.ready();
    expect(await codeOf(plain.invite())).toBe("refused");
  },
  TEST_MS,
);
