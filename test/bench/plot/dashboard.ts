/** The dashboard's pictures: the local gateway's page, a minute into downloads during which a line was away for a while. */

import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { SCHEMES, startBrowser } from "../../e2e/browser.ts";
import { Hawser } from "../../lab/hawser.ts";
import type { House } from "../../lab/house.ts";
import { start } from "../../lab/traffic/run.ts";

const DASHBOARD = "http://127.0.0.1:8080/";
const SIZE = { width: 1280, height: 900 };
/** When further flows begin, when a line dies and returns, and when the picture is taken: seconds after the first flow. */
const MORE_FLOWS_S = [10, 44];
const DEATH_S = 20;
const BACK_S = 32;
const PICTURE_S = 59;

/** Starts gateways of its own, whose history begins with these downloads. Names of the pictures, which are in `folder` then. */
export async function pictureDashboard(house: House, port: number, folder: string): Promise<string[]> {
  const hawser = await Hawser.start(house);
  const chromium = await startBrowser(house.router);
  const host = house.addresses.origin.v4;
  const download = (seconds: number) => {
    const flow = start(house.lan, { op: "download", host, port, seconds, check: false });
    // It is cut off when the picture has been taken.
    flow.result.catch(() => undefined);
    return flow;
  };
  const running = [download(PICTURE_S + 20)];
  const startedMs = performance.now();
  const at = (seconds: number): Promise<void> =>
    sleep(Math.max(0, seconds * 1000 - (performance.now() - startedMs)));
  try {
    const page = await chromium.browser.newPage({ viewport: SIZE });
    await page.goto(DASHBOARD);
    const steps = [
      ...MORE_FLOWS_S.map((second) => ({ second, take: () => running.push(download(PICTURE_S)) })),
      { second: DEATH_S, take: () => house.line("adsl2").set({ blackhole: true }) },
      { second: BACK_S, take: () => house.line("adsl2").set({ blackhole: false }) },
    ];
    for (const { second, take } of steps.sort((a, b) => a.second - b.second)) {
      await at(second);
      await take();
    }
    await at(PICTURE_S);
    const names: string[] = [];
    for (const colorScheme of SCHEMES) {
      await page.emulateMedia({ colorScheme });
      const name = `dashboard-${colorScheme}.png`;
      await page.screenshot({ path: join(folder, name), fullPage: true });
      names.push(name);
    }
    return names;
  } finally {
    for (const { process } of running) process.kill("SIGKILL");
    await chromium.close();
    await hawser.stop();
  }
}
