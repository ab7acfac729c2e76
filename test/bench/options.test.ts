import assert from "node:assert/strict";
import { test } from "node:test";
import { SCENARIOS } from "./field/index.ts";
import { type BenchOptions, parseOptions } from "./options.ts";
import { DEFAULT_ROWS } from "./rows.ts";

function parsed(...args: string[]): BenchOptions {
  const options = parseOptions(args);
  if (typeof options === "string") throw new Error(options);
  return options;
}

test("without options: the promised rows, every measure, the median of three", () => {
  const options = parsed();
  assert.deepEqual(options.rows, DEFAULT_ROWS);
  assert.equal(options.runs, 3);
  assert.equal(options.hasPeer, true);
  assert.equal(options.congestion, undefined);
});

test("rows and measures by name, each once", () => {
  const options = parsed("--row", "sat", "--row", "three", "--row", "sat", "--measure", "idle");
  assert.deepEqual(options.rows, ["sat", "three"]);
  assert.deepEqual(options.measures, ["idle"]);
});

test("--quick is one run, unless --runs says otherwise", () => {
  assert.equal(parsed("--quick").runs, 1);
  assert.equal(parsed("--quick", "--runs", "2").runs, 2);
});

test("--field takes scenarios and variants by name, all when none is named", () => {
  const titles = (...args: string[]): string[] =>
    parsed("--field", ...args).field?.map(({ title }) => title) ?? [];
  assert.equal(parsed().field, undefined);
  assert.ok(titles().length > titles("decay").length);
  assert.ok(titles("decay").every((title) => title.startsWith("decay/")));
  assert.deepEqual(titles("--quick", "decay"), ["decay/1-alone"]);
  assert.deepEqual(titles("decay/2", "spent-plan/backup-up"), [
    "decay/2-alone",
    "decay/2-beside-another",
    "spent-plan/backup-up",
  ]);
});

test("--quick plays one variant of each scenario", () => {
  const scenarios = parsed("--field", "--quick").field?.map(({ scenario }) => scenario);
  assert.deepEqual(scenarios, SCENARIOS);
});

for (const [args, why] of [
  [["--field", "dekay"], /^no scenario "dekay"; there are mtu-hole, /],
  [["--field", "decay/3"], /^no scenario "decay\/3"; there are 2-alone, /],
  [["--field", "--row", "adsl"], /^--row does not go with --field/],
  [["--list"], /^--list goes with --field only/],
  [["--row", "dsl"], /^no row "dsl"; there are adsl, /],
  [["--measure", "speed"], /^no measure "speed"/],
  [["--cc", "vegas"], /^--cc is bbr or cubic/],
  [["--runs", "0"], /^--runs is a number/],
  [["--fast"], /^Unknown option '--fast' \(--help/],
  [["adsl"], /adsl/],
] as const) {
  test(`refused: ${args.join(" ")}`, () => {
    const complaint = parseOptions(args);
    assert.match(typeof complaint === "string" ? complaint : "", why);
  });
}
