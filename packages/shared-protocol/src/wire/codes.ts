/** The codes of SPEC.md, sections 5 and 6: what a RESET or CLOSE says. Local errors have codes of their own. */

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
export type StreamCode = number;

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
export type CloseCode = number;

/** The name of a code, for logs; an unknown one (a newer peer's) as its number. */
export function codeName(codes: Readonly<Record<string, number>>, code: number): string {
  for (const [name, value] of Object.entries(codes)) if (value === code) return name;
  return `code ${code}`;
}
