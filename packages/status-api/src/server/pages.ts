/** Pages for people that the status server serves beside the API. Who makes them stands above it. */

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

/** `GET /` and `GET /assets/NAME`. */
export interface Pages {
  readonly front: Page;
  /** Undefined when there is no such file. */
  asset(name: string): Asset | undefined;
}

/** Allows what the page's own server sends, and nothing else. `scripts` are sources of CSP. */
export function pagePolicy(scripts: string): string {
  return (
    `default-src 'none'; style-src 'self'; script-src ${scripts}; connect-src 'self'; ` +
    "img-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
  );
}
