import assert from "node:assert/strict";
import { test } from "node:test";
import { renderDrill, renderEvent, renderFlows, renderRoleChange, renderSpeeds } from "./render-list.ts";

const REPORT = {
  path: "adsl1",
  seconds: 30,
  flows: { open: 12, failed: 0 },
  bytes: { sent: 1_000_000, received: 30_000_000 },
  longestGapMs: 81.4,
  upAfterMs: 120,
  backAfterMs: 150,
  reinjectedBytes: 64_000,
};

test("a role that a used-up quota stands above", () => {
  const change = {
    name: "lte",
    role: "active",
    roleInForce: "active",
    roleReason: "set through the API",
  } as const;
  assert.equal(renderRoleChange(change), "lte: active\n");
  const spent = { ...change, roleInForce: "disabled", roleReason: "its quota is used up" } as const;
  assert.equal(renderRoleChange(spent), "lte: active, and disabled for now: its quota is used up\n");
});

test("flows as a table, with the share of each line", () => {
  const flow = {
    id: "1",
    from: "192.168.1.2:50000",
    to: "192.0.2.1:443",
    kind: "redirect" as const,
    ageSeconds: 61,
    sentBytes: 1_000,
    receivedBytes: 3_000,
    paths: [
      { name: "adsl1", sentBytes: 1_000, receivedBytes: 0 },
      { name: "adsl2", sentBytes: 0, receivedBytes: 3_000 },
    ],
  };
  assert.equal(
    renderFlows([flow, { ...flow, from: "a\x1b[2J", sentBytes: 0, receivedBytes: 0, paths: [] }]),
    `FROM               TO             KIND            AGE    DOWN      UP  LINES
192.168.1.2:50000  192.0.2.1:443  redirect  1 min 1 s  3.0 kB  1.0 kB  adsl1 25 %, adsl2 75 %
a?[2J              192.0.2.1:443  redirect  1 min 1 s     0 B     0 B
`,
  );
  const narrow = (width: number): string => renderFlows([flow], undefined, width);
  assert.match(
    narrow(80),
    /^192\.168\.1\.2:50000  192\.0\.2\.1:443 .* 3\.0 kB  1\.0 kB  adsl1 25 %, adsl2 75 %$/m,
  );
  assert.match(narrow(60), /^192\.0\.2\.1:443  3\.0 kB  adsl1 25 %, adsl2 75 %$/m);
  for (const width of [20, 40, 60, 80])
    for (const line of narrow(width).split("\n")) assert.ok(line.length <= width, line);
  assert.equal(renderFlows([]), "no flow is open\n");
  assert.equal(renderFlows([], "zzz"), 'no open flow matches "zzz"\n');
});

test("an event is one line, with its subject", () => {
  const event = {
    id: 1,
    time: "2026-01-02T03:04:05.000Z",
    type: "path-down" as const,
    level: "warn" as const,
    peer: "home",
    path: "adsl1",
    message: "adsl1 is down:\nconnect ETIMEDOUT",
  };
  assert.match(
    renderEvent(event),
    /^2026-01-0\d \d\d:\d\d:05 ! path-down {8}home\/adsl1: adsl1 is down:\?connect ETIMEDOUT\n$/,
  );
});

test("a drill's report says what is known, and what is not", () => {
  assert.equal(
    renderDrill(REPORT),
    `adsl1 was out for 30.0 s: up again after 120 ms, carried bytes of flows after 150 ms
flows: 0 lost of 12 that were open
longest gap of a flow that was moving bytes: 81 ms
meanwhile: 30 MB down, 1.0 MB up; 64 kB sent again
`,
  );
  const idle = renderDrill({ ...REPORT, longestGapMs: null, upAfterMs: null, backAfterMs: null });
  assert.match(idle, /there is no gap to tell/);
  assert.match(idle, /it has not come up again yet\n/);
});

test("speeds as a table; what could not be measured is told below", () => {
  const latencies = { latencyMs: 24, downLatencyMs: 45.4, upLatencyMs: 80 };
  assert.equal(
    renderSpeeds([
      { name: "adsl1", downBps: 8e6, upBps: 7.6e5, ...latencies, error: null },
      {
        name: null,
        downBps: 1.6e7,
        upBps: null,
        ...latencies,
        upLatencyMs: null,
        error: "the session has ended",
      },
    ]),
    `LINE            DOWN          UP  IDLE ms  WHILE DOWN  WHILE UP
adsl1     8.0 Mbit/s  760 kbit/s       24          45        80
together   16 Mbit/s           -       24          45         -
together: the session has ended
`,
  );
});
