/**
 * The server's side of one SOCKS5 handshake, without sockets and timers.
 *
 * ```
 *             no-auth chosen
 *  greeting ------------------------------> request ---> done   (CONNECT handed out)
 *     |                                      ^   |
 *     | password chosen        status 0      |   |
 *     +----------------> password -----------+   |
 *     |                     |                    |
 *     v                     v                    v
 *   closed               closed               closed   (after the refusal that the RFC asks for)
 * ```
 *
 * Bytes go in by `handle`, in pieces of any size; steps come out, to be carried out in order.
 */

import type { SocksAddress } from "./address.ts";
import { PasswordStatus, SocksMethod } from "./constants.ts";
import { type SocksError, SocksErrorCode, socksError } from "./errors.ts";
import { chooseMethod, encodeMethodChoice, parseGreeting } from "./method-negotiation.ts";
import { answerInOtherProtocol } from "./other-protocols.ts";
import type { Parsed } from "./parsed.ts";
import { type Authenticate, encodePasswordStatus, parsePasswordRequest } from "./password-auth.ts";
import { encodeReply } from "./reply.ts";
import { checkRequest, parseRequest, replyForBadRequest } from "./request.ts";

export interface SocksHandshakeOptions {
  /** With it RFC 1929 is required of every client; without it no authentication is. */
  readonly authenticate?: Authenticate | undefined;
}

/** A CONNECT to be served: dial `address`, then send `encodeReply(...)`. */
export interface SocksRequest {
  readonly address: SocksAddress;
  /** Who authenticated; absent without authentication. */
  readonly user?: string;
}

/** What the caller of a handshake has to do next. */
export type SocksStep =
  /** Write these bytes to the client. */
  | { readonly type: "send"; readonly bytes: Uint8Array }
  /** The handshake is complete; `leftover` is the application data that came with it (may be empty). */
  | { readonly type: "request"; readonly request: SocksRequest; readonly leftover: Uint8Array }
  /** Application data that was given to `handle` after the request: the caller's own bytes. */
  | { readonly type: "data"; readonly bytes: Uint8Array }
  /** Flush what was sent and close. */
  | { readonly type: "close"; readonly error: SocksError };

export type SocksHandshakeState = "greeting" | "password" | "request" | "done" | "closed";

/** One client's handshake; bytes in, steps out. */
export class SocksHandshake {
  #state: SocksHandshakeState = "greeting";
  /** The beginning of an unfinished message: at most MAX_BUFFERED_BYTES. */
  #pending: Uint8Array = new Uint8Array(0);
  #user: string | undefined;
  readonly #authenticate: Authenticate | undefined;

  constructor(options: SocksHandshakeOptions = {}) {
    this.#authenticate = options.authenticate;
  }

  get state(): SocksHandshakeState {
    return this.#state;
  }

  get bufferedBytes(): number {
    return this.#pending.length;
  }

  /** Takes what the client sent. Never throws, and keeps no reference to `bytes`. */
  handle(bytes: Uint8Array): SocksStep[] {
    if (this.#state === "closed") return [];
    if (this.#state === "done") return bytes.length > 0 ? [{ type: "data", bytes }] : [];
    const steps: SocksStep[] = [];
    let rest = this.#pending.length === 0 ? bytes : concat(this.#pending, bytes);
    while (isOpen(this.#state)) {
      const used = this.#handleMessage(rest, steps);
      if (used === 0) break;
      rest = rest.subarray(used);
    }
    this.#pending = isOpen(this.#state) ? copy(rest) : new Uint8Array(0);
    return steps;
  }

  /** Takes the client's end of stream; says whether it cut a handshake that had begun. */
  handleEnd(): SocksError | undefined {
    const begun = this.#state !== "greeting" || this.#pending.length > 0;
    if (!begun || !isOpen(this.#state)) return undefined;
    const error = socksError(SocksErrorCode.truncated, `the client closed during the ${this.#state}`);
    this.#state = "closed";
    this.#pending = new Uint8Array(0);
    return error;
  }

  /** Handles the message at the start of `bytes`; returns how many bytes it took, 0 to wait for more. */
  #handleMessage(bytes: Uint8Array, steps: SocksStep[]): number {
    switch (this.#state) {
      case "greeting":
        return this.#handleGreeting(parseGreeting(bytes), steps);
      case "password":
        return this.#handlePassword(parsePasswordRequest(bytes), steps);
      default:
        return this.#handleRequest(parseRequest(bytes), bytes, steps);
    }
  }

  #handleGreeting(parsed: Parsed<Uint8Array>, steps: SocksStep[]): number {
    if (parsed.state === "more") return 0;
    if (parsed.state === "error")
      return this.#close(parsed.error, answerInOtherProtocol(parsed.error), steps);
    const passwordRequired = this.#authenticate !== undefined;
    const method = chooseMethod(parsed.value, passwordRequired);
    if (method === SocksMethod.noneAcceptable) {
      const needs = passwordRequired ? "user and password (0x02)" : "no authentication (0x00)";
      const message = `the client does not offer the method this server needs: ${needs}`;
      const error = socksError(SocksErrorCode.noAcceptableMethod, message);
      return this.#close(error, encodeMethodChoice(method), steps);
    }
    steps.push({ type: "send", bytes: encodeMethodChoice(method) });
    this.#state = passwordRequired ? "password" : "request";
    return parsed.length;
  }

  #handlePassword(parsed: ReturnType<typeof parsePasswordRequest>, steps: SocksStep[]): number {
    if (parsed.state === "more") return 0;
    const refusal = encodePasswordStatus(PasswordStatus.failure);
    if (parsed.state === "error") return this.#close(parsed.error, refusal, steps);
    const { user, password } = parsed.value;
    if (!this.#isAllowed(user, password)) {
      const error = socksError(SocksErrorCode.authFailed, "unknown user or wrong password");
      return this.#close(error, refusal, steps);
    }
    steps.push({ type: "send", bytes: encodePasswordStatus(PasswordStatus.success) });
    this.#user = user;
    this.#state = "request";
    return parsed.length;
  }

  /** A check that throws lets nobody in, and does not let a client bring the process down. */
  #isAllowed(user: string, password: string): boolean {
    try {
      return this.#authenticate?.(user, password) === true;
    } catch {
      return false;
    }
  }

  #handleRequest(parsed: ReturnType<typeof parseRequest>, bytes: Uint8Array, steps: SocksStep[]): number {
    if (parsed.state === "more") return 0;
    if (parsed.state === "error") return this.#refuse(parsed.error, steps);
    const error = checkRequest(parsed.value);
    if (error) return this.#refuse(error, steps);
    const { address } = parsed.value;
    const request = this.#user === undefined ? { address } : { address, user: this.#user };
    steps.push({ type: "request", request, leftover: copy(bytes.subarray(parsed.length)) });
    this.#state = "done";
    return parsed.length;
  }

  #refuse(error: SocksError, steps: SocksStep[]): number {
    return this.#close(error, encodeReply(replyForBadRequest(error)), steps);
  }

  #close(error: SocksError, refusal: Uint8Array | undefined, steps: SocksStep[]): number {
    if (refusal) steps.push({ type: "send", bytes: refusal });
    steps.push({ type: "close", error });
    this.#state = "closed";
    return 0;
  }
}

function isOpen(state: SocksHandshakeState): boolean {
  return state !== "done" && state !== "closed";
}

/** Not `slice`: on a Buffer that is a view, and the caller may fill its buffer anew. */
function copy(bytes: Uint8Array): Uint8Array {
  return new Uint8Array(bytes);
}

function concat(first: Uint8Array, second: Uint8Array): Uint8Array {
  const joined = new Uint8Array(first.length + second.length);
  joined.set(first);
  joined.set(second, first.length);
  return joined;
}
