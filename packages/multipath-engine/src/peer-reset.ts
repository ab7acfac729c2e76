import { StreamCode } from "@hawser/shared-protocol";
import { MAX_RESETTING } from "./parameters.ts";
import type { SessionState } from "./state.ts";
import type { Stream } from "./stream.ts";

/**
 * What a peer's RESET does to a stream. A TCP connection that is reset still has what came before: its reader gets that
 * first, then the error. So a reset that stands for an application's own (code `reset`), on a stream that leads somewhere,
 * waits until what is in order has been consumed; its memory stays counted. The other codes act at once, and so does a
 * reset of a stream that this side's application has reset, too: nobody reads it.
 *
 * ```
 *  open --RESET, all consumed--------------------> gone ("reset")
 *    `----RESET, some to be read--> resetting --all consumed, or the application goes--^
 *                                 ("resetting")
 * ```
 */
export function takeReset(state: SessionState, stream: Stream, code: StreamCode): void {
  state.noteFailure(stream, code);
  const waits = code === StreamCode.reset && stream.bound && stream.resetsWith === undefined;
  if (!waits || stream.isConsumed || state.resetting.size >= MAX_RESETTING)
    return endWith(state, stream, code);
  stream.isResetting = true;
  state.resetting.add(stream.id);
  state.stopSending(stream);
  stream.window.stopGranting();
  // What the application still writes is for nobody. It may go on, as it must for its own end to be seen.
  if (stream.blocked) state.emit({ type: "writable", stream: stream.id });
  stream.blocked = false;
  state.emit({ type: "resetting", stream: stream.id });
}

/** The reader of a stream in `resetting` took some more. */
export function resetIfConsumed(state: SessionState, stream: Stream): void {
  if (stream.isConsumed) endWith(state, stream, StreamCode.reset);
}

function endWith(state: SessionState, stream: Stream, code: StreamCode): void {
  state.forget(stream);
  state.emit({ type: "reset", stream: stream.id, code });
}
