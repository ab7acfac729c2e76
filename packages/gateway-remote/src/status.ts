import type { RefusalCount } from "@hawser/gateway-kit";
import { readVersion } from "@hawser/gateway-kit/config";
import { StreamCode } from "@hawser/shared-protocol";
import { type EventLog, flowStatus, pathStatus, type StatusSource, sessionStatus } from "@hawser/status-api";
import type { FlowStatus, StatusReport } from "@hawser/status-api/model";
import type { RemoteGateway } from "./gateway.ts";

/** The remote gateway's status report: one session for each local gateway that is connected, or was a moment ago. */
export class RemoteStatus implements StatusSource {
  readonly #gateway: RemoteGateway;
  readonly #version = readVersion(import.meta.url);
  readonly #startedAt = performance.now();

  constructor(gateway: RemoteGateway) {
    this.#gateway = gateway;
  }

  get events(): EventLog {
    return this.#gateway.sessions.events;
  }

  get isStopping(): boolean {
    return this.#gateway.sessions.isDraining;
  }

  status(): StatusReport {
    return {
      role: "remote",
      version: this.#version,
      uptimeSeconds: (performance.now() - this.#startedAt) / 1_000,
      sessions: [...this.#gateway.sessions.all].map(({ peer, driver, egress }) => {
        const paths = driver.paths.map(pathStatus);
        const session = sessionStatus(peer, driver, egress.flows, paths);
        return { ...session, flows: { ...session.flows, refused: egress.refused } };
      }),
    };
  }

  flows(): readonly FlowStatus[] {
    return [...this.#gateway.sessions.all].flatMap(({ peer, egress }) =>
      [...egress.flows].map((flow) => flowStatus(flow, "remote", peer)),
    );
  }

  refusals(): readonly RefusalCount[] {
    return this.#gateway.refusals.counts;
  }

  disconnectFlow(id: string): boolean {
    for (const { egress } of this.#gateway.sessions.all) {
      const flow = [...egress.flows].find((open) => open.id === id);
      flow?.abort(StreamCode.notAllowed);
      if (flow) return true;
    }
    return false;
  }
}
