import { formatAge } from "@hawser/status-api/model";
import type { State } from "./store.ts";

interface Props {
  readonly state: State;
  readonly theme: string;
  readonly onTheme: () => void;
}

const LINKS = { loading: "Connecting", live: "Live", lost: "Lost, trying again", locked: "Locked" } as const;

export function Header({ state: { link, report }, theme, onTheme }: Props) {
  return (
    <header>
      <img src="/assets/icon.svg" alt="" width="30" height="30" />
      <h1>
        Hawser <small>{report ? `${report.role} gateway` : ""}</small>
      </h1>
      {report && (
        <span class="soft about">
          {report.version}, up {formatAge(report.uptimeSeconds)}
        </span>
      )}
      <span class={`link ${link}`} role="status">
        {LINKS[link]}
      </span>
      <nav aria-label="More">
        <a href="/docs">API</a>
        <a href="/metrics">Metrics</a>
        <button class="plain" onClick={onTheme} aria-label={`Use ${theme === "dark" ? "light" : "dark"} colours`}>
          {theme === "dark" ? "☀" : "☾"}
        </button>
      </nav>
    </header>
  );
}
