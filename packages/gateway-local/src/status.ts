import {
  type FlowStatus,
  flowStatus,
  type RefusalCount,
  readVersion,
  type StatusReport,
  type StatusSource,
  sessionStatus,
} from "@hawser/shared-protocol/node";
import type { PathRole } from "@hawser/shared-protocol/wire";
import type { LocalGateway } from "./gateway.ts";

/** What the local gateway tells of itself. */
export class LocalStatus implements StatusSource {
  readonly #gateway: LocalGateway;
  readonly #startedAt = performance.now();

  constructor(gateway: LocalGateway) {
    this.#gateway = gateway;
  }

  status(): StatusReport {
    const { keeper, paths, config } = this.#gateway;
    const pathStatus = paths.map((path) => path.status());
    return {
      role: "local",
      version: readVersion(import.meta.url),
      uptimeSeconds: (performance.now() - this.#startedAt) / 1_000,
      session: sessionStatus(config.remote.name, keeper.driver, pathStatus, keeper.totalsBefore),
    };
  }

  flows(): readonly FlowStatus[] {
    const { opener, keeper, config } = this.#gateway;
    return [...opener.flows].map((flow) => flowStatus(flow, keeper.driver, "local", config.remote.name));
  }

  refusals(): readonly RefusalCount[] {
    return this.#gateway.refusals.counts;
  }

  setPathRole(name: string, role: PathRole): boolean {
    return this.#gateway.setPathRole(name, role);
  }
}
