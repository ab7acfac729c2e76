import assert from "node:assert/strict";
import { test } from "node:test";
import { readCounters } from "./counters.ts";
import type { Runner } from "./runner.ts";

test("counters are those of the rules, with their chain and target", async () => {
  const asked: string[] = [];
  const runner: Runner = {
    run: async (command, args) => {
      asked.push([command, ...args].join(" "));
      const stdout = `# Generated
*nat
:PREROUTING ACCEPT [9:900]
:HAWSER - [0:0]
[12:720] -A PREROUTING -i lan0 -p tcp -m comment --comment "managed-by:HAWSER" -j HAWSER
[5:300] -A HAWSER -p tcp -j REDIRECT --to-ports 12345
[1:2] -A HAWSER -p udp
COMMIT
`;
      return { code: 0, stdout, stderr: "" };
    },
  };
  assert.deepEqual(await readCounters(runner, "ipv6", "nat"), [
    { chain: "PREROUTING", target: "HAWSER", packets: 12 },
    { chain: "HAWSER", target: "REDIRECT", packets: 5 },
    { chain: "HAWSER", target: undefined, packets: 1 },
  ]);
  assert.deepEqual(asked, ["ip6tables-save -c -t nat"]);
});

test("a tool that is not there is an error with its name", async () => {
  const runner: Runner = { run: async () => ({ code: 127, stdout: "", stderr: "not found" }) };
  await assert.rejects(readCounters(runner, "ipv4", "nat"), { code: "IPTABLES_TOOL_MISSING" });
});
