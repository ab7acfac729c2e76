import assert from "node:assert/strict";
import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { z } from "zod";
import { CodedError, ConfigError } from "./errors.ts";
import { interfaceField, limitsField, listenField, nameField, refuseDuplicates } from "./fields.ts";
import { loadConfig, parseConfig } from "./load.ts";
import { readSecretFile } from "./secret-file.ts";
import { statusField } from "./status-config.ts";

const directory = mkdtempSync(join(tmpdir(), "hawser-config-"));
after(() => rmSync(directory, { recursive: true }));

const schema = z.strictObject({
  remote: z.union([z.string(), z.strictObject({ file: z.string() })]),
  path: z
    .array(
      z
        .strictObject({
          name: nameField,
          interface: interfaceField.optional(),
          subflows: z.int().min(1).max(16).default(1),
          role: z.enum(["active", "backup", "disabled"]).default("active"),
        })
        .refine((path) => path.interface !== undefined, "needs an interface"),
    )
    .min(1)
    .superRefine(refuseDuplicates("path", "name")),
  rules: z.boolean().default(true),
  listen: listenField.optional(),
  status: statusField("127.0.0.1:8080"),
  limits: limitsField,
});

const PATH = '[[path]]\nname = "a"\ninterface = "eth0"\n';

function errorOf(run: () => unknown): ConfigError {
  try {
    run();
  } catch (error) {
    assert.ok(error instanceof ConfigError);
    return error;
  }
  assert.fail("no error");
}

function messageOf(text: string): string {
  return withoutLines(errorOf(() => parseConfig(text, "local.toml", schema)).message);
}

test("a configuration, with its defaults, is frozen", () => {
  const config = parseConfig(`remote = "x"\n${PATH}[limits]\nmemory = "64MiB"\n`, "local.toml", schema);
  assert.deepEqual(config, {
    remote: "x",
    path: [{ name: "a", interface: "eth0", subflows: 1, role: "active" }],
    rules: true,
    status: { listen: { host: "127.0.0.1", port: 8080 } },
    limits: { memoryBytes: 67_108_864, drainSeconds: 10 },
  });
  assert.ok(
    Object.isFrozen(config) && Object.isFrozen(config.path[0]) && Object.isFrozen(config.status.listen),
  );
});

/** Of findings; where they stand is toml-text.test.ts's concern. */
function withoutLines(message: string): string {
  return message.replaceAll(/ \(line \d+\)$/gm, "");
}

test("a finding ends with its line, and a slip of TOML is told with its mend", () => {
  const said = (text: string): string =>
    errorOf(() => parseConfig(text, "local.toml", z.strictObject({ path: z.array(z.string()) }))).message;
  assert.equal(
    said('# a file\npath = "x"'),
    'local.toml: path: expected an array, found a string; write it in brackets: path = ["..."] (line 2)',
  );
  assert.equal(
    said("[path]\na = 1"),
    "local.toml: path: expected an array, found a table; write its header with two brackets: [[path]] (line 1)",
  );
  assert.equal(
    said("[path]\na = 1\n[path]\na = 2"),
    "local.toml: line 3, column 2: [path] is there already; an entry of a list is written with two brackets: [[path]]",
  );
  assert.match(
    said('path = ["a]\n'),
    /^local\.toml: line 1, column \d+: the string has no closing quote; write it between two of ", on one line$/,
  );
});

test("findings name the file, the key and the mend", () => {
  const golden: [string, string][] = [
    [
      'remote = "x"\n[[path]]\nname = "a"\ninterfaec = "ppp0"\n',
      'local.toml: path[0].interfaec: unknown key; did you mean "interface"?',
    ],
    [
      `remote = "x"\nzzz = 1\n${PATH}`,
      "local.toml: zzz: unknown key; known are remote, path, rules, listen, status, limits",
    ],
    [
      `remote = "x"\n"a b" = 1\n${PATH}`,
      'local.toml: "a b": unknown key; known are remote, path, rules, listen, status, limits',
    ],
    [
      `remote = { fiel = "x" }\n${PATH}`,
      'local.toml: remote.file: is required (a string)\nlocal.toml: remote.fiel: unknown key; did you mean "file"?',
    ],
    [`remote = 4\n${PATH}`, "local.toml: remote: expected a string or a table, found a whole number"],
    [PATH, "local.toml: remote: is required (a string or a table)"],
    ['remote = "x"\npath = []\n', "local.toml: path: needs at least 1"],
    ['remote = "x"\n[[path]]\nname = "a"\n', "local.toml: path[0]: needs an interface"],
    [
      `remote = "x"\n${PATH}${PATH}`,
      'local.toml: path[1].name: "a" is the name of an earlier one already (path[0])',
    ],
    [
      `remote = "x"\n${PATH}role = "bakcup"\n`,
      'local.toml: path[0].role: expected one of "active", "backup", "disabled"; did you mean "backup"?',
    ],
    [`remote = "x"\n${PATH}subflows = 17\n`, "local.toml: path[0].subflows: must be at most 16"],
    [
      `remote = "x"\n${PATH}subflows = 1.5\n`,
      "local.toml: path[0].subflows: expected a whole number, found a number",
    ],
    [`remote = "x"\nrules = "yes"\n${PATH}`, "local.toml: rules: expected true or false, found a string"],
    [
      `remote = "x"\n${PATH}[status]\nlisten = "8080"\n`,
      'local.toml: status.listen: "8080" is not HOST:PORT or [IPV6]:PORT',
    ],
    [
      `remote = "x"\n${PATH}[limits]\nmemory = "1MiB"\n`,
      "local.toml: limits.memory: must be at least 16777216 bytes",
    ],
    [`remote = "x"\n${PATH}[limits]\nmemory = 1\n`, "local.toml: limits.memory: must be at least 16777216"],
  ];
  for (const [text, message] of golden) assert.equal(messageOf(text), message);
});

test("every finding is told, one a line", () => {
  const error = errorOf(() => parseConfig('rules = 1\n[[path]]\nname = "a b"\n', "local.toml", schema));
  assert.deepEqual(
    error.findings.map(({ key }) => key),
    ["remote", "path[0].name", "rules"],
  );
  assert.equal(error.message.split("\n").length, 3);
  assert.equal(error.exitCode, 2);
});

test("what is not TOML is told by line and column, without quoting it", () => {
  const error = errorOf(() => parseConfig('a = 1\nremote = "hawser://home:SECRET@x\n', "local.toml", schema));
  assert.match(error.message, /^local\.toml: line 2, column \d+: [^\n]+$/);
  assert.ok(!error.message.includes("SECRET"));
  assert.equal(error.code, "CONFIG_SYNTAX");
  assert.equal(errorOf(() => parseConfig("__proto__ = 1", "local.toml", schema)).code, "CONFIG_SYNTAX");
});

test("a file that cannot be read", () => {
  const missing = errorOf(() => loadConfig(join(directory, "none.toml"), schema));
  assert.equal(missing.message, `${directory}/none.toml: does not exist; create it, or name another file`);
  assert.equal(missing.code, "CONFIG_UNREADABLE");
  assert.equal(
    errorOf(() => loadConfig(directory, schema)).message,
    `${directory}: is a directory; name a file in it`,
  );
});

test("a file with a secret must be its owner's alone", () => {
  const file = join(directory, "secret.toml");
  writeFileSync(file, `remote = "x"\n${PATH}`);
  const secretAt = (): string => "remote";
  for (const mode of [0o644, 0o640, 0o604, 0o620]) {
    chmodSync(file, mode);
    const error = errorOf(() => loadConfig(file, schema, { secretAt }));
    const octal = mode.toString(8);
    assert.equal(
      error.message,
      `${file}: remote: holds a secret, but group or others have access to it (mode 0${octal}); run: chmod 600 ${file}`,
    );
    assert.ok(error instanceof CodedError);
    assert.throws(() => readSecretFile(file), { code: "SECRET_EXPOSED" });
    assert.ok(loadConfig(file, schema, { secretAt: () => undefined }));
  }
  chmodSync(file, 0o600);
  assert.ok(loadConfig(file, schema, { secretAt }));
  assert.match(readSecretFile(file), /^remote/);
});

test("a secret must not be in a directory where others can put another in its place", () => {
  const shared = join(directory, "shared");
  const file = join(shared, "pairing.txt");
  const link = join(directory, "link.txt");
  mkdirSync(shared);
  writeFileSync(file, "secret", { mode: 0o600 });
  symlinkSync(file, link);
  for (const mode of [0o777, 0o775, 0o757]) {
    chmodSync(shared, mode);
    for (const name of [file, link]) {
      const expected = `${name}: holds a secret, but group or others can replace it (directory of mode 0${mode.toString(8)}); run: chmod go-w ${shared}`;
      assert.equal(errorOf(() => readSecretFile(name)).message, expected);
    }
  }
  for (const mode of [0o755, 0o1777]) {
    chmodSync(shared, mode);
    assert.equal(readSecretFile(file), "secret");
  }
});

test("a configuration without secrets may be read by everybody, but not changed", () => {
  const file = join(directory, "plain.toml");
  writeFileSync(file, `remote = "x"\n${PATH}`);
  chmodSync(file, 0o664);
  assert.ok(loadConfig(file, schema));
  chmodSync(file, 0o666);
  const expected = `${file}: can be changed by everybody (mode 0666); run: chmod o-w ${file}`;
  assert.equal(errorOf(() => loadConfig(file, schema)).message, expected);
  chmodSync(file, 0o644);
  chmodSync(directory, 0o777);
  const replaceable = `${file}: can be replaced by everybody (directory of mode 0777); run: chmod o-w ${directory}`;
  assert.equal(errorOf(() => loadConfig(file, schema)).message, replaceable);
  chmodSync(directory, 0o700);
});
