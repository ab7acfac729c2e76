import { useEffect, useState } from "preact/hooks";
import { formatAge, formatBytes } from "@hawser/status-api/model";
import type { FlowQuery } from "@hawser/status-api/client";
import type { FlowStatus, SessionStatus } from "@hawser/status-api/model";
import { messageOf, request, send } from "./api.ts";
import { colourOf, Dialog, ShareBar } from "./parts.tsx";

/** Rows shown before the user asks for more; the gateway searches and sorts among all. */
const PAGE = 25;

type SortKey = NonNullable<FlowQuery["sort"]>;
interface Sort {
  readonly key: SortKey;
  readonly order: "asc" | "desc";
}
interface Wanted {
  readonly search: string;
  readonly sort: Sort;
  readonly rows: number;
}
interface Found {
  readonly flows: readonly FlowStatus[];
  readonly total: number;
}

const COLUMNS: readonly { readonly title: string; readonly key: SortKey; readonly isNumber: boolean }[] = [
  { title: "From", key: "from", isNumber: false },
  { title: "To", key: "to", isNumber: false },
  { title: "Kind", key: "kind", isNumber: false },
  { title: "Age", key: "ageSeconds", isNumber: true },
  { title: "Download", key: "receivedBytes", isNumber: true },
  { title: "Upload", key: "sentBytes", isNumber: true },
];

interface Props {
  /** Changes with every report: the list is asked for again. */
  readonly tick: Date | undefined;
  /** Whose lines have the colours. */
  readonly sessions: readonly SessionStatus[];
  readonly canDisconnect: boolean;
}

export function Flows({ tick, sessions, canDisconnect }: Props) {
  const [search, setSearch] = useState("");
  const [sort, setSort] = useState<Sort>({ key: "receivedBytes", order: "desc" });
  const [cutting, setCutting] = useState<FlowStatus>();
  const [rows, setRows] = useState(PAGE);
  const found = useFlows({ search, sort, rows }, tick);
  return (
    <section aria-labelledby="flows">
      <div class="head">
        <h2 id="flows">Flows</h2>
        <span class="soft" role="status">
          {countOf(found)}
        </span>
        <label class="search">
          Search
          <input
            type="search"
            aria-label="Search flows by address, kind or line"
            value={search}
            onInput={(event) => setSearch(event.currentTarget.value)}
          />
        </label>
      </div>
      <div class="card table">
        {found?.flows.length === 0 && (
          <p class="soft">{search === "" ? "No flow is open." : "No flow is like that."}</p>
        )}
        {found && found.flows.length > 0 && (
          <table>
            <Head sort={sort} onSort={setSort} />
            <tbody>
              {found.flows.map((flow) => (
                <Row
                  key={flow.id}
                  flow={flow}
                  sessions={sessions}
                  onCut={canDisconnect ? () => setCutting(flow) : undefined}
                />
              ))}
            </tbody>
          </table>
        )}
        {found && found.total > rows && (
          <button class="small" onClick={() => setRows(rows * 4)}>
            More flows
          </button>
        )}
      </div>
      {cutting && <CutDialog flow={cutting} onClose={() => setCutting(undefined)} />}
    </section>
  );
}

/** What the gateway finds, again at every tick. A slow answer never replaces a later one. */
function useFlows({ search, sort: { key, order }, rows }: Wanted, tick: Date | undefined): Found | undefined {
  const [found, setFound] = useState<Found>();
  useEffect(() => {
    let isWanted = true;
    const query = new URLSearchParams({ search, sort: key, order, limit: String(rows) });
    request(`/api/flows?${query}`)
      .then(async (answer) => {
        const flows = (await answer.json()) as FlowStatus[];
        if (isWanted) setFound({ flows, total: Number(answer.headers.get("x-total-count")) });
      })
      // The stream of reports has the same trouble, and says so.
      .catch(() => undefined);
    return () => {
      isWanted = false;
    };
  }, [search, key, order, rows, tick]);
  return found;
}

function countOf(found: Found | undefined): string {
  if (!found) return "";
  const { flows, total } = found;
  return total > flows.length ? `${flows.length} of ${total}` : String(total);
}

function Head({ sort, onSort }: { readonly sort: Sort; readonly onSort: (sort: Sort) => void }) {
  const next = (key: SortKey, isNumber: boolean): Sort["order"] => {
    if (sort.key !== key) return isNumber ? "desc" : "asc";
    return sort.order === "asc" ? "desc" : "asc";
  };
  return (
    <thead>
      <tr>
        {COLUMNS.map(({ title, key, isNumber }) => (
          <th
            key={key}
            class={isNumber ? "num" : ""}
            aria-sort={sort.key !== key ? "none" : sort.order === "asc" ? "ascending" : "descending"}
          >
            <button class="plain" onClick={() => onSort({ key, order: next(key, isNumber) })}>
              {title}
            </button>
          </th>
        ))}
        <th>Lines</th>
        <th>
          <span class="hidden">Actions</span>
        </th>
      </tr>
    </thead>
  );
}

interface RowProps {
  readonly flow: FlowStatus;
  readonly sessions: readonly SessionStatus[];
  readonly onCut: (() => void) | undefined;
}

function Row({ flow, sessions, onCut }: RowProps) {
  const { from, to, kind, peer, ageSeconds, sentBytes, receivedBytes, paths } = flow;
  const session = sessions.find((each) => each.peer === peer);
  const shares = paths.map((share) => ({
    name: share.name,
    bytes: share.sentBytes + share.receivedBytes,
    colour: colourOf(Math.max(0, session?.paths.findIndex(({ name }) => name === share.name) ?? 0)),
  }));
  return (
    <tr>
      <td data-title="From">
        {sessions.length > 1 && <b>{peer} </b>}
        {from}
      </td>
      <td data-title="To">{to}</td>
      <td data-title="Kind">{kind}</td>
      <td data-title="Age" class="num">
        {formatAge(ageSeconds)}
      </td>
      <td data-title="Download" class="num">
        {formatBytes(receivedBytes)}
      </td>
      <td data-title="Upload" class="num">
        {formatBytes(sentBytes)}
      </td>
      <td data-title="Lines">
        <ShareBar shares={shares} label="Lines" />
      </td>
      <td>
        {onCut && (
          <button class="plain cut" aria-label={`Disconnect ${from} from ${to}`} title="Disconnect" onClick={onCut}>
            ✕
          </button>
        )}
      </td>
    </tr>
  );
}

function CutDialog({ flow, onClose }: { readonly flow: FlowStatus; readonly onClose: () => void }) {
  const [problem, setProblem] = useState("");
  const cut = async (): Promise<void> => {
    try {
      await send("DELETE", `/api/flows/${encodeURIComponent(flow.id)}`);
      onClose();
    } catch (error) {
      setProblem(messageOf(error));
    }
  };
  return (
    <Dialog title="Disconnect this flow?" onClose={onClose}>
      <p>
        {flow.from} to {flow.to}: both ends see their connection reset.
      </p>
      {problem !== "" && (
        <p class="bad" role="alert">
          It was not disconnected: {problem}
        </p>
      )}
      <p class="buttons">
        <button onClick={onClose}>Keep it</button>
        <button class="primary danger" onClick={() => void cut()}>
          Disconnect
        </button>
      </p>
    </Dialog>
  );
}
