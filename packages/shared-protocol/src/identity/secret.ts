import { createHash, timingSafeEqual } from "node:crypto";
import { inspect } from "node:util";

const REDACTED = "[redacted]";

/** Bytes that must not get into a log, a status report or an error message by accident: printed, they show as `[redacted]`. */
export class Secret {
  readonly #bytes: Buffer;

  private constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  /** Takes a copy of `bytes`. */
  static fromBytes(bytes: Uint8Array): Secret {
    return new Secret(Buffer.from(bytes));
  }

  static fromText(text: string): Secret {
    return new Secret(Buffer.from(text, "utf8"));
  }

  /** A copy of the bytes, for the call that needs them. Do not keep it. */
  reveal(): Buffer {
    return Buffer.from(this.#bytes);
  }

  revealBase64url(): string {
    return this.#bytes.toString("base64url");
  }

  /** Compares in a time that tells nothing of where the two differ, or of their lengths. */
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
