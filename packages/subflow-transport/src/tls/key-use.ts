/**
 * How often the keys of one TLS connection were used. AES-GCM is safe for about 2^24.5 full records under one key (RFC 8446,
 * section 5.5). That is 388 GB of full records, or 34 GB of a thin line's short ones: a subflow may carry more in months.
 * Neither Node nor OpenSSL changes keys by itself, so the local gateway dials such a subflow anew.
 */

/** The most plaintext of one record, bytes (RFC 8446, section 5.1). */
export const MAX_RECORD = 16_384;
/** A third of what is safe: the count may be somewhat off, and a line that is down cannot be dialled anew for days. */
const MOST_RECORDS = 2 ** 23;

export class KeyUse {
  readonly #most: number;
  #sent = 0;
  #received = 0;

  constructor(most = MOST_RECORDS) {
    this.#most = most;
  }

  /** One write of so many bytes. TLS makes as few records of it as it can. */
  handleWritten(bytes: number): void {
    this.#sent += Math.ceil(bytes / MAX_RECORD);
  }

  /** One 'data' event: Node makes one of each record. */
  handleRead(): void {
    this.#received++;
  }

  get records(): { readonly sent: number; readonly received: number } {
    return { sent: this.#sent, received: this.#received };
  }

  /** The connection is to be dialled anew. */
  get isSpent(): boolean {
    return Math.max(this.#sent, this.#received) >= this.#most;
  }

  /** The other end, whose count may be ahead, has reason to dial anew. */
  get isHalfSpent(): boolean {
    return Math.max(this.#sent, this.#received) >= this.#most / 2;
  }
}
