#!/usr/bin/env -S UV_THREADPOOL_SIZE=64 node --max-semi-space-size=1 --heap-growing-percent=100
// Many threads: every line's dials resolve the remote gateway's name on half of them, and those that wait for a name
// server which a dead line cuts off must not hold up the others.
// The garbage collector, the same on every machine (its own choice goes by the memory of the machine): a small young
// generation, so that the buffers that traffic comes in are used again while a CPU cache still holds them (a fifth less
// CPU per byte than by default), and a heap that may double before it is collected: with less every burst of traffic
// sets off whole collections, with more what strangers leave behind adds up.

// First of all, before an older Node meets what it does not know.
if (Number.parseInt(process.versions.node, 10) < 24) {
  console.error(
    `hawser-local: needs Node 24 or later, and this is ${process.versions.node}; in a checkout, \`npx hawser-local\` takes its own`,
  );
  process.exit(1);
}

// A reload that is asked for while the program loads must not end it: the configuration is read after that anyway.
if (process.argv[2] === "run") process.on("SIGHUP", () => {});

const { main } = await import("../dist/cli.js");
await main(process.argv);
