/**
 * The page that a browser shows at a gateway's status address.
 *
 * ```ts
 * await createStatusServer(source, { listen, logger, pages: dashboard });
 * ```
 */

export { dashboard } from "./page.ts";
