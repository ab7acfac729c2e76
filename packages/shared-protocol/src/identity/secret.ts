import { createHash, timingSafeEqual } from "node:crypto";
import { inspect } from "node:util";

const REDACTED = "[redacted]";

/** Bytes that must not end up in a log, a status report or an error message by accident. */
export class Secret {
  readonly #bytes: Buffer;

  private constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  /** Copies `bytes`. */
  static fromBytes(bytes: Uint8Array): Secret {
    return new Secret(Buffer.from(bytes));
  }

  static fromText(text: string): Secret {
    return new Secret(Buffer.from(text, "utf8"));
  }

  /** A copy of the bytes: for the call that needs them, not to be kept. */
  reveal(): Buffer {
    return Buffer.from(this.#bytes);
  }

  revealBase64url(): string {
    return this.#bytes.toString("base64url");
  }

  /** Compares in a time that tells nothing about where, or in what length, the two differ. */
  equals(other: Secret | string): boolean {
    const bytes = typeof other === "string" ? Buffer.from(other, "utf8") : other.#bytes;
    return timingSafeEqual(sha256(this.#bytes), sha256(bytes));
  }

  toJSON(): string {
    return REDACTED;
  }

  toString(): string {
    return REDACTED;
  }

  [inspect.custom](): string {
    return REDACTED;
  }
}

function sha256(bytes: Buffer): Buffer {
  return createHash("sha256").update(bytes).digest();
}
