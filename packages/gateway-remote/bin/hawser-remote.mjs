#!/usr/bin/env -S node --max-semi-space-size=2
// Small young generation: the buffers that traffic comes in are used again while a CPU cache still holds them, which
// measures as a fifth less CPU per byte.

// First of all, before an older Node meets what it does not know.
if (Number.parseInt(process.versions.node, 10) < 24) {
  console.error(
    `hawser-remote: needs Node 24 or later, and this is ${process.versions.node}; in a checkout, \`npx hawser-remote\` takes its own`,
  );
  process.exit(1);
}

// A reload that is asked for while the program loads must not end it: the configuration is read after that anyway.
if (process.argv[2] === "run") process.on("SIGHUP", () => {});

const { main } = await import("../dist/cli.js");
await main(process.argv);
