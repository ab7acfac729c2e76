/**
 * Runs the tests: first those that only compute, a file on each core; then those with real lines and namespaces, and those
 * that install, which mostly wait: half as many files again; then those that measure, one at a time. `npm test -- PATTERN`
 * runs the files whose path contains PATTERN.
 */
import { chmodSync, globSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { availableParallelism, tmpdir } from "node:os";
import { join, relative } from "node:path";
import { run } from "node:test";
import { spec } from "node:test/reporters";

const root = join(import.meta.dirname, "..");
const patterns = process.argv.slice(2);
const files = globSync(["packages/*/src/**/*.test.ts", "test/**/*.test.ts"], { cwd: root })
  .filter((file) => !file.includes("node_modules"))
  .filter((file) => patterns.length === 0 || patterns.some((pattern) => file.includes(pattern)))
  .sort();
/** Their figures are spoilt by whatever else runs. */
const MEASURING = [
  "bars",
  "chaos",
  "dashboard",
  "field-crowd",
  "field-hostile-peer",
  "field-idle-subflows",
  "idle",
  "machine-limits",
  "operation",
  "speed",
  "strangers",
];
const INSTALLING = ["install", "npm-versions", "upgrade"];
const isHeavy = (file) =>
  file.endsWith(".lab.test.ts") ||
  file.startsWith("test/lab/") ||
  INSTALLING.some((name) => file === `test/install/${name}.test.ts`);
const isMeasuring = (file) =>
  file.startsWith("test/lab/") || MEASURING.some((name) => file === `test/e2e/${name}.lab.test.ts`);

/** Whatever the tests make is here, and goes with it: also what one leaves behind that is killed. Other users pass through. */
const folder = mkdtempSync(join(tmpdir(), "hawser-tests-"));
chmodSync(folder, 0o711);
process.env.TMPDIR = folder;
process.on("exit", () => rmSync(folder, { recursive: true, force: true }));
for (const [signal, code] of [
  ["SIGINT", 130],
  ["SIGTERM", 143],
])
  process.once(signal, () => process.exit(code));

const cores = availableParallelism();
const totals = { passed: 0, failed: 0, skipped: 0, cancelled: 0 };
await runFiles(
  files.filter((file) => !isHeavy(file)),
  cores,
);
await runFiles(
  files.filter((file) => isHeavy(file) && !isMeasuring(file)),
  Math.ceil(cores * 1.5),
);
await runFiles(files.filter(isMeasuring), 1);
const left = readdirSync(folder).filter((name) => name.startsWith("hawser-"));
if (left.length > 0) console.error(`left behind: ${left.join(", ")}`);
const failed = totals.failed + totals.cancelled;
console.log(`\n${totals.passed} passed, ${failed} failed, ${totals.skipped} skipped`);
process.exitCode = failed === 0 && totals.passed > 0 ? 0 : 1;

async function runFiles(selected, concurrency) {
  if (selected.length === 0) return;
  const stream = run({ files: selected.map((file) => join(root, file)), concurrency, cwd: root });
  stream.on("test:summary", ({ file, counts }) => {
    if (file !== undefined) return;
    totals.passed += counts.passed;
    totals.failed += counts.failed;
    totals.skipped += counts.skipped + counts.todo;
    totals.cancelled += counts.cancelled;
  });
  stream.on("test:fail", ({ name, file }) => console.error(`FAILED ${relative(root, file ?? "")}: ${name}`));
  for await (const text of stream.compose(new spec())) process.stdout.write(text);
}
