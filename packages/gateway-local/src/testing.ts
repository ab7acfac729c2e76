/** What only tests need. */

export { localProgram } from "./cli.ts";
export { loadLocalConfig } from "./config.ts";
export { LocalGateway } from "./gateway.ts";
export { QuotaFile } from "./quota/quota-file.ts";
