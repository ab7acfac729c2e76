export { CloseCode, codeName, StreamCode } from "./codes.ts";
export { FrameDecoder, type FrameSink, type WireError } from "./decoder.ts";
export { dataHeaderLength, FrameEncoder } from "./encoder.ts";
export * from "./frames.ts";
export { MAX_VARINT, readVarint, varintLength, writeVarint } from "./varint.ts";
