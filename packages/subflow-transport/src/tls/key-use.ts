/**
 * How much the keys of one TLS connection were used. AES-GCM is safe for about 2^24.5 full records under one key (RFC 8446,
 * section 5.5), which a subflow of months may pass: 388 GB of full records, or 34 GB of a thin line's short ones. Neither
 * Node nor OpenSSL changes keys by itself, so the local gateway dials such a subflow anew.
 */

/** Plaintext of a record at most (RFC 8446, section 5.1). */
export const MAX_RECORD = 16_384;
/** A third of what is safe in each direction: the count may be off, and a dead line may not be dialled for days. */
const MOST_RECORDS = 2 ** 23;

export class KeyUse {
  readonly #most: number;
  #sent = 0;
  #received = 0;

  constructor(most = MOST_RECORDS) {
    this.#most = most;
  }

  /** So many bytes were written in one go. */
  handleWritten(bytes: number): void {
    this.#sent += Math.ceil(bytes / MAX_RECORD);
  }

  /** Node has read something: it gives each record as it comes, never two at once. */
  handleRead(): void {
    this.#received++;
  }

  get records(): { readonly sent: number; readonly received: number } {
    return { sent: this.#sent, received: this.#received };
  }

  /** Another key is due. */
  get isSpent(): boolean {
    return Math.max(this.#sent, this.#received) >= this.#most;
  }

  /** Another key may come: the other end, whose count may be ahead, has reason to dial anew. */
  get isHalfSpent(): boolean {
    return Math.max(this.#sent, this.#received) >= this.#most / 2;
  }
}
