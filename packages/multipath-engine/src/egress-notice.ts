import type { EgressFamilies, FrameOf } from "@hawser/shared-protocol";

/**
 * What a session's ends know of the remote gateway's way out, by address family (SPEC.md, section 10). The remote gateway
 * numbers what it tells, since EGRESS goes over every subflow and the copies arrive in any order.
 */
export class EgressNotice {
  #number = 0;
  #families: EgressFamilies | undefined;

  /** Undefined until something is known. */
  get families(): EgressFamilies | undefined {
    return this.#families;
  }

  /** Remote: takes the families in. True if they have changed, so that every subflow has to tell. */
  set(families: EgressFamilies): boolean {
    if (this.#families?.ipv4 === families.ipv4 && this.#families.ipv6 === families.ipv6) return false;
    this.#families = families;
    this.#number++;
    return true;
  }

  /** Remote: the frame that tells of them; undefined while nothing is known. */
  get frame(): FrameOf<"egress"> | undefined {
    return this.#families && { type: "egress", number: this.#number, families: this.#families };
  }

  /** Local: the remote gateway's frame. True if it is news. */
  handleFrame({ number, families }: FrameOf<"egress">): boolean {
    if (number <= this.#number) return false;
    this.#number = number;
    this.#families = families;
    return true;
  }
}
