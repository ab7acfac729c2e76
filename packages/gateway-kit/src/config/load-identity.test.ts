import assert from "node:assert/strict";
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { formatIdentity, generateSecret } from "@hawser/shared-protocol";
import { loadIdentity } from "./load-identity.ts";

const directory = mkdtempSync(join(tmpdir(), "hawser-identity-"));
after(() => rmSync(directory, { recursive: true }));

test("an identity file is read, unless others can read it or it is damaged", () => {
  const identity = generateSecret();
  const text = formatIdentity(identity);
  const file = join(directory, "identity.pem");
  writeFileSync(file, text, { mode: 0o600 });
  assert.ok(loadIdentity(file).equals(identity));
  chmodSync(file, 0o640);
  assert.throws(() => loadIdentity(file), { code: "SECRET_EXPOSED" });
  const short = join(directory, "short.pem");
  writeFileSync(short, text.replace(/^[A-Za-z0-9+/]{4}/m, ""), { mode: 0o600 });
  assert.throws(() => loadIdentity(short), {
    code: "IDENTITY_MALFORMED",
    message: `${short}: is not an identity: its body is not the base64 of 32 bytes`,
  });
});
