/** How often rules matched, as the kernel counts. In the nat table that is the first packet of each connection. */

import { toolError } from "./errors.ts";
import { TOOLS } from "./firewall.ts";
import { jumpTarget } from "./ownership.ts";
import type { Runner } from "./runner.ts";
import { parseRuleLine } from "./save.ts";
import type { Family, TableName } from "./types.ts";

export interface RuleCounter {
  readonly chain: string;
  readonly target: string | undefined;
  readonly packets: number;
}

/** Of every rule of a table. @throws IptablesError */
export async function readCounters(runner: Runner, family: Family, table: TableName): Promise<RuleCounter[]> {
  const { save } = TOOLS[family];
  const { code, stdout, stderr } = await runner.run(save, ["-c", "-t", table]);
  if (code !== 0) throw toolError(family, save, code, stderr);
  return stdout.split("\n").flatMap((line) => {
    const packets = /^\[(\d+):\d+\] -A /.exec(line)?.[1];
    const rule = packets === undefined ? undefined : parseRuleLine(line);
    return rule ? [{ chain: rule.chain, target: jumpTarget(rule), packets: Number(packets) }] : [];
  });
}
