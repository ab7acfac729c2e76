import assert from "node:assert/strict";
import { test } from "node:test";
import { CaptureProof } from "./capture-proof.ts";

for (const [what, samples, states] of [
  [
    "nothing comes",
    [
      [0, 0],
      [0, 0],
      [0, 0],
    ],
    "unproven unproven unproven",
  ],
  [
    "what is redirected arrives",
    [
      [0, 0],
      [2, 2],
      [2, 2],
      [9, 12],
    ],
    "unproven arrives arrives arrives",
  ],
  [
    "none arrives: after two samples that miss them",
    [
      [0, 0],
      [0, 4],
      [0, 4],
    ],
    "unproven unproven blocked",
  ],
  [
    "none arrives any more",
    [
      [5, 5],
      [9, 9],
      [9, 13],
      [9, 15],
    ],
    "arrives arrives arrives blocked",
  ],
  [
    "it is mended",
    [
      [0, 0],
      [0, 4],
      [0, 4],
      [1, 5],
      [1, 5],
    ],
    "unproven unproven blocked arrives arrives",
  ],
  [
    "redirected just before a sample, accepted just after it",
    [
      [5, 5],
      [5, 9],
      [9, 9],
    ],
    "arrives arrives arrives",
  ],
  [
    "one scan that does not finish its handshake",
    [
      [5, 5],
      [5, 6],
      [5, 6],
      [5, 7],
    ],
    "arrives arrives arrives arrives",
  ],
  [
    "counters of an earlier run",
    [
      [0, 500],
      [0, 500],
      [0, 500],
    ],
    "unproven unproven unproven",
  ],
  [
    "rules that were made anew",
    [
      [7, 500],
      [7, 0],
      [7, 4],
      [7, 4],
    ],
    "arrives arrives arrives blocked",
  ],
  [
    "rules that cannot be read",
    [
      [0, null],
      [0, null],
      [3, null],
    ],
    "unproven unproven arrives",
  ],
] as const) {
  test(what, () => {
    const proof = new CaptureProof();
    const seen = samples.map(([accepted, redirected]) => {
      proof.handleSample(accepted, redirected);
      return proof.state;
    });
    assert.equal(seen.join(" "), states);
  });
}
