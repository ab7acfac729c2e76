import { parseArgs } from "node:util";

export const USAGE = `Usage: npm start [-- OPTIONS]

Draws a house with two emulated ADSL lines, runs both gateways, downloads over
each line alone and over both at once, prints the table, draws what the lines
carried into artifacts/demo.svg, and keeps the two dashboards up until Ctrl-C.

  --once   exit after the table: 0 when both lines together reached the sum, 1 when not
  --help   this text

HAWSER_DEMO=loopback plays on loopback even where network namespaces are to be had.
`;

export interface DemoOptions {
  readonly once: boolean;
  readonly help: boolean;
}

/** The options, or what is wrong with them in one line. */
export function parseOptions(args: readonly string[]): DemoOptions | string {
  try {
    const options = { once: { type: "boolean" }, help: { type: "boolean", short: "h" } } as const;
    const { values } = parseArgs({ args: [...args], options });
    return { once: values.once ?? false, help: values.help ?? false };
  } catch (error) {
    const [why = ""] = (error as Error).message.split(/\. |\n/);
    return `${why} (--help lists the options)`;
  }
}
