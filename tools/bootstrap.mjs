/**
 * Gets a fresh checkout ready: Debian packages, npm packages (with a Node of their own), the build. Runs on Node 18 or
 * later, with nothing installed. Does nothing that is done already.
 */
import { execFileSync, spawnSync } from "node:child_process";
import { accessSync, constants, existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));

/** What the lab and the gateways call, and the Debian package that has it. Clients of the tests are in run-tests. */
const TOOLS = { ip: "iproute2", iptables: "iptables", curl: "curl", ...packagesFromArguments() };

installDebianPackages();
installNpmPackages();
build();

/** `tool=package` arguments add to the list. */
function packagesFromArguments() {
  return Object.fromEntries(process.argv.slice(2).map((argument) => argument.split("=")));
}

function installDebianPackages() {
  const missing = Object.entries(TOOLS).filter(([tool]) => !isOnPath(tool));
  if (missing.length === 0) return;
  const packages = [...new Set(missing.map(([, name]) => name))];
  if (process.getuid?.() !== 0 || !isOnPath("apt-get")) {
    console.log(
      `hawser: without ${packages.join(", ")} some things are left out (as root on Debian they are installed)`,
    );
    return;
  }
  console.log(`hawser: installing Debian packages: ${packages.join(", ")}`);
  const options = {
    env: { ...process.env, DEBIAN_FRONTEND: "noninteractive" },
    stdio: ["ignore", "ignore", "inherit"],
  };
  execFileSync("apt-get", ["update", "-qq"], options);
  execFileSync("apt-get", ["install", "-y", "-qq", "--no-install-recommends", ...packages], options);
}

function isOnPath(tool) {
  const folders = [...(process.env.PATH ?? "").split(":"), "/usr/sbin", "/sbin"];
  return folders.some((folder) => {
    try {
      accessSync(join(folder, tool), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}

function installNpmPackages() {
  if (hasLockedPackages()) return;
  console.log("hawser: installing npm packages");
  execFileSync("npm", ["ci", "--no-audit", "--no-fund", "--loglevel=error"], {
    cwd: root,
    stdio: ["ignore", "ignore", "inherit"],
  });
}

/** Whether node_modules holds what the lock says: npm leaves a lock of its own there, whoever called it. */
function hasLockedPackages() {
  const hidden = join(root, "node_modules", ".package-lock.json");
  if (!existsSync(hidden)) return false;
  const installed = packagesOf(hidden);
  return Object.entries(packagesOf(join(root, "package-lock.json"))).every(([folder, wanted]) => {
    // The checkout itself is in no node_modules.
    if (folder === "") return true;
    const found = installed[folder];
    // Those for other systems are optional, and missing.
    if (!found) return wanted.optional === true;
    return found.version === wanted.version && found.integrity === wanted.integrity;
  });
}

function packagesOf(lockFile) {
  return JSON.parse(readFileSync(lockFile, "utf8")).packages;
}

function build() {
  const compiler = ["node", join(root, "node_modules", "typescript", "bin", "tsc"), "-b"];
  const { status } = spawnSync(join(root, "tools", "with-node"), compiler, { cwd: root, stdio: "inherit" });
  // What is wrong has been said.
  if (status !== 0) process.exit(1);
}
