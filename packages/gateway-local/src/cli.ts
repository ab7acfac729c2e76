import { run } from "./run.ts";
export async function main(argv: string[]): Promise<void> { await run(argv[4]!); process.exit(0); }
