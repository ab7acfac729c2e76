import { mkdirSync, readFileSync, renameSync } from "node:fs";
import { open, rename } from "node:fs/promises";
import { join } from "node:path";
import { CodedError, ErrorCode, type Logger, systemCode, z } from "@hawser/shared-protocol/node";
import type { PeriodCount } from "./period.ts";

const bytes = z.number().min(0);
const fileSchema = z.object({
  version: z.literal(1),
  paths: z.array(
    z.object({
      name: z.string(),
      period: z.iso.date(),
      used: bytes,
      before: z.object({ period: z.iso.date(), used: bytes }).optional(),
    }),
  ),
});

export type Counts = ReadonlyMap<string, PeriodCount>;

/** The counts by path, in a file that is replaced as a whole: after a power cut it is the old one or the new one. */
export class QuotaFile {
  readonly #file: string;
  readonly #logger: Logger;

  constructor(folder: string, logger: Logger) {
    this.#file = join(folder, "quota.json");
    this.#logger = logger;
  }

  /** What was counted. No file is no count; one that cannot be read as such is put aside. @throws CodedError */
  load(): Counts {
    const text = this.#read();
    if (text === undefined) return new Map();
    const content = fileSchema.safeParse(parseJson(text));
    if (content.success) return new Map(content.data.paths.map(({ name, ...count }) => [name, count]));
    const aside = `${this.#file}.broken`;
    renameSync(this.#file, aside);
    this.#logger.error({ file: this.#file, aside }, "the quotas' counts cannot be read and begin anew");
    return new Map();
  }

  #read(): string | undefined {
    try {
      mkdirSync(join(this.#file, ".."), { recursive: true, mode: 0o700 });
      return readFileSync(this.#file, "utf8");
    } catch (error) {
      if (systemCode(error) === "ENOENT") return undefined;
      throw unwritable(this.#file, error);
    }
  }

  /** On the disk when it resolves. @throws CodedError STATE_UNWRITABLE */
  async save(counts: Counts): Promise<void> {
    const paths = [...counts].map(([name, count]) => ({ name, ...count }));
    const text = `${JSON.stringify({ version: 1, paths })}\n`;
    const fresh = `${this.#file}.new`;
    try {
      const handle = await open(fresh, "w", 0o600);
      try {
        await handle.writeFile(text);
        await handle.sync();
      } finally {
        await handle.close();
      }
      await rename(fresh, this.#file);
    } catch (error) {
      throw unwritable(this.#file, error);
    }
  }
}

function unwritable(file: string, error: unknown): CodedError {
  const why = error instanceof Error ? error.message : String(error);
  const mend = 'quotas need a folder that the gateway may write into; name one with state = "..."';
  return new CodedError(ErrorCode.stateUnwritable, `state: ${file}: ${why}; ${mend}`, { cause: error });
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
