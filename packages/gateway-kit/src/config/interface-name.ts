import { type Parsed, parsed, problem } from "@hawser/shared-protocol";

/** Longest interface name, bytes: IFNAMSIZ of Linux without its terminator. */
const MAX_INTERFACE = 15;

/**
 * The name of a network interface. The kernel would take more characters; these are the ones that mean
 * themselves in iptables (where a last `+` is a wildcard) and in a shell.
 */
export function parseInterface(text: string): Parsed<string> {
  if (text === "") return problem("is empty");
  if (text.length > MAX_INTERFACE) {
    return problem(
      `${JSON.stringify(text)} is longer than ${MAX_INTERFACE} characters, which no interface is`,
    );
  }
  if (!/^[A-Za-z0-9._][A-Za-z0-9._@-]*$/.test(text) || text === "." || text === "..") {
    return problem(`${JSON.stringify(text)} is not the name of an interface; \`ip link\` lists them`);
  }
  return parsed(text);
}
