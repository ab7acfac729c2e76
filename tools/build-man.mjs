/** Writes man/*.1 from the declarations of both programs. Runs on what `tsc -b` has built. */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describeCommand, manPage } from "@hawser/command-line";
import { readVersion } from "@hawser/gateway-kit/config";
import { localProgram } from "../packages/gateway-local/dist/cli.js";
import { remoteProgram } from "../packages/gateway-remote/dist/cli.js";

const folder = join(import.meta.dirname, "..", "man");

/** What both pages say besides. */
function sectionsOf(name) {
  const file = `/etc/hawser/${name.replace("hawser-", "")}.toml`;
  return [
    {
      title: "EXIT STATUS",
      paragraphs: ["0: done. 1: failed at run time. 2: wrong usage or configuration."],
    },
    {
      title: "ENVIRONMENT",
      paragraphs: [
        "HAWSER_LOG_LEVEL: trace, debug, info (the default), warn, error, fatal or silent.",
        "NO_COLOR: with any value, nothing is coloured.",
      ],
    },
    { title: "FILES", paragraphs: [`${file}: the configuration of the service.`] },
  ];
}

const programs = [localProgram(), remoteProgram()];
mkdirSync(folder, { recursive: true });
for (const program of programs) {
  const name = program.name();
  const seeAlso = [
    ...programs.map((other) => `${other.name()}(1)`).filter((page) => page !== `${name}(1)`),
    "systemctl(1)",
    "journalctl(1)",
  ];
  const version = readVersion(import.meta.url);
  const page = manPage(describeCommand(program), { version, sections: sectionsOf(name), seeAlso });
  writeFileSync(join(folder, `${name}.1`), page);
}
