import type { Socket } from "node:net";
export function attachReader(raw: Socket, o: { onBytes(b: Buffer, release: () => void): boolean }): Socket {
  raw.on("data", (b: Buffer) => { if (!o.onBytes(b, () => {})) raw.pause(); });
  raw.pause();
  return raw;
}
export function pooledReader(onBytes: (b: Buffer, release: () => void) => boolean) {
  return { onread: { buffer: () => Buffer.allocUnsafeSlow(65536), callback: (n: number, buf: Uint8Array) => onBytes((buf as Buffer).subarray(0, n), () => {}) } };
}
