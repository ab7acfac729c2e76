import { type Asset, fileAsset } from "@hawser/status-api";

/** This package's folder: as far above `src/` as above `dist/`. */
const PACKAGE = new URL("../", import.meta.url);

/** The packages that the page's script imports, by the names that it imports them by: for its import map. */
export const MODULES: Readonly<Record<string, string>> = {
  preact: "/assets/preact.js",
  "preact/hooks": "/assets/preact-hooks.js",
  "preact/jsx-runtime": "/assets/preact-jsx-runtime.js",
  uplot: "/assets/uplot.js",
  // What the page shares with the command line and the API.
  "@hawser/status-api/model": "/assets/model/index.js",
};

const FILES: Readonly<Record<string, () => string>> = {
  "preact.js": () => import.meta.resolve("preact"),
  "preact-hooks.js": () => import.meta.resolve("preact/hooks"),
  "preact-jsx-runtime.js": () => import.meta.resolve("preact/jsx-runtime"),
  "uplot.js": () => import.meta.resolve("uplot/dist/uPlot.esm.js"),
  "uplot.css": () => import.meta.resolve("uplot/dist/uPlot.min.css"),
  "dashboard.css": () => new URL("assets/dashboard.css", PACKAGE).href,
  "icon.svg": () => new URL("assets/icon.svg", PACKAGE).href,
};

/** Modules as the compiler leaves them: the page's own, and those of the API's model. */
const MODULE = /^(dashboard|model)\/([a-z-]+\.js)$/;

/** The file behind `/assets/NAME`, or undefined. @throws Error when the build has not made it */
export function asset(name: string): Promise<Asset> | undefined {
  const url = urlOf(name);
  return url === undefined ? undefined : fileAsset(url);
}

function urlOf(name: string): string | undefined {
  if (Object.hasOwn(FILES, name)) return FILES[name]?.();
  const [, folder, file = ""] = MODULE.exec(name) ?? [];
  if (folder === "dashboard") return new URL(`dist/page/${file}`, PACKAGE).href;
  return folder && new URL(file, import.meta.resolve("@hawser/status-api/model")).href;
}
