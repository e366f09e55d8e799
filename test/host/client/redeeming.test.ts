/** A client goes with its invitation to the peers that this names, and to nobody else [A8]. */
import { beforeEach, expect, test } from "bun:test";
import { PROTOCOL_VERSION } from "../../../src/core/config.ts";
import type { Frame } from "../../../src/core/frame.ts";
import { Redeeming } from "../../../src/host/client/redeeming.ts";
import { VirtualNetwork } from "../../../src/sim/virtual-network.ts";
import { seeded, VirtualClock, VirtualTime } from "../../../src/sim/virtual-time.ts";
import { FrameDecoder } from "../../../src/wire/decoder.ts";
import { encodeFrame } from "../../../src/wire/encode.ts";
import { type Invitation, pinOf } from "../../../src/wire/invitation.ts";
import { keyOf, secretOf } from "../virtual-trust.ts";

const TOKEN_HASH = keyOf("a token");
const INVITATION: Invitation = {
  ...{ role: "client", cluster_id: "cluster", secret: secretOf("invitation") },
  addresses: [1, 2].map((id) => ({ id, host: "virtual", port: 6000 + id, pin: pinOf(keyOf(`${id}`)) })),
};
const REDEEMED: Frame = {
  ...{ type: "REDEEMED", name: "dora", rights: "write", index: 7, cluster_id: "cluster", members: [] },
};

let time: VirtualTime;
let network: VirtualNetwork;
let heard: string[];
let ends: unknown[];

beforeEach(() => {
  time = new VirtualTime();
  network = new VirtualNetwork(time, seeded(1));
  heard = [];
  ends = [];
});

const refuse = (code: "stranger" | "closing" | "invite-used"): Frame => ({
  ...{ type: "REFUSE", code, message: `it is ${code}`, seed: "" },
});

/** Who listens there, and has that key; `answers`: to the first, second … who comes, null for nothing. */
function listens(id: number, key: string, ...answers: (Frame | null)[]): void {
  const { secured } = network.attach(id, new VirtualClock(time, seeded(id)));
  const accept: Parameters<ReturnType<typeof secured>["listen"]>[2] = (connection) => {
    const decoder = new FrameDecoder();
    const answer = answers.length > 1 ? answers.shift() : answers[0];
    return {
      data: (bytes) => {
        decoder.push(bytes);
        for (let frame = decoder.next(); frame !== null; frame = decoder.next()) {
          if (frame.type === "REDEEM") heard.push(`${id} ${frame.token} ${frame.user}`);
          const hello: Frame = {
            ...{ type: "HELLO", version: PROTOCOL_VERSION, cluster_id: "cluster", id, inc: "inc", boot: 1 },
            ...{ host: "virtual", port: 6000 + id },
          };
          for (const said of answer == null ? [] : [hello, answer])
            for (const piece of encodeFrame(said)) connection.write(piece);
        }
      },
      drain: () => {},
      close: () => {},
    };
  };
  secured(keyOf(key)).listen("virtual", 6000 + id, accept, () => {});
}

function redeem(): Redeeming {
  const clock = new VirtualClock(time, seeded(9));
  const { secured } = network.attach(50, clock);
  return new Redeeming(
    { clock, network: secured(null) },
    INVITATION,
    { tokenHash: TOKEN_HASH, user: "dora" },
    {
      redeemed: ({ name, index }) => ends.push({ name, index }),
      refused: (code, message) => ends.push({ code, message }),
    },
  );
}

const pass = () => time.runUntil(time.now + 60_000);

test("[A8] the first peer that takes it says under which name", () => {
  listens(1, "1", REDEEMED);
  listens(2, "2", REDEEMED);
  redeem();
  pass();
  expect(ends).toEqual([{ name: "dora", index: 7 }]);
  expect(heard).toEqual([`1 ${TOKEN_HASH} dora`]);
});

test("[A8] it says nothing to who has another key than the invitation names", () => {
  listens(1, "somebody in between", REDEEMED);
  redeem();
  pass();
  expect(heard).toEqual([]);
  expect(ends).toEqual([{ code: null, message: expect.stringMatching(/cannot reach|somebody else answers/) }]);
});

test("[A8] where one peer is gone, silent, starting or behind, another one is asked, and the first one again", () => {
  listens(1, "1", refuse("stranger"), null, REDEEMED);
  listens(2, "2", refuse("closing"));
  redeem();
  pass();
  expect(ends).toEqual([{ name: "dora", index: 7 }]);
  expect(heard.map((said) => said.slice(0, 1))).toEqual(["1", "2", "1", "2", "1"]);
});

test("[A8] a refusal that stays so ends it at once; one that may pass, after some rounds", () => {
  listens(1, "1", refuse("stranger"));
  listens(2, "2", refuse("invite-used"));
  redeem();
  pass();
  expect(heard).toHaveLength(2);
  expect(ends).toMatchObject([{ code: "invite-used", message: expect.stringContaining("it is invite-used") }]);
  network = new VirtualNetwork(time, seeded(1));
  listens(1, "1", refuse("stranger"));
  redeem();
  pass();
  expect(ends[1]).toMatchObject({ code: "stranger", message: expect.stringContaining("6001") });
});

test("nothing is told any more after it was closed", () => {
  listens(1, "1", REDEEMED);
  redeem().close();
  pass();
  expect(ends).toEqual([]);
});
