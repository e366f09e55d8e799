/**
 * `chatpeer sim` as a process: verdicts and their exit codes, what programs read and what people read, and that what it
 * prints of a failure can be saved and played again. The compiled artefacts are tested in test/e2e.
 */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Job, judge, play, scenarioOfJob, type Verdict } from "../../../src/sim/play.ts";
import { SCENARIOS } from "../../../src/sim/scenarios.ts";

const MAIN = join(import.meta.dir, "../../../src/cli/main.ts");
const SMALL = ["--peers", "3", "--minutes", "1"];
/** Breaks a rule that is missed at the first message. */
const BROKEN = [...SMALL, "--profile", "calm", "--break", "sent-early"];

let root = "";
beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), "chatpeer-sim-"));
});
afterAll(() => rmSync(root, { recursive: true, force: true }));

async function chatpeer(args: readonly string[], input = "") {
  const child = Bun.spawn([process.execPath, MAIN, ...args], {
    cwd: root,
    stdin: new Blob([input]),
    stdout: "pipe",
    stderr: "pipe",
  });
  const [out, err, code] = await Promise.all([child.stdout.text(), child.stderr.text(), child.exited]);
  return { code, out, err };
}

const sim = (...args: readonly string[]) => chatpeer(["sim", ...args]);
const objects = (out: string) =>
  out
    .split("\n")
    .slice(0, -1)
    .map((line) => JSON.parse(line) as Verdict);

/** What a run says when it is played here. */
function expected(job: Job): Verdict {
  const scenario = scenarioOfJob(job);
  return judge(scenario, play(scenario));
}

describe("wrong usage", () => {
  const wrong: [string[], string][] = [
    [["--seed", "-1"], '--seed must be a whole number from 0 to 4294967295, not "-1"'],
    [["--seeds", "0"], '--seeds must be a whole number from 1 to 1000000, not "0"'],
    [["--peers", "99"], '--peers must be a whole number from 1 to 20, not "99"'],
    [["--minutes", "1.5"], '--minutes must be a whole number from 1 to 600, not "1.5"'],
    [
      ["--profile", "rain"],
      "--profile must be one of calm, network, process, disk, membership, overload, slow-disks, far-lines, narrow-lines, copies, trust, all, not",
    ],
    [["--budget", "soon"], '--budget must be a whole number from 1 to 1000000, not "soon"'],
    [["--break", "no-dedupe"], "no rule no-dedupe can be broken, did you mean no-dedup? (--list-rules lists them)"],
    [["--break", "r2"], "r2 can be broken in several ways: --break "],
    [
      ["--scenario", "spilt"],
      "there is no scenario and no file spilt, did you mean split? (--list lists the scenarios)",
    ],
    [["--scenario", "."], "cannot read .: "],
    [["--scenario", "wrong.txt"], 'wrong.txt: line 1: cannot read "what?": a line is a step'],
    [["--scenario", "unbroken.txt"], "unbroken.txt: no rule fire can be broken"],
    [["--scenario", "split", "--seed", "2"], "--seed does not go with --scenario: the scenario says that itself"],
    [["--seeds", "2", "--trace"], "--trace shows one run, not 2: give one --seed or --scenario"],
    [["--seeds", "2", "--report", "x.html"], "--report shows one run, not 2: give one --seed or --scenario"],
    [["--report", "no/where.html"], "--report cannot write no/where.html: there is no folder no"],
    [["--report", "."], "--report needs a file, and . is a folder: --report report.html"],
    [["--json", "--trace"], "--trace is for people and --json for programs: give one of them"],
    [["--record"], "--record writes into a scenario's file: chatpeer sim --scenario FILE --record"],
    [["--scenario", "split", "--record"], "--record writes into a scenario's file"],
    [["split"], "sim takes only flags: chatpeer sim --scenario split"],
    [["--sceanrio", "split"], "there is no flag --sceanrio, did you mean --scenario?"],
  ];

  test("each is exit code 2, and says what is wanted", async () => {
    writeFileSync(join(root, "wrong.txt"), "what?\n");
    writeFileSync(join(root, "unbroken.txt"), "title: x\npeers: 1\nbreak: fire\nuntil: 1000\n");
    const ended = await Promise.all(wrong.map(([args]) => sim(...args)));
    for (const [i, [args, message]] of wrong.entries()) {
      expect([args, ended[i]]).toEqual([
        args,
        { code: 2, out: "", err: expect.stringContaining(`chatpeer: ${message}`) },
      ]);
    }
  }, 60_000);
});

describe("verdicts", () => {
  test("PASS: exit code 0; the same for programs and for people", async () => {
    const job: Job = { seed: 5, profile: "all", peers: 3, minutes: 1, mutant: null };
    const args = [...SMALL, "--seed", "5"];
    const [json, text] = await Promise.all([sim(...args, "--json"), sim(...args)]);
    const verdict = expected(job);
    expect(json).toEqual({ code: 0, out: `${JSON.stringify(verdict)}\n`, err: "" });
    expect(verdict.verdict).toBe("PASS");
    expect(text.code).toBe(0);
    expect(text.out).toStartWith("PASS seed 5, profile all · ");
    expect(text.out).toEndWith(` · trace ${verdict.trace_hash}\n`);
  });

  test("FAIL: exit code 1, the invariant, and a schedule that can be saved and breaks the same", async () => {
    const failed = await sim(...BROKEN);
    expect(failed).toMatchObject({ code: 1, err: "" });
    expect(failed.out).toStartWith("FAIL seed 1, profile calm · ");
    expect(failed.out).toContain("I8 is broken\n  I8: ");
    const schedule = /^title: [\s\S]*?^ending: .*\n/m.exec(failed.out)?.[0] ?? "";
    expect(schedule).toContain("break: sent-early\n");
    expect(schedule.match(/^at /gm)?.length).toBeLessThan(10);
    // Its last lines are those of the short run, and end with what is broken.
    expect(failed.out.trimEnd().split("\n").at(-1)).toStartWith("I8: ");
    writeFileSync(join(root, "short.txt"), schedule);
    const again = await sim("--scenario", "short.txt", "--json");
    expect(again.code).toBe(1);
    expect(objects(again.out)).toMatchObject([{ verdict: "FAIL", violated: "I8" }]);
    writeFileSync(join(root, "known.txt"), schedule.replace("break:", "violates: I8\nbreak:"));
    expect(await sim("--scenario", "known.txt")).toMatchObject({
      code: 0,
      out: expect.stringContaining("I8 is broken, as it should be"),
    });
  });

  test("UNKNOWN: exit code 4, when the time is up before there is a verdict", async () => {
    const began = performance.now();
    const [one, many] = await Promise.all([
      sim("--minutes", "600", "--budget", "1", "--json"),
      sim("--minutes", "600", "--budget", "1", "--seeds", "30"),
    ]);
    expect(performance.now() - began).toBeLessThan(20_000);
    expect(one.code).toBe(4);
    expect(objects(one.out)).toMatchObject([{ seed: 1, verdict: "UNKNOWN", trace_hash: null, violated: null }]);
    expect(many.code).toBe(4);
    expect(many.out).toStartWith("UNKNOWN seeds 1 to 30, profile all: 30 runs, 30 without a verdict, time ran out");
  }, 60_000);

  test("many seeds: each as it is alone, in order; one that fails makes all of it fail", async () => {
    const args = [...SMALL, "--profile", "network", "--seed", "3", "--seeds", "4"];
    const [json, text, broken] = await Promise.all([
      sim(...args, "--json"),
      sim(...args),
      sim(...BROKEN, "--seeds", "2"),
    ]);
    const jobs = [3, 4, 5, 6].map((seed): Job => ({ seed, profile: "network", peers: 3, minutes: 1, mutant: null }));
    expect(objects(json.out)).toEqual(jobs.map(expected));
    expect(text.out).toMatch(/^PASS seeds 3 to 6, profile network: 4 runs, 0\.1 virtual hours in [0-9.]+ s /);
    expect(broken.code).toBe(1);
    expect(broken.out).toContain("FAIL seeds 1 to 2, profile calm, sent-early broken: 2 runs, 2 failed, ");
    // No progress where nobody watches.
    expect([json.err, text.err, broken.err]).toEqual(["", "", ""]);
  }, 60_000);
});

describe("one run, looked at", () => {
  test("--trace tells all of it, --report draws it", async () => {
    const { code, out } = await sim("--scenario", "crash", "--trace", "--report", "crash.html");
    expect(code).toBe(0);
    expect(out).toContain("\n   2340.0 peer 5 — at 2340 kill 5\n");
    expect(out).toContain("The picture is in crash.html");
    const page = readFileSync(join(root, "crash.html"), "utf8");
    const data = JSON.parse(/<script type="application\/json" id="data">(.*?)<\/script>/s.exec(page)?.[1] ?? "");
    expect(data).toMatchObject({ title: expect.stringContaining("crash of the sequencer"), peers: [1, 2, 3, 4, 5] });
    expect(data.verdict.result).toBe("PASS");
    expect(data.messages.length).toBeGreaterThan(100);
    // Every line of the trace is an event of the picture.
    expect(out.match(/^ +[0-9.]+ /gm)).toHaveLength(data.events.length);
  });

  test("of a failure, the picture is the short one's", async () => {
    expect((await sim(...BROKEN, "--report", "broken.html")).code).toBe(1);
    const page = readFileSync(join(root, "broken.html"), "utf8");
    const data = JSON.parse(/<script type="application\/json" id="data">(.*?)<\/script>/s.exec(page)?.[1] ?? "");
    expect(data.verdict).toMatchObject({ result: "FAIL", invariant: "I8" });
    expect(data.verdict.steps.length).toBeGreaterThan(0);
    expect(data.endMs).toBeLessThan(5000);
  });

  test("--record writes the trace down, and from then on it is compared", async () => {
    const file = join(root, "kept.txt");
    const text = "title: kept\npeers: 1\nseed: 1\n\n# A story.\nat 0 start 1\n\nuntil: 1000\nending: stop\n";
    writeFileSync(file, text);
    expect(await sim("--scenario", file, "--record")).toMatchObject({ code: 0 });
    const recorded = readFileSync(file, "utf8");
    expect(recorded).toStartWith(text);
    expect(recorded.slice(text.length)).toMatch(/^trace: [0-9a-f]{16}\n$/);
    expect(await sim("--scenario", file)).toMatchObject({ code: 0 });
    writeFileSync(file, recorded.replace("seed: 1", "seed: 2"));
    const other = await sim("--scenario", file);
    expect(other.code).toBe(1);
    expect(other.out).toContain("trace is broken\n  the trace is ");
  });
});

describe("lists and help", () => {
  test("of scenarios, of rules, of flags", async () => {
    const [scenarios, rules, help] = await Promise.all([sim("--list"), sim("--list-rules"), chatpeer(["help", "sim"])]);
    for (const { name } of SCENARIOS) expect(scenarios.out).toMatch(new RegExp(`^${name} +\\S`, "m"));
    expect(rules.out).toMatch(/^S2 +no-dedup +\S/m);
    const flags = "seed seeds peers minutes profile scenario record trace report break list-rules list json budget";
    for (const flag of flags.split(" ")) expect(help.out).toContain(`--${flag}`);
    expect([scenarios.code, rules.code, help.code]).toEqual([0, 0, 0]);
  });

  test("as JSON, an object for each line", async () => {
    const [scenarios, rules] = await Promise.all([sim("--list", "--json"), sim("--list-rules", "--json")]);
    const read = ({ out }: { out: string }) =>
      out
        .split("\n")
        .slice(0, -1)
        .map((line) => JSON.parse(line));
    expect(read(scenarios).map((row) => row.name)).toEqual(SCENARIOS.map(({ name }) => name));
    expect(read(rules)).toContainEqual({ name: "no-dedup", rule: "S2", what: expect.any(String) });
  });
});
