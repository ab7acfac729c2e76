/** Says to the user why a trial, or a part of it, has no result. */
export class TrialError extends Error {
  override readonly name = "TrialError";
}
