/** What an operator reads while a line misbehaves: the status, the last events of both gateways, the doctor's findings. */
import {
  formatMs,
  formatRate,
  type GatewayEvent,
  homeRates,
  type PathStatus,
} from "@hawser/status-api/model";
import type { Gateway, Hawser } from "../../lab/hawser.ts";

const LAST_EVENTS = 8;

export interface Reading {
  /** At which point of the story. */
  readonly when: string;
  readonly paths: readonly PathStatus[];
  readonly events: Readonly<Record<"local" | "remote", readonly GatewayEvent[]>>;
  readonly findings: readonly Finding[];
}

/** As `hawser-local doctor --json` prints it. */
export interface Finding {
  readonly level: "ok" | "note" | "bad";
  readonly subject: string;
  readonly text: string;
  readonly mend?: string;
}

export async function readAll(hawser: Hawser, when: string): Promise<Reading> {
  const { session } = await hawser.status();
  const [local, remote] = [await eventsOf(hawser.local), await eventsOf(hawser.remote)];
  return { when, paths: session.paths, events: { local, remote }, findings: await examine(hawser) };
}

/** All events of a gateway, the oldest first. */
export async function eventsOf(gateway: Gateway): Promise<GatewayEvent[]> {
  return (await gateway.get("/api/events")) as GatewayEvent[];
}

async function examine(hawser: Hawser): Promise<Finding[]> {
  const output = await hawser.runLocal(["doctor", "--json"]).then(
    ({ stdout }) => stdout,
    // It ends with 1 when something is bad, which the message tells before the output.
    (error: unknown) => (error as Error).message,
  );
  const start = output.indexOf("[");
  if (start < 0) throw new Error(`the doctor says nothing: ${output}`);
  return JSON.parse(output.slice(start)) as Finding[];
}

/** What of a reading is about lines, and what is bad besides. */
export function renderReading({ when, paths, events, findings }: Reading): string {
  const told = findings.filter(
    ({ level, subject }) =>
      level === "bad" || (subject.startsWith("path ") && !subject.includes("interface")),
  );
  return [
    `  what an operator reads ${when}:`,
    ...paths.map(renderPath),
    ...(["local", "remote"] as const).flatMap((gateway) => renderEvents(gateway, events[gateway])),
    ...told.flatMap(({ level, subject, text, mend }) => [
      `    doctor: ${level} ${subject}: ${text}`,
      ...(mend === undefined ? [] : [`      -> ${mend}`]),
    ]),
  ].join("\n");
}

function renderPath(path: PathStatus): string {
  const { down, up } = homeRates("local", path);
  const told = [
    path.inUse ? path.state : `${path.state}, not in use`,
    `${formatRate(down)} down, ${formatRate(up)} up, round trip ${formatMs(path.rttMs)} ms`,
    ...(path.lastError === null ? [] : [`last error: ${path.lastError}`]),
  ];
  return `    path ${path.name}: ${told.join("; ")}`;
}

function renderEvents(gateway: string, events: readonly GatewayEvent[]): string[] {
  const types = new Map<string, number>();
  for (const { type } of events) types.set(type, (types.get(type) ?? 0) + 1);
  const counts = [...types].map(([type, number]) => `${number} ${type}`).join(", ");
  return [
    `    events of the ${gateway} gateway: ${counts}`,
    ...events
      .slice(-LAST_EVENTS)
      .map(
        ({ time, type, path, message }) => `      ${time.slice(11, 23)} ${type} ${path ?? ""}: ${message}`,
      ),
  ];
}
