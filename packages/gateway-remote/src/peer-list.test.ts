import assert from "node:assert/strict";
import { test } from "node:test";
import type { PathStatus, RemoteStatusReport } from "@hawser/status-api/model";
import { renderPeers, withPresence } from "./peer-list.ts";

const path = (state: string) => ({ name: state, state }) as PathStatus;
const report = {
  role: "remote",
  sessions: [
    { peer: "home", paths: [path("up"), path("down")] },
    { peer: "lake", paths: [path("down")] },
  ],
} as unknown as RemoteStatusReport;

test("the list says which peers are connected, and with how many lines", () => {
  const peers = withPresence(["home", "lake", "office"], report);
  assert.deepEqual(peers, [
    { name: "home", connected: true, linesUp: 1, lines: 2 },
    { name: "lake", connected: false, linesUp: 0, lines: 1 },
    { name: "office", connected: false, linesUp: 0, lines: 0 },
  ]);
  assert.equal(
    renderPeers(peers),
    "home    connected, 1 of 2 lines up\nlake    not connected\noffice  not connected\n",
  );
});

test("without a running gateway it is not known who is connected", () => {
  const peers = withPresence(["home"], undefined);
  assert.deepEqual(peers, [{ name: "home", connected: null }]);
  assert.equal(renderPeers(peers), "home\n");
  assert.equal(renderPeers([]), "");
});
