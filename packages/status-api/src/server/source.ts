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
 * What a gateway lets its user do. A gateway leaves out what it does not offer; the dashboard then shows no control for
 * it. A hook throws RequestError when something cannot be done now.
 */
export interface StatusHooks {
  /** Changes a path's role at once; false when there is no such path. */
  setPathRole?(name: string, role: PathRole): boolean;
  /** Cuts a flow; false when there is no such flow. */
  disconnectFlow?(id: string): boolean;
  /** Takes a path out for some seconds, and puts it back; an abort puts it back at once. */
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

/** What a gateway tells the status server. Its methods are called at every request, so they must be cheap. */
export interface StatusSource extends StatusHooks {
  readonly events: EventLog;
  /** Whether the gateway stops: it takes no new connections, and lets open flows end. */
  readonly isStopping?: boolean;
  status(): StatusReport;
  flows(): readonly FlowStatus[];
  /** Connections and requests that limits have refused since the start. */
  refusals?(): readonly RefusalCount[];
}
