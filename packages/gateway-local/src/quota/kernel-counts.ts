/** What a quota cannot count on a kernel whose TCP_INFO lacks a field (`tcpi_bytes_sent`). */
import { release } from "node:os";

const [MAJOR, MINOR] = [4, 19] as const;

/** What the counts of lines lack under this kernel; undefined when they lack nothing. */
export function whatIsUncounted(kernel = release()): string | undefined {
  const [major = 0, minor = 0] = kernel.split(".").map((part) => Number.parseInt(part, 10));
  if (major > MAJOR || (major === MAJOR && minor >= MINOR)) return undefined;
  return `Linux ${kernel} does not tell what TCP sends again, so a quota counts less than a line that loses packets carries`;
}

export const KERNEL_MEND = `use Linux ${MAJOR}.${MINOR} or later, or write a lower quota than the tariff has`;
