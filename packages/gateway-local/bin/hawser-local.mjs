/** What the script hawser-local beside this file runs. */

// A reload that is asked for while the program loads must not end it: the configuration is read after that anyway.
if (process.argv[2] === "run") process.on("SIGHUP", () => {});

const { main } = await import("../dist/cli.js");
await main(process.argv);
