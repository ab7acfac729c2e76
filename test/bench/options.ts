import { parseArgs } from "node:util";
import { choose, type Play } from "./field/choice.ts";
import { SCENARIOS } from "./field/index.ts";
import { MEASURES } from "./measures/index.ts";
import { DEFAULT_ROWS, ROWS } from "./rows.ts";

export const USAGE = `Usage: npm run bench [-- OPTIONS]
       npm run bench -- --field [SCENARIO[/VARIANT]...] [--quick] [--cc NAME] [--json FILE]

Builds a house with emulated lines and measures, one after the other in the same
run: each line alone by plain TCP, redsocks + dante over kernel MPTCP, Hawser.
Prints a table of medians, with the commit, the machine and the date. Writes
artifacts/bench-ROW.json, and draws what each line carried over time into
artifacts/bench-ROW-MEASURE-SYSTEM-RUN.svg, of the measures in which that
matters. Needs root.

  --row NAME       measure on this row only (repeatable): ${wrapped(ROWS.map(({ name }) => name))}
  --measure NAME   take this measure only (repeatable): ${wrapped(MEASURES.map(({ name }) => name))}
  --cc NAME        congestion control of every connection: bbr or cubic
                   (default: the machine's)
  --runs N         the median of so many (default 3)
  --quick          one run, with shorter transfers
  --json FILE      also write everything into one file
  --no-peer        leave redsocks + dante out
  --help           this text

  --field          play scenarios of lines that misbehave instead; of each variant: Hawser,
                   plain TCP over the best line, whether the bar is met, and what an
                   operator reads. VARIANT may be the beginning of a name.
                   Scenarios: ${wrapped(SCENARIOS.map(({ name }) => name))}
  --quick          with --field: one variant of each scenario
  --list           with --field: the scenarios with their variants

Without --row: ${wrapped(DEFAULT_ROWS)}
`;

export interface BenchOptions {
  readonly rows: readonly string[];
  readonly measures: readonly string[];
  readonly congestion: "bbr" | "cubic" | undefined;
  readonly runs: number;
  readonly isQuick: boolean;
  readonly json: string | undefined;
  readonly hasPeer: boolean;
  /** What is played of the field, instead of the rows. */
  readonly field: readonly Play[] | undefined;
  readonly isList: boolean;
  readonly isHelp: boolean;
}

const ACCEPTED = {
  row: { type: "string", multiple: true },
  measure: { type: "string", multiple: true },
  cc: { type: "string" },
  runs: { type: "string" },
  quick: { type: "boolean" },
  json: { type: "string" },
  "no-peer": { type: "boolean" },
  field: { type: "boolean" },
  list: { type: "boolean" },
  help: { type: "boolean", short: "h" },
} as const;

/** The options, or what is wrong with them in one line. */
export function parseOptions(args: readonly string[]): BenchOptions | string {
  try {
    const { values, positionals } = parseArgs({
      args: [...args],
      options: ACCEPTED,
      allowPositionals: args.includes("--field"),
    });
    const isQuick = values.quick ?? false;
    const isField = values.field ?? false;
    if (isField) refuse(values, ["row", "measure", "runs", "no-peer"], "does not go with --field");
    else refuse(values, ["list"], "goes with --field only");
    return {
      rows: known("row", values.row ?? DEFAULT_ROWS, ROWS),
      measures: known("measure", values.measure ?? MEASURES.map(({ name }) => name), MEASURES),
      congestion: congestionOf(values.cc),
      runs: runsOf(values.runs ?? (isQuick ? "1" : "3")),
      isQuick,
      json: values.json,
      hasPeer: !(values["no-peer"] ?? false),
      field: isField ? choose(positionals, isQuick) : undefined,
      isList: values.list ?? false,
      isHelp: values.help ?? false,
    };
  } catch (error) {
    const [why = ""] = (error as Error).message.split(/\. |\n/);
    return `${why} (--help lists the options)`;
  }
}

/** @throws Error when one of the options is there */
function refuse(values: Readonly<Record<string, unknown>>, options: readonly string[], why: string): void {
  const found = options.find((option) => values[option] !== undefined);
  if (found !== undefined) throw new Error(`--${found} ${why}`);
}

/** The names asked for, each once. */
function known(
  option: string,
  names: readonly string[],
  all: readonly { name: string }[],
): readonly string[] {
  const unknown = names.find((name) => !all.some((candidate) => candidate.name === name));
  if (unknown === undefined) return [...new Set(names)];
  throw new Error(`no ${option} "${unknown}"; there are ${all.map(({ name }) => name).join(", ")}`);
}

function congestionOf(name: string | undefined): "bbr" | "cubic" | undefined {
  if (name === undefined || name === "bbr" || name === "cubic") return name;
  throw new Error(`--cc is bbr or cubic, not "${name}"`);
}

function runsOf(text: string): number {
  if (/^[1-9]\d?$/.test(text)) return Number(text);
  throw new Error(`--runs is a number from 1 to 99, not "${text}"`);
}

function wrapped(names: readonly string[]): string {
  const lines = [""];
  for (const name of names) {
    if (`${lines.at(-1)} ${name}`.length > 58) lines.push("");
    lines[lines.length - 1] = `${lines.at(-1)} ${name}`.trimStart();
  }
  return lines.map((text) => `\n                   ${text}`).join("");
}
