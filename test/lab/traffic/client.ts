/**
 * The client of the tests: `node client.ts TASK-JSON` (tasks.ts). It prints one JSON object a line; the last one is the
 * result. It exits with 0 whatever it has measured, and with 1 when it could not even try.
 */
import { Meter } from "./meter.ts";
import { connectRate, firstByte } from "./short.ts";
import type { Output, Task } from "./tasks.ts";
import { download, upload } from "./transfer.ts";

function print(output: Output): void {
  process.stdout.write(`${JSON.stringify(output)}\n`);
}

function perform(task: Task): Promise<unknown> {
  if (task.op === "firstByte") return firstByte(task);
  if (task.op === "connectRate") return connectRate(task);
  const meter = new Meter(task.skipMs);
  if (task.progressMs !== undefined) {
    const report = (): void => print({ progress: { ms: meter.elapsedMs, bytes: meter.bytes } });
    setInterval(report, task.progressMs).unref();
  }
  return task.op === "download" ? download(task, meter) : upload(task, meter);
}

print({ result: await perform(JSON.parse(process.argv[2] ?? "null") as Task) });
process.exit(0);
