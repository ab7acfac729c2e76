import { constants, randomBytes } from "node:crypto";
import type { Socket } from "node:net";
import { connect, createSecureContext, type SecureContext, type TLSSocket } from "node:tls";
import { acceptTls } from "@hawser/linux-sockets";
import { awaitClientHello } from "./client-hello.ts";
import { awaitHandshake } from "./handshake.ts";
import { causeCode, TlsError, TlsErrorCode } from "./tls-error.ts";

/**
 * TLS 1.3 (RFC 8446) with an external pre-shared key and an ephemeral key exchange (section 4.2.9, psk_dhe_ke). Nothing
 * else is taken: no certificate, no earlier version, no resumption.
 */

/**
 * The suites that OpenSSL's PSK callbacks can serve: those with SHA-256, as an external key is bound to one hash (RFC 8446,
 * section 4.2.11). AES comes first. A client without AES instructions may put ChaCha20 first, and the server follows.
 */
const AES = "TLS_AES_128_GCM_SHA256";
const CHACHA = "TLS_CHACHA20_POLY1305_SHA256";

/**
 * The client's key share. OpenSSL by default adds X25519MLKEM768, and the ClientHello then takes two segments. After a SYN
 * that was repeated twice, TCP begins with a window of one segment, so the handshake would take a round trip more.
 * Someone who can compute X25519's secret (with a quantum computer) still lacks the pre-shared key, which goes into every
 * key as well (RFC 8446, section 7.1). To read recorded traffic one needs both.
 */
const GROUP = "X25519";

/** The shortest key, bytes. A shorter one could be guessed from one recorded handshake, as the identity travels in clear. */
export const MIN_PSK_BYTES = 16;

/** SPEC.md section 2: both ends close a connection whose handshake is not over within 5 s. */
export const DEFAULT_HANDSHAKE_MS = 5000;

export interface ClientTlsOptions {
  /** The name under which the server knows the key. Travels in clear. */
  readonly identity: string;
  readonly psk: Buffer;
  /** SNI, for load balancers that route by it. It travels in clear, nobody checks it, and it is not an IP address. */
  readonly servername: string;
  /** Milliseconds; default 5000. */
  readonly deadlineMs?: number;
  readonly signal?: AbortSignal;
  /** Offer ChaCha20 first: faster on a CPU without AES instructions. Default false. */
  readonly preferChacha?: boolean;
}

/** Finds the key of a peer by the identity that it claims. That may be any text: it is not authenticated yet. */
export interface PskLookup {
  lookup(identity: string): Buffer | undefined;
}

export interface ServerTls {
  readonly socket: TLSSocket;
  /** Authenticated. */
  readonly identity: string;
}

const contexts = new Map<string, SecureContext>();

/** One context of each kind for all connections: they hold no secrets, and cost a fraction of a millisecond to make. */
function context(role: "client" | "server", ciphers: string): SecureContext {
  const key = `${role} ${ciphers}`;
  let made = contexts.get(key);
  if (made === undefined) {
    made = createSecureContext({
      ciphers,
      ...(role === "client" && { ecdhCurve: GROUP }),
      minVersion: "TLSv1.3",
      maxVersion: "TLSv1.3",
      // Without the system's authorities: no certificate is accepted.
      ca: [],
      // A ticket would let a removed peer in. With this option OpenSSL still sends one ticket, but a stateful one: a
      // number in a session cache that Node leaves empty. It can never be used.
      secureOptions: constants.SSL_OP_NO_TICKET,
    });
    contexts.set(key, made);
  }
  return made;
}

/**
 * The client's end of TLS on a connected socket, which from here on belongs to the returned one.
 *
 * @throws TlsError. Both sockets are destroyed then. `ERR_NOT_PSK` when the server showed a certificate instead.
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
    // Explicit, so that NODE_TLS_REJECT_UNAUTHORIZED=0 in the environment changes nothing.
    rejectUnauthorized: true,
    pskCallback: () => {
      asked = true;
      return { identity, psk };
    },
    // Called only when the server showed a certificate instead of using the key: a man in the middle.
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

/** What is wrong with the handshake, if anything. It is checked again in case a default of OpenSSL or Node changes. */
function clientDoubt(secure: TLSSocket): string | undefined {
  if (secure.getProtocol() !== "TLSv1.3") return `the server speaks ${secure.getProtocol() ?? "no TLS"}`;
  // OpenSSL counts a PSK as a reused session. This client never offers any other session.
  if (!secure.isSessionReused()) return "the server did not take the pre-shared key";
  if (Object.keys(secure.getPeerCertificate()).length > 0) return "the server offered a certificate";
  // Without a key exchange Node still returns an object, with undefined fields.
  const exchange = secure.getEphemeralKeyInfo() as { type?: string } | null;
  if (exchange?.type === undefined) return "there was no ephemeral key exchange";
  return undefined;
}

/** OpenSSL's names of the alerts by which a server refuses a key or an identity. */
const REFUSALS =
  /ALERT_(DECRYPT_ERROR|HANDSHAKE_FAILURE|UNKNOWN_PSK_IDENTITY|ILLEGAL_PARAMETER|ACCESS_DENIED)/;
/** Codes of Node's check of a certificate, which fails without authorities: so the peer showed one. */
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
 * The server's end of TLS on an accepted socket, which from here on belongs to the returned one. The listener must have
 * `pauseOnConnect`: nothing may be read before TLS reads it.
 *
 * The server need not check that the key exchange was ephemeral. OpenSSL takes psk_ke only with SSL_OP_ALLOW_NO_DHE_KEX,
 * which nobody sets.
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
      // Set only when there is a key, so a name without one can never count as authenticated.
      if (key !== undefined) identity = name;
      // An unknown name gets the answer of a wrong key, so that trying names does not tell which ones are peers.
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

/** A lookup that throws counts as an unknown peer. Otherwise Node would end the connection without an alert. */
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

/** TLS over a socket that is destroyed would wait until the deadline. */
function checkOpen(raw: Socket): void {
  if (raw.destroyed) throw new TlsError(TlsErrorCode.closed, "the connection ended before the TLS handshake");
}

function checkKey(psk: Buffer, raw: Socket): void {
  if (psk.length >= MIN_PSK_BYTES) return;
  raw.destroy();
  throw new TlsError(TlsErrorCode.failed, `the pre-shared key is shorter than ${MIN_PSK_BYTES} bytes`);
}
