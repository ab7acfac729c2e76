/** A connection that did not come about, for a reason that connect(2) has no code for. */
export class DialError extends Error {
  override readonly name = "DialError";
  readonly code = "ERR_DIAL";
}
