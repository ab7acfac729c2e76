import type { RefusalCount } from "@hawser/gateway-kit";
import type { PathRole } from "@hawser/shared-protocol";
import type { FlowStatus } from "../schemas/flows.ts";
import type { StatusReport } from "../schemas/status.ts";
import type {
  DrillProgress,
  DrillReport,
  SpeedProgress,
  SpeedResult,
  SpeedtestOptions,
} from "../schemas/trials.ts";
import type { EventLog } from "./event-log.ts";

/**
 * What a gateway lets its user do. Absent is what it does not offer; the dashboard shows no control for it then. What
 * cannot be done now is a RequestError.
 */
export interface StatusHooks {
  /** Changes a path's role at once; false when there is no such path. */
  setPathRole?(name: string, role: PathRole): boolean;
  /** Cuts a flow; false when there is no such flow. */
  disconnectFlow?(id: string): boolean;
  /** Takes a path out for so long, and back; an abort puts it back at once. */
  drill?(
    path: string,
    seconds: number,
    signal: AbortSignal,
    onProgress: (progress: DrillProgress) => void,
  ): Promise<DrillReport>;
  /** Measures each path alone, then all together; an abort ends that. */
  speedtest?(
    options: SpeedtestOptions,
    signal: AbortSignal,
    onProgress: (progress: SpeedProgress) => void,
  ): Promise<readonly SpeedResult[]>;
}

/** What a gateway gives the status server. Called at every request: snapshots, not computations. */
export interface StatusSource extends StatusHooks {
  readonly events: EventLog;
  /** It takes no new connections; open flows may still end in order. */
  readonly isStopping?: boolean;
  status(): StatusReport;
  flows(): readonly FlowStatus[];
  /** Who was turned away since the start. */
  refusals?(): readonly RefusalCount[];
}
