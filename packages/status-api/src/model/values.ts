/** The words that fields of the API may have. */

/** `degraded`: the session carries data, but a path that should be up is not. */
export const SESSION_STATES = ["connecting", "up", "degraded", "down"] as const;

export const CAPTURE_STATES = ["unproven", "arrives", "blocked"] as const;

/** Which directions a quota counts. */
export const QUOTA_COUNTS = ["both", "down", "up"] as const;
/** What a path becomes once its quota is used up: a backup path, or one that is not used. */
export const QUOTA_ENDS = ["backup", "disable"] as const;

export const DRILL_PHASES = ["before", "out", "return"] as const;
export const SPEED_PHASES = ["latency", "down", "up"] as const;

/** What the history has of each path. */
export const HISTORY_VALUES = [
  "sentBytes",
  "receivedBytes",
  "sendRateBps",
  "receiveRateBps",
  "rttMs",
  "minRttMs",
] as const;

/** What may happen to paths, sessions and flows. The schema of events says what each means. */
export const EVENT_TYPES = [
  "path-up",
  "path-back",
  "path-suspect",
  "path-down",
  "path-role",
  "path-in-use",
  "path-idle",
  "path-resting",
  "path-tried",
  "quota-warned",
  "quota-reached",
  "quota-reset",
  "subflow-lost",
  "peer-unreachable",
  "peer-reachable",
  "egress-lost",
  "egress-back",
  "capture-blocked",
  "capture-back",
  "rules-lost",
  "rules-restored",
  "rules-given-up",
  "reloaded",
  "reload-failed",
  "peer-file-wrong",
  "session-opened",
  "session-closed",
  "flows-failed",
  "flows-refused",
  "flow-cut",
] as const;
