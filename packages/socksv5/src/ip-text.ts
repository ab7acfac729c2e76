/** IP addresses between bytes and text. IPv6 text follows RFC 5952. */

export function formatIpv4(bytes: Uint8Array): string {
  return bytes.join(".");
}

/** Dotted decimal with four parts; no leading zeros, which some resolvers read as octal. */
export function parseIpv4(text: string): Uint8Array | undefined {
  const parts = text.split(".");
  if (parts.length !== 4) return undefined;
  if (!parts.every((part) => /^(0|[1-9]\d{0,2})$/.test(part) && Number(part) <= 255)) return undefined;
  return Uint8Array.from(parts, Number);
}

/** RFC 5952: lower case, no leading zeros, `::` for the longest run of two or more zero groups. */
export function formatIpv6(bytes: Uint8Array): string {
  const groups: number[] = [];
  for (let i = 0; i < 16; i += 2) groups.push(((bytes[i] ?? 0) << 8) | (bytes[i + 1] ?? 0));
  // Section 5: IPv4-mapped addresses keep their dotted tail.
  const mapped = mappedIpv4(bytes);
  if (mapped) return `::ffff:${formatIpv4(mapped)}`;
  const run = longestZeroRun(groups);
  const hex = (part: number[]) => part.map((group) => group.toString(16)).join(":");
  if (run.length < 2) return hex(groups);
  return `${hex(groups.slice(0, run.start))}::${hex(groups.slice(run.start + run.length))}`;
}

/** The IPv4 address inside an IPv4-mapped one (RFC 4291 section 2.5.5.2), or undefined when it is another one. */
export function mappedIpv4(bytes: Uint8Array): Uint8Array | undefined {
  const isMapped =
    bytes.subarray(0, 10).every((byte) => byte === 0) && bytes[10] === 0xff && bytes[11] === 0xff;
  return isMapped ? bytes.subarray(12) : undefined;
}

function longestZeroRun(groups: readonly number[]): { start: number; length: number } {
  let best = { start: 0, length: 0 };
  let start = 0;
  groups.forEach((group, i) => {
    if (group !== 0) start = i + 1;
    else if (i + 1 - start > best.length) best = { start, length: i + 1 - start };
  });
  return best;
}

/** Any textual form of RFC 4291 section 2.2; a zone (`%eth0`) is ignored. */
export function parseIpv6(text: string): Uint8Array | undefined {
  const bare = text.replace(/%.*$/s, "");
  const halves = bare.split("::");
  if (halves.length > 2 || bare.length > 45) return undefined;
  const head = parseGroups(halves[0] ?? "", halves.length === 1);
  const tail = halves.length === 2 ? parseGroups(halves[1] ?? "", true) : [];
  if (!head || !tail) return undefined;
  const missing = 16 - head.length - tail.length;
  // Without `::` all sixteen bytes must be there; with it, it stands for at least one group.
  if (halves.length === 1 ? missing !== 0 : missing < 2) return undefined;
  const address = new Uint8Array(16);
  address.set(head);
  address.set(tail, 16 - tail.length);
  return address;
}

/** The bytes of a colon-separated list; only the list that ends the address may end in dotted IPv4. */
function parseGroups(text: string, mayEndDotted: boolean): number[] | undefined {
  if (text === "") return [];
  const bytes: number[] = [];
  const parts = text.split(":");
  for (const [i, part] of parts.entries()) {
    if (/^[0-9a-f]{1,4}$/i.test(part)) {
      const group = Number.parseInt(part, 16);
      bytes.push(group >> 8, group & 0xff);
      continue;
    }
    const dotted = mayEndDotted && i === parts.length - 1 ? parseIpv4(part) : undefined;
    if (!dotted) return undefined;
    bytes.push(...dotted);
  }
  return bytes;
}
