import assert from "node:assert/strict";
import { test } from "node:test";
import type { PathStatus, SessionStatus } from "@hawser/status-api/model";
import { formatAge, formatBytes, formatMs, formatRate } from "@hawser/status-api/model";
import { samplePath, sampleReport } from "@hawser/status-api/testing";
import { renderStatus } from "./render-status.ts";

function session(...paths: PathStatus[]): SessionStatus {
  const flows = { open: 12, total: 340, failed: 2 };
  const bytes = { sent: 1_200_000_000, received: 8_400_000_000, reinjected: 3_100_000 };
  return { peer: "home", state: "degraded", flows, bytes, paths };
}

const NOW = new Date("2026-01-02T03:04:17.000Z");

test("that a firewall cuts the LAN off stands above everything", () => {
  const text = renderStatus({
    ...sampleReport(),
    capture: [
      { family: "ipv4", state: "blocked", accepted: 3, redirected: 9 },
      { family: "ipv6", state: "arrives", accepted: 3, redirected: 3 },
    ],
  });
  assert.equal(text.split("\n")[1], "a firewall drops the LAN's IPv4 connections: hawser-local doctor");
});

test("the table of a local gateway", () => {
  const lte = samplePath("lte", {
    state: "down",
    role: "backup",
    subflows: 0,
    rttMs: null,
    sendRateBps: 0,
    receiveRateBps: 0,
    sentBytes: 0,
    receivedBytes: 0,
    lastError: "connect ETIMEDOUT",
  });
  const paths = [
    samplePath("adsl1"),
    samplePath("adsl2", { rttMs: 4.04, lastError: "read ECONNRESET" }),
    lte,
  ];
  const text = renderStatus(
    { role: "local", version: "0.1.0", uptimeSeconds: 11_530, session: session(...paths) },
    NOW,
  );
  assert.equal(
    text,
    `hawser-local 0.1.0, up 3 h 12 min

home: degraded, 12 flows open, 340 in all, 2 failed
down 8.4 GB, up 1.2 GB, sent again 3.1 MB
LINE             STATE      ROLE     SUB RTT ms       DOWN         UP SHARE
adsl1            up         active     1     23 8.4 Mbit/s 785 kbit/s  50 %
adsl2            up         active     1    4.0 8.4 Mbit/s 785 kbit/s  50 %
lte              down       backup     0      -    0 bit/s    0 bit/s   0 %
lte down for 12 s: connect ETIMEDOUT
`,
  );
});

test("down is towards the home at the remote gateway, too", () => {
  const report = { role: "remote", version: "0.1.0", uptimeSeconds: 5 } as const;
  const lines = renderStatus({ ...report, sessions: [session(samplePath("adsl1"))] }, NOW).split("\n");
  assert.equal(lines[3], "down 1.2 GB, up 8.4 GB, sent again 3.1 MB");
  assert.match(lines[5] ?? "", /^adsl1 .* 785 kbit\/s 8\.4 Mbit\/s 100 %$/);
});

test("a line that is up and rests is told with the reason, and until when", () => {
  const rests = samplePath("weak", { inUse: false, restsUntil: "2026-01-02T03:04:29.000Z" });
  const report = {
    role: "local",
    version: "0.1.0",
    uptimeSeconds: 1,
    session: session(samplePath("adsl1"), rests),
  } as const;
  const told = "weak rests for 12 s more: it held up more than it carried";
  assert.equal(renderStatus(report, NOW).trimEnd().split("\n").at(-1), told);
});

test("whatever a peer is called and says, 80 columns hold it, and the terminal is not steered", () => {
  const odd = samplePath("\x1b[2J\x1b]0;x\x07é漢".repeat(9), {
    state: "connecting",
    role: "disabled",
    subflows: 16,
    rttMs: 123_456,
    sendRateBps: 999_499_999_999,
    receiveRateBps: 999_900_000,
    lastError: `\r\n${"long ".repeat(40)}`,
    since: "?",
  });
  const report = { role: "remote", version: "0.1.0", uptimeSeconds: 1e9, sessions: [session(odd)] } as const;
  const lines = renderStatus(report, NOW).split("\n");
  for (const line of lines) {
    assert.ok(line.length <= 80, line);
    assert.match(line, /^[\x20-\x7e…]*$/);
  }
  assert.equal(lines.length, 8);
});

test("what is used of a quota, and what became of its path", () => {
  const quota = {
    limitBytes: 50e9,
    usedBytes: 50e9,
    leftBytes: 0,
    counts: "both",
    whenReached: "backup",
    reached: true,
    resetsAt: new Date(2026, 1, 1).toISOString(),
  } as const;
  const lte = samplePath("lte", { role: "overflow", roleInForce: "backup", quota });
  const report = { role: "local", version: "0.1.0", uptimeSeconds: 5, session: session(lte) } as const;
  const lines = renderStatus(report, NOW).split("\n");
  assert.equal(lines.at(-2), "lte quota: 50 GB of 50 GB used, backup for that reason; anew 2026-02-01");
});

test("a remote gateway without peers", () => {
  const text = renderStatus({ role: "remote", version: "0.1.0", uptimeSeconds: 5, sessions: [] }, NOW);
  assert.equal(text, "hawser-remote 0.1.0, up 5 s\n\nno local gateway is connected\n");
});

test("figures", () => {
  const rates = [0, 999, 999.6, 1000, 8_449_999, 9_949_999, 9_950_000, 99_500_000, 999_499_999, 2.5e12];
  assert.deepEqual(rates.map(formatRate), [
    "0 bit/s",
    "999 bit/s",
    "1.0 kbit/s",
    "1.0 kbit/s",
    "8.4 Mbit/s",
    "9.9 Mbit/s",
    "10 Mbit/s",
    "100 Mbit/s",
    "999 Mbit/s",
    "2500 Gbit/s",
  ]);
  assert.equal(formatBytes(1_500), "1.5 kB");
  assert.deepEqual([null, 0.04, 9.96, 250.4].map(formatMs), ["-", "0.0", "10", "250"]);
  assert.deepEqual([-1, 59.9, 61, 3_660, 90_000].map(formatAge), [
    "0 s",
    "59 s",
    "1 min 1 s",
    "1 h 1 min",
    "1 d 1 h",
  ]);
});

test("a narrow terminal is shown fewer columns, and one flow is one", () => {
  const report = sampleReport();
  const { session } = report;
  const one = { ...report, session: { ...session, flows: { open: 1, total: 1, failed: 0 } } };
  const lines = renderStatus(one, NOW, 60).split("\n");
  assert.equal(lines[2], "home: up, 1 flow open, 1 in all, 0 failed");
  assert.match(lines[4] ?? "", /^LINE +STATE +RTT ms +DOWN +UP$/);
  assert.match(lines[5] ?? "", /^adsl1 +up +23 +8\.4 Mbit\/s +785 kbit\/s$/);
  for (const line of lines) assert.ok(line.length <= 60, line);
  assert.match(renderStatus(one, NOW, 40), /^adsl1 +up +8\.4 Mbit\/s 785 kbit\/s$/m);
});
