/** The metrics, the alerts and the Grafana dashboard, as Prometheus itself judges and reads them. */
import assert from "node:assert/strict";
import { execFile, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, suite, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { createLogger } from "@hawser/gateway-kit";
import { LISTEN, samplePath, sampleReport } from "../testing.ts";
import { EventLog } from "./event-log.ts";
import { createStatusServer, type StatusServer } from "./server.ts";
import type { StatusSource } from "./source.ts";

const DEPLOY = fileURLToPath(new URL("../../../../deploy/", import.meta.url));
const RULES = join(DEPLOY, "prometheus/hawser.rules.yml");
/** How long Prometheus may take to start and to scrape, ms. */
const PATIENCE_MS = 20_000;

const source: StatusSource = {
  events: new EventLog(),
  flows: () => [],
  status: () => sampleReport({ paths: [samplePath("adsl1", { rttMs: 25 })] }),
};

suite("Prometheus", () => {
  let server: StatusServer;
  before(async () => {
    const logger = createLogger({ role: "local", name: "test", level: "silent" });
    server = await createStatusServer(source, { listen: LISTEN, logger });
  });
  after(() => server.close());
  const scrape = async (): Promise<string> => (await fetch(`${server.url}/metrics`)).text();

  test("alerts and the Grafana dashboard ask for metrics that there are", async () => {
    const metrics = new Set([...(await scrape()).matchAll(/^# TYPE (\S+)/gm)].map(([, name]) => name));
    for (const file of [RULES, join(DEPLOY, "grafana/hawser.json")]) {
      const asked = readFileSync(file, "utf8").match(/\b(hawser|process|nodejs)_[a-z0-9_]+/g) ?? [];
      assert.ok(asked.length > 5);
      for (const name of asked) assert.ok(metrics.has(name), `${file}: ${name}`);
    }
  });

  test("promtool finds nothing to say of metrics and alerts", { skip: lacking("promtool") }, async () => {
    const run = (...args: string[]): string =>
      execFileSync("promtool", args, { encoding: "utf8", stdio: "pipe" });
    run("check", "rules", RULES);
    run("test", "rules", join(DEPLOY, "prometheus/hawser.rules.test.yml"));
    const lint = promisify(execFile)("promtool", ["check", "metrics"]);
    lint.child.stdin?.end(await scrape());
    assert.deepEqual(await lint, { stdout: "", stderr: "" });
  });

  test("Prometheus scrapes the gateway", { skip: lacking("prometheus") }, async () => {
    const folder = mkdtempSync(join(tmpdir(), "hawser-prometheus-"));
    const target = server.url.slice("http://".length);
    const scraping = `{ job_name: hawser, scrape_interval: 250ms, scrape_timeout: 250ms, static_configs: [{ targets: ["${target}"] }] }`;
    writeFileSync(
      join(folder, "prometheus.yml"),
      `rule_files: ["${RULES}"]\nscrape_configs: [${scraping}]\n`,
    );
    const address = `127.0.0.1:${await freePort()}`;
    const prometheus = spawn(
      "prometheus",
      [
        `--config.file=${join(folder, "prometheus.yml")}`,
        `--storage.tsdb.path=${folder}`,
        `--web.listen-address=${address}`,
      ],
      { stdio: "ignore" },
    );
    const exited = once(prometheus, "exit");
    try {
      assert.equal(await valueOf(address, 'hawser_path_rtt_seconds{path="adsl1"}'), 0.025);
      assert.equal(await valueOf(address, 'up{job="hawser"}'), 1);
    } finally {
      prometheus.kill("SIGKILL");
      await exited;
      rmSync(folder, { recursive: true, force: true });
    }
  });
});

/** Why a test is skipped, or false. */
function lacking(tool: string): string | false {
  try {
    execFileSync(tool, ["--version"], { stdio: "ignore" });
    return false;
  } catch {
    return `this test needs the command ${tool} (Debian's package prometheus)`;
  }
}

async function freePort(): Promise<number> {
  const probe = createServer().listen(0, "127.0.0.1");
  await once(probe, "listening");
  const { port } = probe.address() as { port: number };
  probe.close();
  await once(probe, "close");
  return port;
}

/** What a query answers, once Prometheus has an answer. */
async function valueOf(address: string, query: string): Promise<number> {
  const url = `http://${address}/api/v1/query?query=${encodeURIComponent(query)}`;
  for (const deadline = performance.now() + PATIENCE_MS; performance.now() < deadline; await sleep(50)) {
    const answer = await fetch(url).catch(() => undefined);
    if (!answer?.ok) continue;
    const { data } = (await answer.json()) as { data: { result: { value: [number, string] }[] } };
    if (data.result[0]) return Number(data.result[0].value[1]);
  }
  throw new Error(`Prometheus has no answer to ${query}`);
}
