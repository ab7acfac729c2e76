/** The error of a connection that failed for a reason without a code of connect(2). */
export class DialError extends Error {
  override readonly name = "DialError";
  readonly code = "ERR_DIAL";
}
