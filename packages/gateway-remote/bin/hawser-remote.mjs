#!/usr/bin/env -S node --max-semi-space-size=2
// Small young generation: the buffers that traffic comes in are used again while a CPU cache still holds them, which
// measures as a fifth less CPU per byte.
import { main } from "../dist/cli.js";

await main(process.argv);
