export { dashboard } from "./page.ts";
