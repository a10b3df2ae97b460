/** The live journal over WebSocket. One JSON text per event: {id, event, data}; nothing is expected from the viewer. */
import type { IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";
import { type WebSocket, WebSocketServer } from "ws";
import type { FeedFrame, FeedReader } from "./feed.ts";

const goingAway = 1001;

export function showFeed(options: {
  readonly incoming: IncomingMessage;
  readonly socket: Duplex;
  readonly head: Buffer;
  readonly reader: FeedReader;
  /** Aborts when the server closes. */
  readonly closing: AbortSignal;
}): void {
  const { incoming, socket, head, reader, closing } = options;
  const handshakes = new WebSocketServer({
    noServer: true,
    clientTracking: false,
    maxPayload: 1_024,
    perMessageDeflate: false,
  });
  handshakes.handleUpgrade(incoming, socket, head, (viewer) => {
    const close = () => viewer.close(goingAway, "the server is closing");
    closing.addEventListener("abort", close, { once: true });
    viewer.on("error", () => viewer.terminate());
    viewer.on("close", () => closing.removeEventListener("abort", close));
    void show(reader, viewer);
  });
}

/** Sends batch after batch, each when the one before has left: a viewer that does not read holds one batch and no more. */
async function show(reader: FeedReader, viewer: WebSocket): Promise<void> {
  for (;;) {
    const frames = await reader.next();
    if (!frames || viewer.readyState !== viewer.OPEN) break;
    await new Promise<void>((resolve) => {
      const last = frames.length - 1;
      for (const [index, frame] of frames.entries())
        viewer.send(messageOf(frame), index === last ? () => resolve() : undefined);
    });
  }
  reader.close();
  viewer.close(goingAway, "the feed has ended");
}

function messageOf({ id, event, data }: FeedFrame): string {
  return `{"id":${JSON.stringify(id)},"event":${JSON.stringify(event)},"data":${data ?? "null"}}`;
}
