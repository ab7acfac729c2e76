/**
 * The dashboard in a real browser. It shows what the API says and what the lines have carried, and its controls work.
 */
import assert from "node:assert/strict";
import { once } from "node:events";
import { after, before, suite, test } from "node:test";
import { PATH_ROLES } from "@hawser/shared-protocol";
import type { GatewayEvent, History, RemoteStatusReport } from "@hawser/status-api/model";
import { formatBytes } from "@hawser/status-api/model";
import type { Locator, Page } from "playwright-core";
import { LINES } from "../demo/stage.ts";
import { Hawser, until } from "../lab/hawser.ts";
import { House } from "../lab/house.ts";
import { labMissing } from "../lab/requirements.ts";
import { type RunningOrigin, start, startOrigin } from "../lab/traffic/run.ts";
import { type HouseBrowser, SIZES, startBrowser, takePictures } from "./browser.ts";
import { type Listener, listenIn, pair, Reader } from "./sockets.ts";
import { reconfigure } from "./support.ts";

const DASHBOARD = "http://127.0.0.1:8080/";
/** How long the page may take to show the present state, milliseconds. */
const PATIENCE_MS = 10_000;
const BYTES = 8e6;

suite("dashboard", { skip: labMissing("chromium") ?? false, timeout: 150_000 }, () => {
  let house: House;
  let hawser: Hawser;
  let origin: RunningOrigin;
  let listener: Listener;
  let chromium: HouseBrowser;
  let page: Page;
  /** The browser's complaints, and requests to other servers. */
  const complaints: string[] = [];

  before(async () => {
    house = await House.create({ lines: LINES });
    origin = await startOrigin(house.origin);
    listener = await listenIn(house.origin);
    hawser = await Hawser.start(house);
    chromium = await startBrowser(house.router);
    page = await chromium.browser.newPage();
    page.setDefaultTimeout(PATIENCE_MS);
    page.on("console", (message) => {
      if (message.type() === "error" || message.type() === "warning") complaints.push(message.text());
    });
    page.on("pageerror", (error) => complaints.push(error.message));
    page.on("request", (request) => {
      if (!request.url().startsWith(DASHBOARD)) complaints.push(`asked ${request.url()}`);
    });
    await page.goto(DASHBOARD);
  });
  after(async () => {
    await chromium?.close();
    await hawser?.stop();
    await house?.close();
  });

  const line = (name: string): Locator => page.getByRole("article", { name });
  /** The bytes that the path had received at the last sample of the history that the charts begin with. */
  async function remembered(name: string): Promise<number | null | undefined> {
    const { paths } = (await hawser.local.get("/api/history")) as History;
    return paths.find((path) => path.name === name)?.receivedBytes.at(-1);
  }
  /**
   * A direction's rates at one instant, each from two places: tile and chart, each line's card and the chart's legend.
   */
  const ratesShown = (direction: "Download" | "Upload"): Promise<(readonly [string, string])[]> =>
    page.evaluate(`(() => {
      const all = (selector) => [...document.querySelectorAll(selector)];
      const of = (selector) => all(selector).find((each) => each.textContent.startsWith("${direction}"));
      const [tile, chart] = [of(".figure"), of("figure.chart")];
      const cards = all("article.line").map((card) =>
        card.querySelectorAll(".rates b")["${direction}" === "Download" ? 0 : 1].textContent);
      const legend = [...chart.querySelectorAll(".legend b")].map((each) => each.textContent);
      return [
        [tile.querySelector("strong").textContent, chart.querySelector("figcaption b").textContent],
        ...cards.map((card, i) => [card, legend[i]]),
      ];
    })()`);
  const shows = (locator: Locator, text: string | RegExp, timeout = PATIENCE_MS): Promise<void> =>
    locator.filter({ hasText: text }).first().waitFor({ timeout });

  test("during a transfer the page shows every line's part, and afterwards what each line has carried", async () => {
    await shows(page.getByRole("status"), "Live");
    const { v4: host } = house.addresses.origin;
    const running = start(house.lan, { op: "download", host, port: origin.port, bytes: BYTES });
    for (const name of ["adsl1", "adsl2"]) await shows(line(name), /Download [3-9](\.\d)? Mbit\/s/);
    await shows(page.getByRole("row"), /redirect.*MB/);
    for (const direction of ["Download", "Upload"] as const) {
      const pairs = await ratesShown(direction);
      assert.equal(pairs.length, 3);
      for (const [figure, drawn] of pairs)
        assert.equal(figure, drawn, `${direction}: ${JSON.stringify(pairs)}`);
    }
    await takePictures(page, "transfer");
    assert.equal((await running.result).error, null);
    await until(async () => (await hawser.status()).session.flows.open === 0);
    for (const { name, receivedBytes } of (await hawser.status()).session.paths) {
      await shows(line(name), `Download${formatBytes(receivedBytes)}`);
      const carried = (await house.line(name).counters()).down.deliveredBytes;
      // The line's packets minus headers: payload and frames. A little belongs to no transfer.
      assert.ok(
        receivedBytes < carried && receivedBytes > 0.93 * carried - 20_000,
        `${receivedBytes} of ${carried}`,
      );
      // PINGs go on, so the counts change.
      await until(async () => Math.abs(((await remembered(name)) ?? 0) - receivedBytes) < 1_000);
    }
    await shows(page.locator(".figure"), /Open flows0/);
  });

  test("eight tabs are live at once, and a control in one of them answers", async () => {
    const context = await chromium.browser.newContext();
    const tabs: Page[] = [];
    try {
      for (let i = 0; i < 8; i++) {
        const tab = await context.newPage();
        tabs.push(tab);
        tab.setDefaultTimeout(PATIENCE_MS);
        await tab.goto(DASHBOARD);
        await shows(tab.getByRole("status"), "Live");
      }
      const started = performance.now();
      const role = tabs[7]?.getByRole("combobox", { name: "Role of adsl2" });
      await role?.selectOption("backup");
      await until(async () => (await hawser.status()).session.paths[1]?.role === "backup");
      const answeredMs = performance.now() - started;
      assert.ok(answeredMs < 2_000, `${answeredMs} ms`);
      for (const tab of tabs) await shows(tab.getByRole("log"), "adsl2 is backup now");
      await role?.selectOption("active");
      await until(async () => (await hawser.status()).session.paths[1]?.role === "active");
    } finally {
      await context.close();
    }
  });

  test("a hidden tab asks nothing, and is live again once it is shown", async () => {
    const context = await chromium.browser.newContext();
    const tab = await context.newPage();
    const hide = (isHidden: boolean): Promise<void> =>
      tab.evaluate(`
        Object.defineProperty(document, "hidden", { configurable: true, value: ${isHidden} });
        document.dispatchEvent(new Event("visibilitychange"));
      `);
    const another = (of: Page): Promise<unknown> => of.waitForResponse(`${DASHBOARD}api/status`);
    try {
      await tab.goto(DASHBOARD);
      await shows(tab.getByRole("status"), "Live");
      await hide(true);
      // The requests under way may end.
      for (let i = 0; i < 2; i++) await another(page);
      let asked = 0;
      tab.on("request", () => asked++);
      for (let i = 0; i < 3; i++) await another(page);
      assert.equal(asked, 0);
      await Promise.all([another(tab), hide(false)]);
    } finally {
      await context.close();
    }
  });

  test("when a line goes and comes back, the page shows its state, the reason and the events", async () => {
    await house.line("adsl1").down();
    await shows(line("adsl1"), "the interface adsl1 is down or gone");
    await shows(page.getByRole("log"), "adsl1 is down: the interface adsl1 is down or gone");
    await shows(page.locator(".figure"), "1 of 2 lines up");
    await takePictures(page, "line-down");
    await house.line("adsl1").up();
    await shows(page.getByRole("log"), "adsl1 is back");
    const clock = await page.getByRole("log").locator("time").first().textContent();
    assert.match(clock ?? "", /^\d\d:\d\d:\d\d$/);
    await shows(page.locator(".figure"), "all 2 lines up");
    const types = ((await hawser.remote.get("/api/events")) as GatewayEvent[]).map(({ type }) => type);
    assert.deepEqual(types.slice(0, 3), ["session-opened", "path-up", "path-up"]);
    assert.ok(types.includes("path-down") && types.includes("path-back"), types.join());
  });

  test("the last line is not disabled without a question", async () => {
    const [first, last] = ["adsl1", "adsl2"].map((name) =>
      page.getByRole("combobox", { name: `Role of ${name}` }),
    ) as [Locator, Locator];
    const dialog = page.getByRole("dialog", { name: "Disable the last line?" });
    try {
      await first.selectOption("disabled");
      await hawser.whenPaths((states) => states[0] === "disabled");
      await shows(line("adsl1"), "disabled: set through the API");
      await last.selectOption("disabled");
      await shows(dialog, "While adsl2 is disabled, the house is off line.");
      await dialog.getByRole("button", { name: "Keep it" }).click();
      assert.equal(await last.inputValue(), "active");
      assert.equal((await hawser.status()).session.paths[1]?.role, "active");
      await last.selectOption("disabled");
      await dialog.getByRole("button", { name: "Disable" }).click();
      await shows(page.getByRole("log"), "the other gateway cannot be reached: every line is disabled");
      await last.selectOption("active");
      await hawser.whenPaths((states) => states[1] === "up");
    } finally {
      await first.selectOption("active");
      await hawser.whenPaths((states) => states.every((state) => state === "up"));
    }
  });

  test("a role is changed with the keyboard alone, and the page shows who changed it", async () => {
    const role = page.getByRole("combobox", { name: "Role of adsl2" });
    await role.focus();
    await page.keyboard.press("d");
    await page.keyboard.press("Enter");
    await hawser.whenPaths((states) => states[1] === "disabled");
    await shows(line("adsl2"), "disabled: set through the API");
    await shows(page.getByRole("log"), "adsl2 is disabled now: set through the API");
    await role.selectOption("active");
    await hawser.whenPaths((states) => states[1] === "up");
    // Everything that the gateway offers has a control: a drill of each line, and the speed test.
    assert.ok((await page.getByRole("button", { name: /drill/i }).count()) >= 2);
    assert.ok((await page.getByRole("button", { name: /speed/i }).count()) >= 1);
  });

  test("a flow is found, and cut", async () => {
    const { v4: host } = house.addresses.origin;
    const [kept, cut] = [
      await pair(house.lan, { host, port: listener.port }, listener),
      await pair(house.lan, { host, port: listener.port }, listener),
    ];
    const address = `192.168.77.2:${cut.client.localPort}`;
    await page.getByRole("searchbox", { name: "Search flows by address, kind or line" }).fill(address);
    await shows(page.locator("tbody"), address);
    await until(async () => (await page.locator("tbody tr").count()) === 1);
    await page.getByRole("button", { name: `Disconnect ${address}` }).click();
    const ended = new Reader(cut.client).error();
    await page.getByRole("dialog").getByRole("button", { name: "Disconnect" }).click();
    assert.match(String(await ended), /ECONNRESET/);
    await shows(page.locator(".table"), "No flow is like that.");
    assert.equal((await hawser.flows()).length, 1);
    for (const socket of [kept.client, kept.server, cut.server]) socket.destroy();
    await page.getByRole("searchbox").fill("");
  });

  test("a speed test shows rates while it measures, then each line's rate and their sum", async () => {
    const before = (await hawser.status()).session.flows.total;
    await page.getByRole("button", { name: "Speed test" }).click();
    const dialog = page.getByRole("dialog");
    await dialog.getByRole("spinbutton", { name: "Seconds each way" }).fill("2");
    await dialog.getByRole("button", { name: "Start" }).click();
    await shows(dialog.getByRole("status"), "2 of 3: adsl2, download");
    await shows(dialog.getByRole("row", { name: /^adsl1/ }), /[6-9](\.\d)? Mbit\/s/);
    // The streams of the test are not among the flows.
    const { flows } = (await hawser.status()).session;
    assert.deepEqual([flows.open, flows.total], [0, before]);
    await takePictures(page, "speed-test");
    await shows(dialog.getByRole("status"), "Measured.", 60_000);
    const together = (await dialog.getByRole("row", { name: /^together/ }).textContent()) ?? "";
    assert.match(together, /1[4-7] Mbit\/s/);
    assert.equal(await dialog.locator(".plain-plot .curve").count(), 6);
    await takePictures(page, "speed-test-done");
    await page.keyboard.press("Escape");
  });

  test("one trial runs at a time, and the page says why another cannot; closing the dialog ends the trial, and puts the line back", async () => {
    const dialog = page.getByRole("dialog");
    await line("adsl1").getByRole("button", { name: "Drill" }).click();
    await dialog.getByRole("spinbutton", { name: "Seconds" }).fill("60");
    await dialog.getByRole("button", { name: "Take it out" }).click();
    await shows(dialog.getByRole("status"), "adsl1 is out");
    const { stdout } = await hawser.local.curl("/api/speedtest", ["-X", "POST"]);
    assert.match(stdout, /"detail":"a drill is running; wait for its end"/);
    await takePictures(page, "drill");
    await page.keyboard.press("Escape");
    await hawser.whenPaths((states) => states[0] === "up" || states[0] === "probation");

    // A speed test of another client runs. It ends when that client goes.
    const follow = ["-sNX", "POST", "-H", "accept: text/event-stream", `${DASHBOARD}api/speedtest`];
    const other = house.router.spawn("curl", follow);
    assert.ok(other.stdout);
    await once(other.stdout, "data");
    assert.match((await hawser.local.curl("/api/speedtest", ["-X", "POST"])).stdout, /409/);
    await page.getByRole("button", { name: "Speed test" }).click();
    await dialog.getByRole("button", { name: "Start" }).click();
    await shows(dialog.getByRole("alert"), "It could not be done: a speed test is running; wait for its end");
    other.kill();
    const again = dialog.getByRole("button", { name: "Again" });
    await until(async () => {
      if (await again.isVisible()) await again.click();
      return dialog.getByRole("status").filter({ hasText: "1 of 3" }).isVisible();
    });
    await page.reload();
    await shows(page.getByRole("status"), "Live");
    // The page has gone, and its test with it, so nothing hinders another test.
    await page.getByRole("button", { name: "Speed test" }).click();
    await dialog.getByRole("button", { name: "Start" }).click();
    await shows(dialog.getByRole("status"), "1 of 3: adsl1, download");
    await dialog.getByRole("button", { name: "Stop", exact: true }).click();
    await shows(dialog.getByRole("status"), "Ended early.");
    await page.keyboard.press("Escape");
  });

  test("the gateway goes and comes back: the page says so, and goes on", async () => {
    assert.deepEqual(complaints, []);
    await hawser.local.stop();
    await shows(page.getByRole("alert"), "The gateway does not answer");
    await hawser.startLocal();
    await shows(page.getByRole("status"), "Live");
    assert.equal(await page.getByRole("alert").count(), 0);
    await hawser.whenPaths((states) => states.join() === "up,up");
    await shows(page.locator(".figure"), "all 2 lines up");
  });

  test("an overflow line with a rate and a quota: the page shows its terms, what is left, and its role once the quota is used up", async () => {
    const terms = `role = "overflow"\nmax_rate = { down = "6 Mbit/s" }\nquota = { bytes = "1.5 MB" }\n`;
    await reconfigure(hawser, (text) => text.replace('interface = "adsl2"\n', (found) => found + terms));
    await shows(line("adsl2"), "tier 1 · idle for uploads · at most ↓ 6.0 Mbit/s");
    await shows(line("adsl2"), /Quota 1\.5 MB left of 1\.5 MB/);
    const roles = await page
      .getByRole("combobox", { name: "Role of adsl2" })
      .getByRole("option")
      .allTextContents();
    assert.deepEqual(roles, [...PATH_ROLES]);
    const { v4: host } = house.addresses.origin;
    const running = start(house.lan, { op: "download", host, port: origin.port, bytes: BYTES });
    await shows(page.getByRole("log"), "adsl2: 80 % of its quota of 1.5 MB are used");
    const used = "its quota of 1.5 MB is used up";
    await shows(page.getByRole("log"), `adsl2: ${used}; it is a backup line until`);
    await shows(line("adsl2"), `backup instead of overflow: ${used} until`);
    await takePictures(page, "quota");
    assert.equal((await running.result).error, null);
  });

  test("when the gateway wants a token, the page asks for it and uses it", async () => {
    const locked = await chromium.browser.newPage();
    locked.setDefaultTimeout(PATIENCE_MS);
    await locked.route(/^[^/]*\/\/[^/]*\/api/, async (route) => {
      if (route.request().headers()["authorization"] === "Bearer open-sesame") return route.continue();
      const problem = {
        type: "about:blank",
        title: "Unauthorized",
        status: 401,
        detail: "wrong or no token",
      };
      return route.fulfill({ status: 401, contentType: "application/problem+json", json: problem });
    });
    await locked.goto(DASHBOARD);
    for (const token of ["wrong", "open-sesame"]) {
      await locked.getByLabel("Token").fill(token);
      await locked.getByRole("button", { name: "Show the dashboard" }).click();
      if (token === "wrong") await shows(locked.getByRole("alert"), "not accepted: wrong or no token");
    }
    await shows(locked.getByRole("article", { name: "adsl1" }), "up");
    await locked.reload();
    await shows(locked.getByRole("article", { name: "adsl1" }), "up");
    await locked.close();
  });

  test("what each request takes is documented, and a phone shows it without scrolling sideways", async () => {
    const phone = await chromium.browser.newPage({ viewport: SIZES.phone });
    const troubles: string[] = [];
    phone.on("console", (message) => void (message.type() === "error" && troubles.push(message.text())));
    phone.on("pageerror", ({ message }) => void troubles.push(message));
    try {
      await phone.goto(`${DASHBOARD}docs`);
      const drill = phone.locator(".opblock").filter({ hasText: "/api/paths/{name}/drill" });
      await drill.getByRole("button").first().click();
      await shows(drill, /seconds.*integer.*\[1, 300\]/s);
      await shows(drill, "how long the path is out");
      assert.ok((await phone.evaluate<number>("document.documentElement.scrollWidth")) <= SIZES.phone.width);
      await takePictures(phone, "docs");
      const status = phone.locator(".opblock").filter({ hasText: "/api/status" });
      await status.getByRole("button").first().click();
      await status.getByRole("button", { name: "Try it out" }).click();
      await status.getByRole("button", { name: "Execute" }).click();
      await shows(status.locator(".live-responses-table"), '"role": "local"');
      assert.deepEqual(troubles, []);
    } finally {
      await phone.close();
    }
  });

  test("the remote's page shows the same lines, from its side", async () => {
    const inRemote = await startBrowser(house.remote);
    try {
      const remote = await inRemote.browser.newPage({ viewport: { width: 1280, height: 900 } });
      remote.setDefaultTimeout(PATIENCE_MS);
      await remote.goto("http://127.0.0.1:8081/");
      await shows(remote.locator(".figure"), /home/);
      await shows(remote.getByRole("article", { name: "adsl2" }), "told by the local gateway");
      assert.equal(await remote.getByRole("combobox").count(), 0);
      // No transfer is under way, so no line shows a queue.
      await until(async () => {
        const { sessions } = (await hawser.remote.get("/api/status")) as RemoteStatusReport;
        return (
          sessions[0]?.paths.every(({ rttMs, minRttMs }) => rttMs !== null && rttMs === minRttMs) === true
        );
      });
    } finally {
      await inRemote.close();
    }
  });
});
