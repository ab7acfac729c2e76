import { formatBytes, formatDay, formatRate } from "@hawser/status-api/model";
import type { PathStatus, QuotaStatus, StatusReport } from "@hawser/status-api/model";

interface Props {
  readonly gateway: StatusReport["role"];
  readonly path: PathStatus;
}

/** On what terms the line is used: when, how fast, and how much a month. */
export function Terms({ gateway, path }: Props) {
  const terms = [...useOf(path, gateway), ...rateOf(path), ...(path.metered ? ["metered"] : [])];
  return (
    <>
      {terms.length > 0 && <p class="terms soft">{terms.join(" · ")}</p>}
      {path.quota && <Quota quota={path.quota} />}
    </>
  );
}

/** Each end decides for what it sends. */
function useOf({ role, roleInForce = role, tier, inUse }: PathStatus, gateway: Props["gateway"]): string[] {
  if (roleInForce !== "overflow" && roleInForce !== "backup") return [];
  const name = typeof tier === "number" ? `tier ${tier}` : [];
  const sent = gateway === "local" ? "uploads" : "downloads";
  return [name, inUse === undefined ? [] : `${inUse ? "in use" : "idle"} for ${sent}`].flat();
}

function rateOf({ maxRateBps }: PathStatus): string[] {
  const { down = null, up = null } = maxRateBps ?? {};
  const each = [down === null ? [] : `↓ ${formatRate(down)}`, up === null ? [] : `↑ ${formatRate(up)}`].flat();
  return each.length === 0 ? [] : [`at most ${each.join(" ")}`];
}

/** The share at which the gateway warns, too. */
const WARN_AT = 0.8;

function Quota({ quota: { limitBytes, usedBytes, leftBytes, reached, resetsAt } }: { readonly quota: QuotaStatus }) {
  const level = reached ? "bad" : usedBytes >= WARN_AT * limitBytes ? "warn" : "";
  return (
    <p class="gauge quota">
      <span>
        <span>
          Quota <b>{formatBytes(leftBytes)} left</b> of {formatBytes(limitBytes)}
        </span>
        <span class="soft">anew {formatDay(new Date(resetsAt))}</span>
      </span>
      <span class={`meter ${level}`} aria-hidden="true">
        <i class="least" style={{ flexGrow: Math.min(usedBytes, limitBytes) }} />
        <i style={{ flexGrow: leftBytes }} />
      </span>
    </p>
  );
}
