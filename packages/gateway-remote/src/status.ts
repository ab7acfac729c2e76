import {
  type FlowStatus,
  flowStatus,
  type RefusalCount,
  readVersion,
  type StatusReport,
  type StatusSource,
  sessionStatus,
} from "@hawser/shared-protocol/node";
import type { RemoteGateway } from "./gateway.ts";

/** What the remote gateway tells of itself: one session for each local gateway that is, or was just, connected. */
export class RemoteStatus implements StatusSource {
  readonly #gateway: RemoteGateway;
  readonly #startedAt = performance.now();

  constructor(gateway: RemoteGateway) {
    this.#gateway = gateway;
  }

  status(): StatusReport {
    return {
      role: "remote",
      version: readVersion(import.meta.url),
      uptimeSeconds: (performance.now() - this.#startedAt) / 1_000,
      sessions: [...this.#gateway.sessions.all].map(({ peer, driver, egress }) => {
        const paths = driver.paths.map((path) => path.status());
        const session = sessionStatus(peer, driver, paths);
        return { ...session, flows: { ...session.flows, refused: egress.refused } };
      }),
    };
  }

  flows(): readonly FlowStatus[] {
    return [...this.#gateway.sessions.all].flatMap(({ peer, driver, egress }) =>
      [...egress.flows].map((flow) => flowStatus(flow, driver, "remote", peer)),
    );
  }

  refusals(): readonly RefusalCount[] {
    return this.#gateway.refusals.counts;
  }
}
