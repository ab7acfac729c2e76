import { useState } from "preact/hooks";
import { formatAge, formatBytes, formatMs, formatRate, formatRest } from "@hawser/status-api/model";
import type { About } from "@hawser/status-api/client";
import { homeBytes, homeRates } from "@hawser/status-api/model";
import { carries, type PathStatus, type SessionStatus, type StatusReport } from "@hawser/status-api/model";
import { messageOf, send } from "./api.ts";
import { DrillDialog } from "./drill.tsx";
import { colourOf, Dialog, percent, SENT_AGAIN, type Share, ShareBar, StateMark } from "./parts.tsx";
import { SpeedTestDialog } from "./speed-test.tsx";
import { Terms } from "./terms.tsx";

type Controls = About["controls"];

interface Props {
  readonly gateway: StatusReport["role"];
  readonly session: SessionStatus;
  readonly controls: Controls;
}

export function Lines({ gateway, session: { paths }, controls }: Props) {
  const [isTesting, setTesting] = useState(false);
  const shares = paths.map(({ name, sentBytes, receivedBytes }, i): Share => {
    return { name, bytes: sentBytes + receivedBytes, colour: colourOf(i) };
  });
  return (
    <section aria-labelledby="lines">
      <div class="head">
        <h2 id="lines">Lines</h2>
        <ShareBar shares={shares} label="Share of all bytes" />
        {controls.speedtest && <button onClick={() => setTesting(true)}>Speed test</button>}
      </div>
      {isTesting && <SpeedTestDialog paths={paths} onClose={() => setTesting(false)} />}
      <div class="lines">
        {paths.map((path, i) => (
          <Line
            key={path.name}
            gateway={gateway}
            path={path}
            controls={controls}
            colour={colourOf(i)}
            share={percent(shares[i]?.bytes ?? 0, shares)}
            isLast={paths.every((other) => other.name === path.name || !carries(other))}
          />
        ))}
      </div>
    </section>
  );
}

interface LineProps {
  readonly gateway: StatusReport["role"];
  readonly path: PathStatus;
  readonly controls: Controls;
  readonly colour: string;
  readonly share: string;
  /** No other line is up. */
  readonly isLast: boolean;
}

function Line({ gateway, path, controls, colour, share, isLast }: LineProps) {
  const [isDrilling, setDrilling] = useState(false);
  const rate = homeRates(gateway, path);
  const bytes = homeBytes(gateway, path.sentBytes, path.receivedBytes);
  const { role, roleInForce = role } = path;
  return (
    <article class={`card line ${colour}`} aria-label={path.name}>
      <div class="head">
        <h3>{path.name}</h3>
        <StateMark state={path.state} />
        <Role path={path} roles={controls.roles} isLast={isLast} />
      </div>
      <p class={`why ${path.state}`}>
        <b>{path.reason}</b> <span class="soft">for {ago(path.since)}</span>
      </p>
      {path.restsUntil && <p class="why suspect">{formatRest(path.restsUntil, Date.now())}</p>}
      <div class="rates">
        <span>
          <i aria-hidden="true">↓</i> <span class="hidden">Download</span> <b>{formatRate(rate.down)}</b>
        </span>
        <span>
          <i aria-hidden="true">↑</i> <span class="hidden">Upload</span> <b>{formatRate(rate.up)}</b>
        </span>
      </div>
      <RoundTrip path={path} />
      <Terms gateway={gateway} path={path} />
      <dl>
        <Fact name="Share" value={share} />
        <Fact name="Download" value={formatBytes(bytes.down)} />
        <Fact name="Upload" value={formatBytes(bytes.up)} />
        <Fact
          name="Sent again"
          value={formatBytes(path.reinjectedBytes)}
          hint={SENT_AGAIN}
        />
        <Fact name="Subflows" value={String(path.subflows)} hint="Connections to the other gateway over this line" />
      </dl>
      <p class="soft foot">
        {roleInForce === role ? role : `${roleInForce} instead of ${role}`}: {path.roleReason}, for{" "}
        {ago(path.roleSince)}
        {controls.drill && roleInForce !== "disabled" && (
          <button
            class="small"
            title="Takes the line out for some seconds and back, and tells what the flows felt"
            disabled={!carries(path)}
            onClick={() => setDrilling(true)}
          >
            Drill
          </button>
        )}
      </p>
      {isDrilling && <DrillDialog path={path.name} colour={colour} onClose={() => setDrilling(false)} />}
    </article>
  );
}

interface FactProps {
  readonly name: string;
  readonly value: string;
  /** What the name means, where that is not plain. */
  readonly hint?: string;
}

function Fact({ name, value, hint }: FactProps) {
  return (
    <div title={hint}>
      <dt>{name}</dt>
      <dd>{value}</dd>
    </div>
  );
}

/** The round-trip time now against the least: what is beyond that is a queue on the line. */
function RoundTrip({ path: { rttMs, minRttMs } }: { readonly path: PathStatus }) {
  if (rttMs === null || minRttMs === null) return <p class="gauge soft">No round trip is known now</p>;
  const most = Math.max(rttMs, minRttMs * 2);
  const queue = Math.max(0, rttMs - minRttMs);
  return (
    <p class="gauge">
      <span>
        <span>
          Round trip <b>{formatMs(rttMs)} ms</b>
        </span>
        <span class="soft">least {formatMs(minRttMs)} ms</span>
      </span>
      <span class="meter" aria-hidden="true">
        <i class="least" style={{ flexGrow: minRttMs }} />
        <i class="queue" style={{ flexGrow: queue }} />
        <i style={{ flexGrow: Math.max(0, most - minRttMs - queue) }} />
      </span>
    </p>
  );
}

interface RoleProps {
  readonly path: PathStatus;
  readonly roles: Controls["roles"];
  readonly isLast: boolean;
}

function Role({ path: { name, role }, roles, isLast }: RoleProps) {
  const [problem, setProblem] = useState("");
  const [isAsking, setAsking] = useState(false);
  if (roles.length === 0) return <span class="role soft">{role}</span>;
  const change = async (wanted: string): Promise<void> => {
    try {
      await send("PATCH", `/api/paths/${encodeURIComponent(name)}`, { role: wanted });
      setProblem("");
    } catch (error) {
      setProblem(messageOf(error));
    }
  };
  return (
    <>
      <select
        class="role"
        aria-label={`Role of ${name}`}
        value={role}
        onChange={({ currentTarget: list }) => {
          if (list.value === "disabled" && isLast) setAsking(true);
          else void change(list.value);
          // It shows what is so: the next report brings the new role.
          list.value = role;
        }}
      >
        {roles.map((each) => (
          <option key={each}>{each}</option>
        ))}
      </select>
      {problem !== "" && (
        <span class="bad" role="alert">
          The role was not changed: {problem}
        </span>
      )}
      {isAsking && (
        <Dialog title="Disable the last line?" onClose={() => setAsking(false)}>
          <p>No other line is up. While {name} is disabled, the house is off line.</p>
          <p class="buttons">
            <button onClick={() => setAsking(false)}>Keep it</button>
            <button
              class="primary danger"
              onClick={() => {
                setAsking(false);
                void change("disabled");
              }}
            >
              Disable
            </button>
          </p>
        </Dialog>
      )}
    </>
  );
}

function ago(since: string): string {
  return formatAge((Date.now() - Date.parse(since)) / 1_000);
}
