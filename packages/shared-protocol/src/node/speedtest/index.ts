export * from "./request.ts";
export { ZEROS, writeZeros } from "./zeros.ts";
