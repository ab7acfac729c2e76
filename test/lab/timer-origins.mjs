/**
 * Shows what wakes a program. `node --import .../timer-origins.mjs PROGRAM` counts the timers that fire, by the line of
 * source that set them. At SIGUSR2 it writes "timer RATE/s LINE" for each to the standard error stream, and begins to
 * count anew.
 */

import { syncBuiltinESMExports } from "node:module";
import timers from "node:timers";

const counts = new Map();
let since = performance.now();

/** The first line of the stack that is not in Node itself. */
function origin() {
  const lines = (new Error().stack ?? "").split("\n").slice(3);
  const own = lines.find((line) => line.includes("/") && !line.includes("node:")) ?? lines[0] ?? "";
  return own.trim().replace(/^at /, "");
}

function counted(set) {
  return (callback, ...rest) => {
    const from = origin();
    return set((...args) => {
      counts.set(from, (counts.get(from) ?? 0) + 1);
      return callback(...args);
    }, ...rest);
  };
}

for (const name of ["setTimeout", "setInterval"]) {
  const wrapped = Object.assign(counted(timers[name]), timers[name]);
  timers[name] = wrapped;
  globalThis[name] = wrapped;
}
syncBuiltinESMExports();

process.on("SIGUSR2", () => {
  const seconds = (performance.now() - since) / 1_000;
  const rows = [...counts].sort(([, a], [, b]) => b - a);
  for (const [from, count] of rows) process.stderr.write(`timer ${(count / seconds).toFixed(2)}/s ${from}\n`);
  counts.clear();
  since = performance.now();
});
