import { constants, randomBytes } from "node:crypto";
import type { Socket } from "node:net";
import { connect, createSecureContext, type SecureContext, type TLSSocket } from "node:tls";
import { acceptTls } from "@hawser/linux-sockets";
import { awaitClientHello } from "./client-hello.ts";
import { awaitHandshake } from "./handshake.ts";
import { causeCode, TlsError, TlsErrorCode } from "./tls-error.ts";

/**
 * TLS 1.3 (RFC 8446) with an external pre-shared key and an ephemeral key exchange (section 4.2.9, psk_dhe_ke), and
 * nothing else: no certificates, no earlier version, no resumption.
 */

/**
 * The suites that OpenSSL's PSK callbacks can serve: those over SHA-256 (RFC 8446 section 4.2.11 binds an external
 * key to one hash). AES first; a client without AES instructions may turn the order round, the server follows it.
 */
const AES = "TLS_AES_128_GCM_SHA256";
const CHACHA = "TLS_CHACHA20_POLY1305_SHA256";

/**
 * The client's key share. OpenSSL's own choice adds X25519MLKEM768, with which the ClientHello takes two segments: where a
 * SYN had to be repeated twice TCP begins with a window of one, and the handshake takes a round trip more. Who can compute
 * X25519's secret still lacks the pre-shared key, which goes into every key as well (RFC 8446, section 7.1); only who
 * comes to have both reads what was recorded.
 */
const GROUP = "X25519";

/** A key shorter than this could be guessed from one recorded handshake; the identity travels in clear. */
export const MIN_PSK_BYTES = 16;

/** SPEC.md section 2: both ends close a connection without a handshake within 5 s. */
export const DEFAULT_HANDSHAKE_MS = 5000;

export interface ClientTlsOptions {
  /** The name under which the server knows the key. Travels in clear. */
  readonly identity: string;
  readonly psk: Buffer;
  /** SNI, for balancers that route on it. Travels in clear; not checked against anything; not an IP address. */
  readonly servername: string;
  /** Milliseconds; default 5000. */
  readonly deadlineMs?: number;
  readonly signal?: AbortSignal;
  /** Offer ChaCha20 first: faster on a CPU without AES instructions. Default false. */
  readonly preferChacha?: boolean;
}

/** Finds the key of a peer by the identity that it claims: any text, not yet authenticated. */
export interface PskLookup {
  lookup(identity: string): Buffer | undefined;
}

export interface ServerTls {
  readonly socket: TLSSocket;
  /** Authenticated. */
  readonly identity: string;
}

const contexts = new Map<string, SecureContext>();

/** Contexts hold no secrets here and cost a fraction of a millisecond to make, so each kind is made once. */
function context(role: "client" | "server", ciphers: string): SecureContext {
  const key = `${role} ${ciphers}`;
  let made = contexts.get(key);
  if (made === undefined) {
    made = createSecureContext({
      ciphers,
      ...(role === "client" && { ecdhCurve: GROUP }),
      minVersion: "TLSv1.3",
      maxVersion: "TLSv1.3",
      // Not even the system's authorities: no certificate is good enough.
      ca: [],
      // A ticket would outlive the removal of its peer. With this option OpenSSL still sends one ticket, but a
      // stateful one, a mere number into a session cache that Node leaves empty: it can never be redeemed.
      secureOptions: constants.SSL_OP_NO_TICKET,
    });
    contexts.set(key, made);
  }
  return made;
}

/**
 * The client's side on a connected socket, which from here on belongs to the returned one.
 *
 * @throws TlsError; both sockets are destroyed then. `ERR_NOT_PSK` when the server showed a certificate instead.
 */
export async function clientTls(raw: Socket, options: ClientTlsOptions): Promise<TLSSocket> {
  checkOpen(raw);
  checkKey(options.psk, raw);
  const { identity, psk } = options;
  let asked = false;
  raw.setNoDelay(true);
  const secure = connect({
    socket: raw,
    servername: options.servername,
    secureContext: context("client", options.preferChacha === true ? `${CHACHA}:${AES}` : `${AES}:${CHACHA}`),
    minVersion: "TLSv1.3",
    // Said aloud: NODE_TLS_REJECT_UNAUTHORIZED=0 in the environment must not open this door.
    rejectUnauthorized: true,
    pskCallback: () => {
      asked = true;
      return { identity, psk };
    },
    // Called only when a certificate took the place of the key. Accepting here lets any man in the middle in.
    checkServerIdentity: () => new TlsError(TlsErrorCode.notPsk, "the server offered a certificate"),
  });
  const limits = { deadlineMs: options.deadlineMs ?? DEFAULT_HANDSHAKE_MS, signal: options.signal };
  await awaitHandshake(raw, secure, "secureConnect", limits, explainToClient);
  const doubt = asked ? clientDoubt(secure) : "the key was not asked for";
  if (doubt !== undefined) {
    secure.destroy();
    raw.destroy();
    throw new TlsError(TlsErrorCode.notPsk, doubt);
  }
  return secure;
}

/** A second look at what was negotiated, so that no change of a default below can weaken it silently. */
function clientDoubt(secure: TLSSocket): string | undefined {
  if (secure.getProtocol() !== "TLSv1.3") return `the server speaks ${secure.getProtocol() ?? "no TLS"}`;
  // OpenSSL counts the use of a PSK as the reuse of a session, and this client never offers any other session.
  if (!secure.isSessionReused()) return "the server did not take the pre-shared key";
  if (Object.keys(secure.getPeerCertificate()).length > 0) return "the server offered a certificate";
  // Without an exchange there is an object still, whose fields are undefined.
  const exchange = secure.getEphemeralKeyInfo() as { type?: string } | null;
  if (exchange?.type === undefined) return "there was no ephemeral key exchange";
  return undefined;
}

/** Reason texts of OpenSSL for the alerts by which servers turn a key or an identity down. */
const REFUSALS =
  /ALERT_(DECRYPT_ERROR|HANDSHAKE_FAILURE|UNKNOWN_PSK_IDENTITY|ILLEGAL_PARAMETER|ACCESS_DENIED)/;
/** What the chain check says of a certificate when there are no authorities: the peer did show one. */
const CERTIFICATE = /CERT|ISSUER|SIGNATURE_FAILURE|CRL/;

function explainToClient(error: unknown): TlsError {
  if (error instanceof TlsError) return error;
  const code = causeCode(error);
  if (REFUSALS.test(code)) {
    return new TlsError(
      TlsErrorCode.refused,
      "the server knows no such identity, or another key for it",
      error,
    );
  }
  if (!code.startsWith("ERR_SSL") && CERTIFICATE.test(code)) {
    return new TlsError(TlsErrorCode.notPsk, `the server offered a certificate (${code})`, error);
  }
  return explain(error);
}

/**
 * The server's side on an accepted socket, which from here on belongs to the returned one. Accept with
 * `pauseOnConnect`, so that nothing is read past TLS.
 *
 * That the exchange was ephemeral needs no look here: OpenSSL takes psk_ke only with SSL_OP_ALLOW_NO_DHE_KEX, which
 * nothing sets.
 *
 * @param deadlineMs milliseconds until the client's Finished must be here
 * @throws TlsError; both sockets are destroyed then.
 */
export async function serverTls(
  raw: Socket,
  keys: PskLookup,
  deadlineMs = DEFAULT_HANDSHAKE_MS,
  signal?: AbortSignal,
): Promise<ServerTls> {
  checkOpen(raw);
  let claimed: string | undefined;
  let identity: string | undefined;
  const deadline = performance.now() + deadlineMs;
  raw.setNoDelay(true);
  await awaitClientHello(raw, { deadlineMs, signal });
  const secure = acceptTls(raw, {
    secureContext: context("server", `${AES}:${CHACHA}`),
    pskCallback: (_socket, name) => {
      claimed = name;
      const key = lookUp(keys, name);
      // Kept only with a key: a name that was turned down cannot be the one whose key then authenticated.
      if (key !== undefined) identity = name;
      // A stranger gets the answer that a wrong key gets: who tries names does not learn which ones are peers'.
      return key ?? randomBytes(MIN_PSK_BYTES);
    },
  });
  const limits = { deadlineMs: deadline - performance.now(), signal };
  await awaitHandshake(raw, secure, "secure", limits, (error) => explainToServer(error, claimed, identity));
  if (identity === undefined || secure.getProtocol() !== "TLSv1.3" || !secure.isSessionReused()) {
    secure.destroy();
    raw.destroy();
    throw new TlsError(
      TlsErrorCode.notPsk,
      "the client did not authenticate by a pre-shared key",
      undefined,
      claimed,
    );
  }
  return { socket: secure, identity };
}

/** A lookup that throws would throw through OpenSSL's stack: it counts as an unknown peer. */
function lookUp(keys: PskLookup, name: string): Buffer | undefined {
  try {
    const key = keys.lookup(name);
    return key !== undefined && key.length >= MIN_PSK_BYTES ? key : undefined;
  } catch {
    return undefined;
  }
}

function explainToServer(error: unknown, claimed: string | undefined, found: string | undefined): TlsError {
  if (causeCode(error) !== "ERR_SSL_BINDER_DOES_NOT_VERIFY") return explain(error, claimed);
  if (found === undefined)
    return new TlsError(TlsErrorCode.unknownIdentity, "no peer of this identity", error, claimed);
  return new TlsError(
    TlsErrorCode.wrongKey,
    "the peer does not hold the key of its identity",
    error,
    claimed,
  );
}

function explain(error: unknown, claimed?: string): TlsError {
  const code = causeCode(error);
  if (code === "ECONNRESET" || code === "EPIPE") {
    return new TlsError(TlsErrorCode.closed, "the connection ended in the TLS handshake", error, claimed);
  }
  const reason = code === "" && error instanceof Error ? error.message : code;
  return new TlsError(TlsErrorCode.failed, `the TLS handshake failed: ${reason}`, error, claimed);
}

/** TLS over a socket that is gone would only be noticed at the deadline. */
function checkOpen(raw: Socket): void {
  if (raw.destroyed) throw new TlsError(TlsErrorCode.closed, "the connection ended before the TLS handshake");
}

function checkKey(psk: Buffer, raw: Socket): void {
  if (psk.length >= MIN_PSK_BYTES) return;
  raw.destroy();
  throw new TlsError(TlsErrorCode.failed, `the pre-shared key is shorter than ${MIN_PSK_BYTES} bytes`);
}
