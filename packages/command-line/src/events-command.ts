import type { GatewayApi } from "@hawser/status-api/client";
import type { GatewayEvent } from "@hawser/status-api/model";
import { followGateway } from "./follow-gateway.ts";
import { writeJson } from "./output.ts";
import { renderEvent } from "./render-list.ts";

export interface EventsOptions {
  readonly follow?: boolean;
  /** With `follow` one object a line. */
  readonly json?: boolean;
}

/** `events`. @throws as `GatewayApi.ask` */
export async function eventsCommand(api: GatewayApi, { follow, json }: EventsOptions): Promise<void> {
  if (follow) {
    return followGateway(api, "/api/events", ({ type, data }) => {
      if (type === "log")
        process.stdout.write(json ? `${data}\n` : renderEvent(JSON.parse(data) as GatewayEvent));
    });
  }
  const events = (await api.ask("/api/events")) as GatewayEvent[];
  if (json) writeJson(events);
  else process.stdout.write(events.map(renderEvent).join(""));
}
