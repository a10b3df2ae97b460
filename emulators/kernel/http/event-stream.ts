/** Server-sent events, written and read (https://html.spec.whatwg.org/multipage/server-sent-events.html). */
import type { FeedFrame, FeedReader } from "../feed.ts";

/** How long a browser waits before it connects again. */
const retryMs = 1_000;

export function writeFrame({ id, event, data }: FeedFrame): string {
  // Without data nothing is dispatched, but the id is remembered: a viewer that is cut off before its first event goes on.
  return data === undefined ? `id: ${id}\n\n` : `id: ${id}\nevent: ${event}\ndata: ${data}\n\n`;
}

/** The stream pulls: while the client takes nothing, nothing is read from the feed. */
export function eventStream(reader: FeedReader): ReadableStream<Uint8Array> {
  const encoder = new TextEncoder();
  let text = `retry: ${retryMs}\n\n`;
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        const frames = await reader.next();
        if (!frames) {
          controller.close();
          return;
        }
        for (const frame of frames) text += writeFrame(frame);
        controller.enqueue(encoder.encode(text));
        text = "";
      },
      cancel() {
        reader.close();
      },
    },
    { highWaterMark: 0 },
  );
}

export const eventStreamHeaders = {
  "content-type": "text/event-stream; charset=utf-8",
  // A proxy that gathers the stream would show events late or never.
  "x-accel-buffering": "no",
} as const;

/** Reads frames until the stream ends or `closing` aborts, which cancels it. Throws what the stream throws. */
export async function* readFrames(body: ReadableStream<Uint8Array>, closing: AbortSignal): AsyncGenerator<FeedFrame> {
  const decoder = new TextDecoder();
  const reader = body.getReader();
  const cancel = () => void reader.cancel().catch(() => {}); // a stream that has failed already needs no cancelling
  closing.addEventListener("abort", cancel, { once: true });
  let rest = "";
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done || closing.aborted) return;
      const blocks = (rest + decoder.decode(value, { stream: true })).split("\n\n");
      rest = blocks.pop() ?? "";
      for (const block of blocks) {
        const frame = readFrame(block);
        if (frame) yield frame;
      }
    }
  } finally {
    closing.removeEventListener("abort", cancel);
    cancel();
  }
}

function readFrame(text: string): FeedFrame | undefined {
  const fields = new Map(
    text.split("\n").map((line) => {
      const colon = line.indexOf(": ");
      return [line.slice(0, colon), line.slice(colon + 2)];
    }),
  );
  const [id, event, data] = [fields.get("id"), fields.get("event"), fields.get("data")];
  if (id === undefined) return undefined;
  return data === undefined ? { id, event: "position" } : { id, event: event ?? "message", data };
}
