/** The codes in RESET and CLOSE (SPEC.md, sections 5 and 6). Local errors have codes of their own. */

/** Why a stream was reset (SPEC.md, section 5). */
export const StreamCode = {
  reset: 1,
  refused: 2,
  hostUnreachable: 3,
  networkUnreachable: 4,
  timeout: 5,
  nameNotFound: 6,
  notAllowed: 7,
  overloaded: 8,
  shutdown: 9,
} as const;
/** Any number: a newer peer may know more codes. */
export type StreamCode = number;

/** Why a subflow or a session was closed (SPEC.md, section 6). */
export const CloseCode = {
  done: 0,
  protocol: 1,
  flowControl: 2,
  finalSize: 3,
  streamLimit: 4,
  unknownSession: 5,
  version: 6,
  shutdown: 7,
  peerRemoved: 8,
  unresponsive: 9,
} as const;
/** Any number: a newer peer may know more codes. */
export type CloseCode = number;

/** The name of a code in `StreamCode` or `CloseCode`, for logs; `code 42` when a newer peer's code is not among them. */
export function codeName(codes: Readonly<Record<string, number>>, code: number): string {
  for (const [name, value] of Object.entries(codes)) if (value === code) return name;
  return `code ${code}`;
}
