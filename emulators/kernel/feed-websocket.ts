/**
 * The live journal over WebSocket. One JSON text per event, {id, event, data}; with the subprotocol `backlot.batch` one per
 * batch, {id, events: [{event, data}]}. Nothing is expected from the viewer.
 */
import type { IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";
import { type WebSocket, WebSocketServer } from "ws";
import { afterReal } from "./clock.ts";
import type { FeedFrame, FeedReader } from "./feed.ts";

const goingAway = 1001;

export const batchProtocol = "backlot.batch";
/** After a small batch what comes is gathered for so long: a page draws at leisure, and every message wakes it. */
const gatherMs = 40;
const smallBatch = 32 * 1024;

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
    void show(reader, viewer, socket);
  });
}

/** Sends batch after batch, each when the one before has left: a viewer that does not read holds one batch and no more. */
async function show(reader: FeedReader, viewer: WebSocket, socket: Duplex): Promise<void> {
  for (;;) {
    const frames = await reader.next();
    if (!frames || viewer.readyState !== viewer.OPEN) break;
    if (viewer.protocol === batchProtocol) {
      const text = batchOf(frames);
      await new Promise<void>((resolve) => viewer.send(text, () => resolve()));
      if (text.length < smallBatch) await new Promise<void>((resolve) => afterReal(gatherMs, resolve));
    } else await sendEach(frames, viewer, socket);
  }
  reader.close();
  viewer.close(goingAway, "the feed has ended");
}

function sendEach(frames: readonly FeedFrame[], viewer: WebSocket, socket: Duplex): Promise<void> {
  return new Promise((resolve) => {
    const last = frames.length - 1;
    // One write for all of them: each wakes a sleeping viewer.
    socket.cork();
    for (const [index, frame] of frames.entries())
      viewer.send(messageOf(frame), index === last ? () => resolve() : undefined);
    socket.uncork();
  });
}

/** The position after the last of them is all that a viewer needs to go on. */
function batchOf(frames: readonly FeedFrame[]): string {
  const events = frames.map(({ event, data }) => `{"event":${JSON.stringify(event)},"data":${data ?? "null"}}`);
  return `{"id":${JSON.stringify(frames.at(-1)?.id)},"events":[${events.join(",")}]}`;
}

function messageOf({ id, event, data }: FeedFrame): string {
  return `{"id":${JSON.stringify(id)},"event":${JSON.stringify(event)},"data":${data ?? "null"}}`;
}
