export * from "./request.ts";
export { writeZeros, ZEROS } from "./zeros.ts";
