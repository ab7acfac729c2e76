import { useEffect, useRef, useState } from "preact/hooks";
import { formatTime } from "@hawser/status-api/model";
import type { About } from "@hawser/status-api/client";
import { type StatusReport, sessionsOf } from "@hawser/status-api/model";
import { hasToken, setToken } from "./api.ts";
import { Charts } from "./charts.tsx";
import { EventList } from "./event-list.tsx";
import { Flows } from "./flows.tsx";
import { Header } from "./header.tsx";
import { Lines } from "./lines.tsx";
import type { State, Store } from "./store.ts";
import { Summary } from "./summary.tsx";
import { useTheme } from "./theme.ts";

export function App({ store }: { readonly store: Store }) {
  const [state, setState] = useState(store.state);
  useEffect(() => store.subscribe(() => setState(store.state)), [store]);
  const [theme, changeTheme] = useTheme();
  const { report, about, link } = state;
  return (
    <>
      <Header state={state} theme={theme} onTheme={changeTheme} />
      <main>
        {link === "lost" && <Lost state={state} />}
        {link === "locked" && <TokenForm store={store} problem={state.problem} />}
        {link === "loading" && !report && <p class="notice">Asking the gateway…</p>}
        {report && about && <Content state={state} report={report} about={about} theme={theme} />}
      </main>
    </>
  );
}

function Lost({ state: { problem, reportAt } }: { readonly state: State }) {
  const since = reportAt && ` What is shown is from ${formatTime(reportAt)}.`;
  return (
    <p class="notice bad" role="alert">
      <strong>The gateway does not answer</strong> ({problem}). Trying again.{since}
    </p>
  );
}

function TokenForm({ store, problem }: { readonly store: Store; readonly problem: string }) {
  const token = useRef<HTMLInputElement>(null);
  const submit = (event: SubmitEvent): void => {
    event.preventDefault();
    setToken(token.current?.value.trim() ?? "");
    store.unlock();
  };
  return (
    <form class="card token" onSubmit={submit}>
      <h2>This gateway asks for its token</h2>
      {hasToken() && (
        <p class="bad" role="alert">
          The token was not accepted: {problem}
        </p>
      )}
      <label>
        Token
        <input ref={token} type="password" autocomplete="off" required autofocus />
      </label>
      <p class="soft">It is kept for this tab, until the tab is closed.</p>
      <button class="primary">Show the dashboard</button>
    </form>
  );
}

interface ContentProps {
  readonly state: State;
  readonly report: StatusReport;
  readonly about: About;
  readonly theme: string;
}

function Content({ state, report, about, theme }: ContentProps) {
  const sessions = sessionsOf(report);
  const [peer, setPeer] = useState("");
  // The newest, where a peer has two for a moment.
  const session = sessions.findLast((each) => each.peer === peer) ?? sessions.at(-1);
  return (
    <div class={state.link === "live" ? "content" : "content stale"}>
      {!session && <p class="notice">No local gateway is connected.</p>}
      {sessions.length > 1 && session && (
        <label class="peer">
          Gateway
          <select value={session.peer} onChange={(event) => setPeer(event.currentTarget.value)}>
            {[...new Set(sessions.map((each) => each.peer))].map((name) => (
              <option key={name}>{name}</option>
            ))}
          </select>
        </label>
      )}
      {session && (
        <>
          <Summary gateway={report.role} session={session} />
          <Charts state={state} gateway={report.role} session={session} theme={theme} />
          <Lines gateway={report.role} session={session} controls={about.controls} />
        </>
      )}
      <Flows tick={state.reportAt} sessions={sessions} canDisconnect={about.controls.disconnect} />
      <EventList events={state.events} showPeer={sessions.length > 1} />
    </div>
  );
}
