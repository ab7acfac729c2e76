/** One finding of `hawser-local doctor`. With a `bad` one the exit code is 1, with a `note` it is 0. */
export interface Finding {
  readonly level: "ok" | "note" | "bad";
  /** What was checked: `path adsl1: route`. */
  readonly subject: string;
  readonly text: string;
  /** How to mend it. */
  readonly mend?: string;
}

export function ok(subject: string, text: string): Finding {
  return { level: "ok", subject, text };
}

export function note(subject: string, text: string, mend: string): Finding {
  return { level: "note", subject, text, mend };
}

export function bad(subject: string, text: string, mend: string): Finding {
  return { level: "bad", subject, text, mend };
}

/** One or two lines: the finding, and its mend indented below. */
export function renderFinding({ level, subject, text, mend }: Finding): string {
  const mark = { ok: "ok  ", note: "note", bad: "BAD " }[level];
  return `${mark} ${subject}: ${text}${mend === undefined ? "" : `\n       -> ${mend}`}`;
}

/** The last line: `9 ok, 1 note, 2 bad`. */
export function renderSummary(findings: readonly Finding[]): string {
  const count = (level: Finding["level"]): number => findings.filter((each) => each.level === level).length;
  const notes = count("note");
  return `${count("ok")} ok, ${notes} ${notes === 1 ? "note" : "notes"}, ${count("bad")} bad`;
}
