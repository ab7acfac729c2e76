import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";

/**
 * What this machine lacks for the lab, or for a test that uses `clients`, in words for a skipped test; undefined when
 * it lacks nothing.
 */
export function labMissing(...clients: readonly string[]): string | undefined {
  if (process.platform !== "linux") return `the lab needs Linux, this is ${process.platform}`;
  if (process.getuid?.() !== 0) return "the lab needs root (network namespaces)";
  if (!existsSync("/dev/net/tun")) return "the lab needs /dev/net/tun";
  for (const [command, args] of COMMANDS) {
    const problem = tryCommand(command, args);
    if (problem !== undefined) return problem;
  }
  const client = clients.find((name) => tryCommand("sh", ["-c", `command -v ${name}`]) !== undefined);
  return client === undefined ? undefined : `this test needs the command ${client}`;
}

/** Each command shows that a tool is there. The last one shows that a network namespace can be made. */
const COMMANDS: readonly (readonly [string, readonly string[]])[] = [
  ["ip", ["-V"]],
  ["curl", ["--version"]],
  ["iptables", ["--version"]],
  ["ip6tables", ["--version"]],
  ["unshare", ["--net", "true"]],
];

function tryCommand(command: string, args: readonly string[]): string | undefined {
  try {
    execFileSync(command, args, { stdio: ["ignore", "ignore", "pipe"] });
    return undefined;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return `the lab needs the command ${command}`;
    const stderr = (error as { stderr?: Buffer | string }).stderr?.toString().trim() ?? "";
    return `${command} ${args.join(" ")} is refused here: ${stderr}`;
  }
}
