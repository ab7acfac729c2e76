/** Why a trial, or a part of it, has no result; for the user. */
export class TrialError extends Error {
  override readonly name = "TrialError";
}
