/** The pages of this repository, as what tests ask of them: links, headings, and what stands in code. */
import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { ROOT } from "./packages.ts";

export interface Page {
  /** Relative to the repository. */
  readonly file: string;
  readonly links: readonly string[];
  /** As a link names them, behind the `#`. */
  readonly anchors: ReadonlySet<string>;
  /** What stands in backquotes on a line, a code block's lines each. */
  readonly code: readonly string[];
}

export function readPages(): Page[] {
  return globSync(["*.md", "{docs,packages,test,deploy}/**/*.md"], {
    cwd: ROOT,
    exclude: (name) => name.split("/").includes("node_modules"),
  })
    .sort()
    .map(readPage);
}

const FENCE = /^ *```.*\n([\s\S]*?)^ *```$/gm;
/** `[text](target)`, `![text](target)`, and the pictures of HTML. */
const LINK = /\]\(([^)\s]+)\)|\b(?:src|srcset|href)="([^"]+)"/g;

function readPage(file: string): Page {
  const text = readFileSync(join(ROOT, file), "utf8");
  const blocks = [...text.matchAll(FENCE)].flatMap(([, block = ""]) => block.split("\n"));
  const prose = text.replaceAll(FENCE, "");
  const spans = [...prose.matchAll(/`([^`]+)`/g)].map(([, span = ""]) => span.replaceAll(/\s+/g, " "));
  const links = [...prose.replaceAll(/`[^`]*`/g, "").matchAll(LINK)].map(([, a, b]) => a ?? b ?? "");
  return { file, links, anchors: anchorsOf(prose), code: [...blocks, ...spans] };
}

/** As GitHub makes them of headings: letters, digits, hyphens; of several alike the later ones are numbered. */
function anchorsOf(prose: string): Set<string> {
  const anchors = new Set<string>();
  for (const [, heading = ""] of prose.matchAll(/^#{1,6} +(.+)$/gm)) {
    const plain = heading.replaceAll(/\[([^\]]*)\]\([^)]*\)/g, "$1");
    const slug = plain
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N}\s_-]/gu, "")
      .trim()
      .replaceAll(" ", "-");
    let anchor = slug;
    for (let number = 1; anchors.has(anchor); number++) anchor = `${slug}-${number}`;
    anchors.add(anchor);
  }
  return anchors;
}
