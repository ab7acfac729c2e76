/** Debian's Chromium in a namespace of a house, driven by Playwright. */

import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { type Browser, chromium, type Page } from "playwright-core";
import type { Namespace } from "../lab/namespace.ts";

/** The folder for pictures of pages, which people look at. Git ignores it. */
const PICTURES = fileURLToPath(new URL("../../artifacts/dashboard/", import.meta.url));

export const SIZES = { desktop: { width: 1280, height: 900 }, phone: { width: 390, height: 844 } } as const;
export const SCHEMES = ["light", "dark"] as const;

export interface HouseBrowser {
  readonly browser: Browser;
  close(): Promise<void>;
}

/** The browser uses the namespace's network. Playwright talks to it through a pipe. */
export async function startBrowser(namespace: Namespace): Promise<HouseBrowser> {
  const folder = mkdtempSync(join(tmpdir(), "hawser-browser-"));
  const executablePath = join(folder, "chromium");
  writeFileSync(executablePath, `#!/bin/sh\nexec ip netns exec ${namespace.name} chromium "$@"\n`);
  chmodSync(executablePath, 0o755);
  const env = { ...process.env, HOME: folder, XDG_CONFIG_HOME: folder, XDG_CACHE_HOME: folder };
  const browser = await chromium.launch({ executablePath, env, args: ["--no-sandbox", "--disable-gpu"] });
  return {
    browser,
    async close() {
      await browser.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** Takes a picture of the whole page in each size and each colour scheme. */
export async function takePictures(page: Page, name: string): Promise<void> {
  mkdirSync(PICTURES, { recursive: true });
  for (const [size, viewport] of Object.entries(SIZES)) {
    await page.setViewportSize(viewport);
    for (const colorScheme of SCHEMES) {
      await page.emulateMedia({ colorScheme });
      await page.screenshot({ path: `${PICTURES}${name}-${size}-${colorScheme}.png`, fullPage: true });
    }
  }
  await page.setViewportSize(SIZES.desktop);
}
