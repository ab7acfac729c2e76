import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { once } from "node:events";
import { type AddressInfo, createServer } from "node:net";
import { test } from "node:test";
import { promisify } from "node:util";

const LIMIT = 160;
const FLOWS = 300;
/** What flows leave free. */
const RESERVE = LIMIT / 4;

/** Dials all in one turn, as many OPEN frames in one read have it do. */
const SCRIPT = `
  import { readdirSync } from "node:fs";
  import { dialApplication } from ${JSON.stringify(new URL("../flows/application-socket.ts", import.meta.url))};
  const [, host, port] = process.argv;
  const lookup = (_name, done) => setTimeout(done, 10, null, [{ address: "127.0.0.1", family: 4 }]);
  let refused = 0;
  const dial = () => new Promise((resolve) => {
    const dial = dialApplication({ host, port, lookup }, () => true, resolve);
    dial.once("error", () => resolve(refused++));
  });
  await Promise.all(Array.from({ length: ${FLOWS} }, dial));
  // Less the one that reads them; what was inherited may lie above the limit.
  const open = readdirSync("/proc/self/fd").filter((fd) => Number(fd) < ${LIMIT}).length - 1;
  console.log(JSON.stringify({ refused, open }));
  process.exit();
`;

for (const host of ["127.0.0.1", "name.test"])
  test(`flows that are dialled in one turn leave the reserves to the others: to ${host}`, async () => {
    const server = createServer().listen(0, "127.0.0.1");
    await once(server, "listening");
    try {
      const { port } = server.address() as AddressInfo;
      const { stdout } = await promisify(execFile)("sh", [
        "-c",
        `ulimit -n ${LIMIT}; exec "$0" --input-type=module -e "$@"`,
        process.execPath,
        SCRIPT,
        host,
        String(port),
      ]);
      const { refused, open } = JSON.parse(stdout) as { refused: number; open: number };
      assert.equal(open, LIMIT - RESERVE);
      // About twenty are Node's own.
      assert.ok(refused >= FLOWS - open && refused < FLOWS - open + 40, `${refused} refused`);
    } finally {
      server.close();
    }
  });
