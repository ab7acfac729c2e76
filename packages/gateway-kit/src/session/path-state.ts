/** The states of a path. */
export const PATH_STATES = ["connecting", "up", "probation", "suspect", "down", "disabled"] as const;
/** `probation`: it has just returned and is tried; `suspect`: it makes no progress and gets no new data. */
export type PathState = (typeof PATH_STATES)[number];
