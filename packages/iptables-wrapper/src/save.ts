/** Reads what iptables-save prints. Whatever is not understood is left alone. */

/** One table as iptables-save prints it. */
export interface SavedTable {
  readonly name: string;
  readonly chains: string[];
  /** In the order in which they stand, chain by chain. */
  readonly rules: SavedRule[];
}

/** One rule as iptables-save prints it. */
export interface SavedRule {
  readonly chain: string;
  /** All after `-A CHAIN `, verbatim: what a `-D CHAIN ` needs. */
  readonly spec: string;
  readonly tokens: readonly Token[];
}

export interface Token {
  readonly text: string;
  readonly quoted: boolean;
}

/**
 * ```
 * *nat
 * :PREROUTING ACCEPT [0:0]
 * :HAWSER - [0:0]
 * [0:0] -A PREROUTING -i br-lan -m comment --comment "managed-by:HAWSER" -j HAWSER     (counters with -c)
 * COMMIT
 * ```
 */
export function parseSave(text: string): SavedTable[] {
  const tables: SavedTable[] = [];
  for (const line of text.split("\n")) {
    const current = tables.at(-1);
    if (line.startsWith("*")) tables.push({ name: line.slice(1).trim(), chains: [], rules: [] });
    else if (line.startsWith(":")) current?.chains.push(line.slice(1).split(" ")[0] ?? "");
    else {
      const rule = parseRuleLine(line);
      if (rule) current?.rules.push(rule);
    }
  }
  return tables;
}

/** A `-A CHAIN ...` line. */
export function parseRuleLine(line: string): SavedRule | undefined {
  const [, chain, spec] = /^(?:\[\d+:\d+\] )?-A (\S+) ?(.*?)\s*$/.exec(line) ?? [];
  if (chain === undefined || spec === undefined) return undefined;
  return { chain, spec, tokens: tokenize(spec) };
}

/** Splits at spaces; double quotes group, a backslash within them takes the next character as it is. */
export function tokenize(spec: string): Token[] {
  return Array.from(spec.matchAll(/"((?:[^"\\]|\\.)*)"|(\S+)/g), ([, quoted, bare]) =>
    quoted === undefined
      ? { text: bare ?? "", quoted: false }
      : { text: quoted.replace(/\\(.)/g, "$1"), quoted: true },
  );
}

/** Whether two rules say the same; old versions do not quote simple comments. */
export function sameRule(a: SavedRule, b: SavedRule): boolean {
  return (
    a.chain === b.chain &&
    a.tokens.length === b.tokens.length &&
    a.tokens.every((token, i) => token.text === b.tokens[i]?.text)
  );
}
