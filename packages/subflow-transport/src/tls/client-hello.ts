import type { Socket } from "node:net";
import type { HandshakeLimits } from "./handshake.ts";
import { TlsError, TlsErrorCode } from "./tls-error.ts";

/** A TLS record's header (RFC 8446, section 5.1): type, version, length. */
const HEADER_BYTES = 5;
const HANDSHAKE = 22;
/** A handshake message's header (section 4): type, length. */
const MESSAGE_HEADER_BYTES = 4;
const CLIENT_HELLO = 1;
/**
 * The largest ClientHello that is taken, bytes without the record's header. Hawser's has about 300. A longer name or
 * identity adds up to 300, and a key share of X25519MLKEM768 would add 1200.
 */
const MAX_HELLO_BYTES = 4_096;
/** A record with the fatal alert unexpected_message (section 6). OpenSSL itself would not answer what is not TLS. */
const UNEXPECTED_MESSAGE = Buffer.of(21, 3, 3, 0, 2, 2, 10);

/**
 * Waits until the first record has arrived as a whole, and puts it back to be read again. So a client that is silent,
 * slow or does not speak TLS costs a plain socket. A TLS socket would take some hundred times its memory.
 *
 * Rejects at the first byte that cannot belong to a ClientHello, at the end of the connection, at the deadline, and on an
 * abort. The socket is destroyed then.
 *
 * @param raw a socket of which nothing was read
 * @throws TlsError
 */
export function awaitClientHello(raw: Socket, limits: HandshakeLimits): Promise<void> {
  return new Promise((resolve, reject) => {
    let seen: Buffer = Buffer.alloc(0);
    const release = (): void => {
      clearTimeout(timer);
      limits.signal?.removeEventListener("abort", onAbort);
      raw.off("readable", onReadable).off("close", onClose).off("end", onClose);
    };
    const fail = (code: TlsErrorCode, message: string): void => {
      release();
      raw.destroy();
      reject(new TlsError(code, message));
    };
    const onClose = (): void => fail(TlsErrorCode.closed, "the connection ended before the TLS handshake");
    const onAbort = (): void => fail(TlsErrorCode.aborted, "the TLS handshake was aborted");
    const onReadable = (): void => {
      const bytes = raw.read() as Buffer | null;
      if (bytes === null) return;
      seen = seen.length === 0 ? bytes : Buffer.concat([seen, bytes]);
      const missing = missingOf(seen);
      if (missing === undefined) {
        raw.write(UNEXPECTED_MESSAGE);
        return fail(TlsErrorCode.failed, "the TLS handshake failed: no ClientHello");
      }
      if (missing > 0) return;
      release();
      raw.unshift(seen);
      resolve();
    };
    const timer = setTimeout(
      () => fail(TlsErrorCode.deadline, `no ClientHello within ${Math.round(limits.deadlineMs)} ms`),
      limits.deadlineMs,
    );
    raw.on("error", ignore).once("close", onClose).once("end", onClose).on("readable", onReadable);
    limits.signal?.addEventListener("abort", onAbort, { once: true });
    if (limits.signal?.aborted === true) onAbort();
  });
}

/**
 * How many more bytes the first record needs, at least. Undefined when no ClientHello begins like this, or when it goes
 * on in a second record (RFC 8446, section 5.1): TLS would have to wait for that one.
 */
function missingOf(seen: Buffer): number | undefined {
  if (seen[0] !== HANDSHAKE || (seen.length > 1 && seen[1] !== 3)) return undefined;
  if (seen.length < HEADER_BYTES) return HEADER_BYTES - seen.length;
  const length = seen.readUInt16BE(3);
  if (length < MESSAGE_HEADER_BYTES || length > MAX_HELLO_BYTES) return undefined;
  if (seen.length > HEADER_BYTES && seen[HEADER_BYTES] !== CLIENT_HELLO) return undefined;
  const begins = HEADER_BYTES + MESSAGE_HEADER_BYTES;
  if (seen.length >= begins && MESSAGE_HEADER_BYTES + seen.readUIntBE(HEADER_BYTES + 1, 3) > length)
    return undefined;
  return Math.max(0, HEADER_BYTES + length - seen.length);
}

function ignore(): void {}
