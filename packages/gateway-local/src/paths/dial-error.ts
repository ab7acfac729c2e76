/** A connection that was not made, for a reason that connect(2) has no code for. */
export class DialError extends Error {
  override readonly name = "DialError";
  readonly code = "ERR_DIAL";
}
