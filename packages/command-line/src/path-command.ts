import { type GatewayApi, statusReportSchema } from "@hawser/status-api/client";
import { type RoleChange, sessionsOf } from "@hawser/status-api/model";
import { writeJson } from "./output.ts";
import { renderRoleChange } from "./render-list.ts";

export interface PathChange {
  readonly name: string;
  readonly role: string;
  /** The name of the program, for a command that undoes the change. */
  readonly program: string;
}

/** `path NAME ROLE`. @throws as `GatewayApi.ask` */
export async function pathCommand(api: GatewayApi, change: PathChange, json?: boolean): Promise<void> {
  const { name, role } = change;
  const answer = await api.ask(`/api/paths/${encodeURIComponent(name)}`, { method: "PATCH", body: { role } });
  if (json) writeJson(answer);
  else process.stdout.write(renderRoleChange(answer as RoleChange));
  if (role === "disabled") await warnOfLastLine(api, change);
}

/** Without a line the LAN is off line, and its user should not have to find that out. */
async function warnOfLastLine(api: GatewayApi, { name, program }: PathChange): Promise<void> {
  const report = statusReportSchema.parse(await api.ask("/api/status"));
  const paths = sessionsOf(report).flatMap((session) => session.paths);
  if (!paths.every((path) => path.role === "disabled")) return;
  process.stderr.write(
    `every line is disabled: nothing of the LAN is carried until: ${program} path ${name} active\n`,
  );
}
