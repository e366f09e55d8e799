/** What people and programs ask is looked at before it goes anywhere: an answer in words, not a frame that no peer takes. */
import { expect, test } from "bun:test";
import fc from "fast-check";
import { HISTORY_TEXT_CHARS_MAX } from "../../../src/core/config.ts";
import type { Told } from "../../../src/core/reports.ts";
import { refuseQuestion } from "../../../src/host/answers/questions.ts";
import type { OwnQuestion } from "../../../src/host/service.ts";
import { HostError } from "../../../src/host/store/unusable.ts";
import { encodeFrame } from "../../../src/wire/encode.ts";
import { anyNumber, anyText, planted } from "../../wire/any-values.ts";
import { Cluster } from "../virtual-cluster.ts";

const QUESTIONS: readonly OwnQuestion[] = [
  { what: "history", room_id: "general", count: 5, text: "a", before: 9, after: 1 },
  { what: "place", room_id: "general", seq_no: 3 },
  { what: "confirmations", room_id: "general" },
  { what: "nick", user: "eve" },
  { what: "read", room_id: "general", through: 4 },
];

test("[W7] [W4] a question with any number or text in it is refused in words, or can be asked", () => {
  const counts = { asked: 0, refused: 0 };
  fc.assert(
    fc.property(fc.constantFrom(...QUESTIONS), fc.oneof(anyNumber, anyText), fc.nat(20), (whole, value, at) => {
      const question = { ...planted({ ...whole, what: undefined }, value, at), what: whole.what } as OwnQuestion;
      const refused = refuseQuestion(question);
      if (refused === null) encodeFrame({ type: "ASK", request: 1, question });
      else expect(refused).toMatchObject({ event: "error", code: whole.what === "nick" ? "bad-name" : "command" });
      counts[refused === null ? "asked" : "refused"] += 1;
    }),
    { numRuns: 600 },
  );
  expect(counts.asked).toBeGreaterThan(50);
  expect(counts.refused).toBeGreaterThan(50);
});

test("[S8] a client that asks what cannot be asked is told so, and stays attached", () => {
  const cluster = Cluster.formed();
  const eve = cluster.attached("eve", 1);
  const answers: Told[] = [];
  const long = "x".repeat(HISTORY_TEXT_CHARS_MAX + 1);
  eve.service.ask({ what: "history", room_id: "general", count: 5, text: long }, (told) => answers.push(told));
  eve.service.ask({ what: "nick", user: "a\nb" }, (told) => answers.push(told));
  expect(answers.map((a) => a.event === "error" && a.code)).toEqual(["command", "bad-name"]);
  eve.service.ask({ what: "rooms" }, (told) => answers.push(told));
  cluster.until(() => answers.length === 3);
  expect(answers[2]).toMatchObject({ event: "rooms" });
  expect(eve.stops).toEqual([]);
});

test("[W7] a peer whose address cannot be told to others does not start, says why, and leaves its directory free", () => {
  for (const advertise of [
    { host: "", port: 6001 },
    { host: "h\x01st", port: 6001 },
    { host: "h".repeat(256), port: 6001 },
    { host: "here", port: 70_000 },
    { host: "here", port: 1.5 },
  ]) {
    const cluster = new Cluster({ advertise });
    expect(() => cluster.start(1)).toThrow(HostError);
    expect(() => cluster.start(1)).toThrow("others cannot be told to dial");
  }
});
