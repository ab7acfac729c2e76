export const REDACTED = "[redacted]";
/** A pairing line anywhere in a text, even in an error's message. */
const PAIRING_SECRET = /(hawser:\/\/[^\s:@"\\]{0,64}:)[^\s@"\\]+/g;

/** The text with the key of every pairing line in it taken out. */
export function scrubPairings(text: string): string {
  return text.includes("hawser://") ? text.replace(PAIRING_SECRET, `$1${REDACTED}`) : text;
}
