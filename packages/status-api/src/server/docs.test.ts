import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { createLogger } from "@hawser/gateway-kit";
import { type Answer, ask as askAt, assertProblem, LISTEN, samplePages, sampleReport } from "../testing.ts";
import { docsPage } from "./docs-page.ts";
import { EventLog } from "./event-log.ts";
import { createStatusServer, type StatusServer } from "./server.ts";

/** All that the page loads, compressed: more than the dashboard, but only for whoever asks for it. Bytes. */
const MAX_SIZE = 550_000;

interface Document {
  readonly info: { readonly version: string };
  readonly paths: Record<string, Record<string, { requestBody?: { required: boolean }; responses: object }>>;
}

const source = { events: new EventLog(), status: () => sampleReport(), flows: () => [] };
const logger = createLogger({ role: "local", name: "test", level: "silent" });
let server: StatusServer;
before(async () => {
  server = await createStatusServer(source, { listen: LISTEN, pages: samplePages, logger });
});
after(() => server.close());

const ask = (path: string, headers = {}): Promise<Answer> => askAt(server.address.port, path, { headers });
const documentOf = async (): Promise<Document> => (await ask("/docs/json")).json() as Document;

test("each route of the server is in the OpenAPI document, with its answers and its body", async () => {
  const { info, paths } = await documentOf();
  assert.equal(info.version, sampleReport().version);
  const routes = Object.entries(paths).flatMap(([path, operations]) =>
    Object.keys(operations).map((method) => `${method.toUpperCase()} ${path}`),
  );
  assert.deepEqual(routes.sort(), [
    "DELETE /api/flows/{id}",
    "GET /",
    "GET /api",
    "GET /api/events",
    "GET /api/flows",
    "GET /api/history",
    "GET /api/logs",
    "GET /api/status",
    "GET /assets/{file}",
    "GET /docs",
    "GET /docs/assets/{file}",
    "GET /docs/json",
    "GET /healthz",
    "GET /metrics",
    "PATCH /api/paths/{name}",
    "POST /api/paths/{name}/drill",
    "POST /api/speedtest",
  ]);
  const answers = Object.keys(paths["/api/paths/{name}"]?.["patch"]?.responses ?? {});
  assert.deepEqual(answers, ["200", "4XX", "5XX"]);
  const mustHaveBody = (path: string): boolean | undefined => paths[path]?.["post"]?.requestBody?.required;
  assert.deepEqual([mustHaveBody("/api/paths/{name}/drill"), mustHaveBody("/api/speedtest")], [true, false]);
});

/** Names that scripts rely on: they stay, and others may come. */
const PROMISED = {
  path:
    "name state role subflows rttMs minRttMs sendRateBps receiveRateBps unackedBytes sentBytes receivedBytes " +
    "reinjectedBytes lastError since",
  session: "peer state flows bytes paths",
  flow: "id from to kind ageSeconds sentBytes receivedBytes paths",
};

interface Schema {
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly items?: Schema;
  readonly required?: readonly string[];
  readonly description?: string;
}

test("the document has the fields that are promised, and says what each means", async () => {
  const { paths } = await documentOf();
  const bodyOf = (path: string): Schema => {
    const answers = paths[path]?.["get"]?.responses as Record<
      string,
      { content: Record<string, { schema: Schema }> }
    >;
    return answers["200"]?.content["application/json"]?.schema ?? {};
  };
  const session = bodyOf("/api/status").properties?.["session"] ?? {};
  const path = session.properties?.["paths"]?.items ?? {};
  const flow = bodyOf("/api/flows").items ?? {};
  for (const [name, schema] of Object.entries({ path, session, flow })) {
    const promised = PROMISED[name as keyof typeof PROMISED].split(" ");
    for (const field of promised) assert.ok(schema.required?.includes(field), `${name}.${field}`);
  }
  for (const [field, { description }] of Object.entries({ ...path.properties, ...flow.properties }))
    assert.match(description ?? "", /^[A-Z].*\.$/, field);
});

test("the page holds the document without the gateway's version", async () => {
  const { text } = await ask("/docs");
  const json = /<script type="application\/json" id="openapi">(.*)<\/script>/.exec(text)?.[1] ?? "";
  const { info, ...held } = JSON.parse(json) as Document;
  const { info: told, ...document } = await documentOf();
  assert.deepEqual(held, document);
  assert.deepEqual({ ...info, version: told.version }, told);
  assert.equal(info.version, "v1");
});

test("the page loads only what its own server sends, and that is not much", async () => {
  const page = await ask("/docs");
  const wanted = [...page.text.matchAll(/<(?:link|script)\b[^>]* (?:href|src)="([^"]*)"/g)].map(
    ([, url = ""]) => url,
  );
  let size = page.text.length;
  for (const url of wanted.filter((each) => each !== "/assets/icon.svg")) {
    assert.match(url, /^\/docs\/assets\/[a-z-]+\.(css|js)$/);
    const plain = await ask(url);
    assert.equal(plain.status, 200, url);
    assert.match(String(plain.headers["content-type"]), /^text\/(css|javascript); charset=utf-8$/);
    if (url.endsWith(".css")) assert.doesNotMatch(plain.text, /@import|url\(["']?(?!data:|["'])/, url);
    const packed = await ask(url, { "accept-encoding": "gzip" });
    assert.equal(packed.headers["content-encoding"], "gzip", url);
    size += Number(packed.headers["content-length"]);
  }
  assert.equal(wanted.length, 5);
  assert.ok(size > 100_000 && size < MAX_SIZE, `${size} bytes`);
  const policy = String(page.headers["content-security-policy"]);
  assert.match(
    policy,
    /^default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; img-src 'self' data:;/,
  );
  assert.doesNotMatch(policy, /unsafe|https?:|\*/);
  assertProblem(await ask("/docs/assets/index.js"), 404, "there is no GET /docs/assets/index.js");
});

test("what stands in the document cannot end the element that holds it", () => {
  const { html } = docsPage({ info: { title: "</script><b>" } });
  assert.ok(html.includes('{"info":{"title":"\\u003c/script>\\u003cb>"}}'));
});
