/** Other programs can read the OpenAPI document of a status server with the dashboard. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { dashboard } from "@hawser/dashboard";
import { createLogger } from "@hawser/gateway-kit";
import { createStatusServer, EventLog } from "@hawser/status-api";
import { ask, LISTEN, sampleReport } from "@hawser/status-api/testing";
import { Validator } from "@seriousme/openapi-schema-validator";

test("the OpenAPI document is valid by the schema of OpenAPI 3.1", async () => {
  const source = { events: new EventLog(), status: () => sampleReport(), flows: () => [] };
  const logger = createLogger({ role: "local", name: "test", level: "silent" });
  const server = await createStatusServer(source, { listen: LISTEN, pages: dashboard, logger });
  try {
    const document = (await ask(server.address.port, "/docs/json")).json() as { paths: object };
    const validator = new Validator();
    assert.deepEqual(await validator.validate(document), { valid: true });
    assert.equal(validator.version, "3.1");
    assert.equal((await validator.validate({ ...document, paths: { "/": { get: 1 } } })).valid, false);
  } finally {
    await server.close();
  }
});
