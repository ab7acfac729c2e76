/** What only tests need. */

export { areSetsThere } from "./capture/failure-sets.ts";
export { localProgram } from "./cli.ts";
export { loadLocalConfig } from "./config.ts";
export { LocalGateway } from "./gateway.ts";
export { QuotaFile } from "./quota/quota-file.ts";
