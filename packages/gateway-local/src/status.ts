import type { RefusalCount } from "@hawser/gateway-kit";
import { readVersion } from "@hawser/gateway-kit/config";
import { type PathRole, StreamCode } from "@hawser/shared-protocol";
import { type EventLog, flowStatus, type StatusSource, sessionStatus } from "@hawser/status-api";
import type {
  DrillProgress,
  DrillReport,
  FlowRoom,
  FlowStatus,
  SpeedProgress,
  SpeedResult,
  SpeedtestOptions,
  StatusReport,
} from "@hawser/status-api/model";
import type { LocalGateway } from "./gateway.ts";

/** The local gateway's status report, and the requests that its status server answers. */
export class LocalStatus implements StatusSource {
  readonly #gateway: LocalGateway;
  readonly #version = readVersion(import.meta.url);
  readonly #startedAt = performance.now();

  constructor(gateway: LocalGateway) {
    this.#gateway = gateway;
  }

  get events(): EventLog {
    return this.#gateway.events;
  }

  get isStopping(): boolean {
    return this.#gateway.isStopping;
  }

  status(): StatusReport {
    const { keeper, paths, config, opener, captureWatch, rules } = this.#gateway;
    const pathStatus = paths.map((path) => path.status());
    return {
      role: "local",
      version: this.#version,
      uptimeSeconds: (performance.now() - this.#startedAt) / 1_000,
      ...(captureWatch && { capture: captureWatch.status() }),
      flowRoom: this.#flowRoom(),
      session: sessionStatus(
        config.remote.name,
        keeper.driver,
        opener.flows,
        pathStatus,
        keeper.totalsBefore,
      ),
      ...(rules && { rules }),
    };
  }

  #flowRoom(): FlowRoom {
    const { share } = this.#gateway.opener;
    const isFull = share.isFull || this.#gateway.keeper.driver.session.whyFull !== undefined;
    const { room: limit, flows: open, dialling } = share;
    return { limit, open, dialling, isFull, greedy: share.greedy(performance.now()) ?? null };
  }

  flows(): readonly FlowStatus[] {
    const { opener, config } = this.#gateway;
    return [...opener.flows].map((flow) => flowStatus(flow, "local", config.remote.name));
  }

  refusals(): readonly RefusalCount[] {
    return this.#gateway.refusals.counts;
  }

  setPathRole(name: string, role: PathRole): boolean {
    return this.#gateway.setPathRole(name, role);
  }

  drill(
    path: string,
    seconds: number,
    signal: AbortSignal,
    onProgress: (progress: DrillProgress) => void,
  ): Promise<DrillReport> {
    return this.#gateway.trials.drill(path, seconds, signal, onProgress);
  }

  speedtest(
    options: SpeedtestOptions,
    signal: AbortSignal,
    onProgress: (progress: SpeedProgress) => void,
  ): Promise<readonly SpeedResult[]> {
    return this.#gateway.trials.speedtest(options, signal, onProgress);
  }

  disconnectFlow(id: string): boolean {
    const flow = [...this.#gateway.opener.flows].find((open) => open.id === id);
    flow?.abort(StreamCode.notAllowed);
    return flow !== undefined;
  }
}
