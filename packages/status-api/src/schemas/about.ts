/** What the server says of itself: `GET /api`, `GET /healthz`, and why it refuses a request. */

import { z } from "zod";
import { number, type Shape, text, yes } from "./shape.ts";
import { pathRole } from "./status.ts";

/** The version of the API: of `/api/v1`. */
export const API_VERSION = 1;

export const about = z.object({
  apiVersion: z.literal(API_VERSION),
  gateway: z.enum(["local", "remote"]),
  version: text("The program's."),
  controls: z
    .object({
      roles: z
        .array(pathRole)
        .meta({ description: "The roles that a path may be given; none where roles cannot be changed." }),
      disconnect: yes("Whether flows can be cut."),
      drill: yes("Whether a path can be taken out on trial."),
      speedtest: yes("Whether speeds can be measured."),
    })
    .meta({ description: "What this gateway lets its user do." }),
});
/** What a gateway says of itself, and what its user may ask of it. */
export type About = Shape<typeof about>;

export const health = z.object({
  status: z.enum(["up", "down"]),
  reason: z
    .string()
    .optional()
    .meta({ description: "Why. This field and the next ones are told to who shows the token." }),
  pathsUp: z.number().optional().meta({ description: "Paths that are up." }),
  paths: z.number().optional().meta({ description: "All paths." }),
});
export type Health = Shape<typeof health>;

/** RFC 9457. */
export const problem = z.object({
  type: text("about:blank: the status says what kind of problem it is."),
  title: text("What the status means."),
  status: number("The answer's status code."),
  detail: text("What is wrong, and how to mend it."),
});
/** What is wrong with a request. */
export type Problem = Shape<typeof problem>;
