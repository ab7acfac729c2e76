/** Pages for people that the status server serves beside the API, and the files that they load. */

import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { gzip } from "node:zlib";

/** A page of HTML. */
export interface Page {
  readonly html: string;
  /** Its Content-Security-Policy. */
  readonly policy: string;
}

/** A file that a page needs. */
export interface Asset {
  readonly type: string;
  readonly body: Buffer;
  readonly gzipped: Buffer;
}

/** `GET /` and `GET /assets/NAME`: made by a package that stands above this one. */
export interface Pages {
  readonly front: Page;
  /** Undefined when there is no such file. */
  asset(name: string): Promise<Asset> | undefined;
}

const TYPES: Readonly<Record<string, string>> = {
  js: "text/javascript; charset=utf-8",
  mjs: "text/javascript; charset=utf-8",
  css: "text/css; charset=utf-8",
  svg: "image/svg+xml",
};

const assets = new Map<string, Promise<Asset>>();

/**
 * The file at a `file:` URL, which ends in .js, .mjs, .css or .svg. It is read and compressed once, beside the event loop: the
 * largest takes longer than the gateway's flows should wait. @throws Error when it cannot be read
 */
export function fileAsset(url: string): Promise<Asset> {
  const asset = assets.get(url) ?? readAsset(url);
  assets.set(url, asset);
  return asset;
}

async function readAsset(url: string): Promise<Asset> {
  const type = TYPES[url.slice(url.lastIndexOf(".") + 1)] as string;
  const body = await readFile(fileURLToPath(url));
  return { type, body, gzipped: await promisify(gzip)(body) };
}

/** The Content-Security-Policy of a page that loads what its own server sends; scripts and images as CSP's sources. */
export function pagePolicy({ scripts, images = "'self'" }: { scripts: string; images?: string }): string {
  return (
    `default-src 'none'; style-src 'self'; script-src ${scripts}; connect-src 'self'; ` +
    `img-src ${images}; frame-ancestors 'none'; base-uri 'none'; form-action 'none'`
  );
}
