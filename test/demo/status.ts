import { setTimeout as sleep } from "node:timers/promises";
import type { LocalStatusReport } from "@hawser/status-api/model";

/** How long the gateway may take to bring a path up. */
const PATIENCE_MS = 15_000;
const POLL_MS = 50;

type Role = "active" | "disabled";
type Path = LocalStatusReport["session"]["paths"][number];

/** The local gateway's status API. */
export class LocalStatus {
  readonly #url: string;

  constructor(url: string) {
    this.#url = url;
  }

  async paths(): Promise<readonly Path[]> {
    const report = (await (await this.#ask("/api/status")).json()) as LocalStatusReport;
    return report.session.paths;
  }

  /** Has exactly the named paths in use, and waits until that is so. */
  async useOnly(names: readonly string[]): Promise<void> {
    const roleOf = (name: string): Role => (names.includes(name) ? "active" : "disabled");
    for (const { name } of await this.paths()) await this.#setRole(name, roleOf(name));
    await this.#until((path) => path.state === (roleOf(path.name) === "active" ? "up" : "disabled"));
  }

  async #setRole(name: string, role: Role): Promise<void> {
    const headers = { "content-type": "application/json" };
    await this.#ask(`/api/paths/${name}`, { method: "PATCH", headers, body: JSON.stringify({ role }) });
  }

  async #until(isSo: (path: Path) => boolean): Promise<void> {
    const deadline = performance.now() + PATIENCE_MS;
    for (let paths = await this.paths(); !paths.every(isSo); paths = await this.paths()) {
      if (performance.now() > deadline) throw new Error(`the paths do not come up: ${describe(paths)}`);
      await sleep(POLL_MS);
    }
  }

  async #ask(path: string, init: RequestInit = {}): Promise<Response> {
    const reply = await fetch(this.#url + path, { ...init, signal: AbortSignal.timeout(5000) });
    if (!reply.ok)
      throw new Error(`the status API answered ${reply.status} to ${path}: ${await reply.text()}`);
    return reply;
  }
}

function describe(paths: readonly Path[]): string {
  return paths
    .map(({ name, state, lastError }) => `${name} ${state} (${lastError ?? "no error"})`)
    .join(", ");
}

/** Whether a gateway's status server answers at that URL. */
export async function isAnswering(url: string): Promise<boolean> {
  return fetch(`${url}/api/status`, { signal: AbortSignal.timeout(1000) }).then(
    (reply) => reply.ok,
    () => false,
  );
}
