import type { FlowQuery, FlowStatus } from "../schemas/flows.ts";

export interface FlowList {
  readonly flows: readonly FlowStatus[];
  /** How many flows match; the limit may leave some of them out. */
  readonly total: number;
}

/** The flows that a query asks for: a page that shows fifty need not load thousands. */
export function listFlows(all: readonly FlowStatus[], { search, sort, order, limit }: FlowQuery): FlowList {
  const wanted = search?.trim().toLowerCase() ?? "";
  const found = wanted === "" ? [...all] : all.filter((flow) => textOf(flow).includes(wanted));
  if (sort) {
    const sign = order === "desc" ? -1 : 1;
    found.sort((a, b) => sign * compare(a[sort], b[sort]));
  }
  return { flows: limit === undefined ? found : found.slice(0, Number(limit)), total: found.length };
}

function textOf({ from, to, kind, peer = "", paths }: FlowStatus): string {
  return [from, to, kind, peer, ...paths.map(({ name }) => name)].join("\n").toLowerCase();
}

function compare(a: string | number, b: string | number): number {
  if (typeof a === "number" && typeof b === "number") return a - b;
  return String(a).localeCompare(String(b), "en", { numeric: true });
}
