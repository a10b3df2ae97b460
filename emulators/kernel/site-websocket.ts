/** One WebSocket of a provider's own; loaded with the first of them. */
import type { IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";
import { WebSocketServer } from "ws";
import type { SocketPeer } from "./site-sockets.ts";

const goingAway = 1001;
/** A viewer that reads more slowly than mail comes is cut before it holds more than this. */
const mostBuffered = 64 * 2 ** 20;

export function acceptPeer(
  options: {
    readonly incoming: IncomingMessage;
    readonly socket: Duplex;
    readonly head: Buffer;
    /** Aborts when the server closes. */
    readonly closing: AbortSignal;
  },
  opened: (peer: SocketPeer) => void,
): void {
  const { incoming, socket, head, closing } = options;
  const handshakes = new WebSocketServer({
    noServer: true,
    clientTracking: false,
    maxPayload: 2 ** 20,
    perMessageDeflate: false,
  });
  handshakes.handleUpgrade(incoming, socket, head, (viewer) => {
    const close = () => viewer.close(goingAway, "the server is closing");
    closing.addEventListener("abort", close, { once: true });
    viewer.on("error", () => viewer.terminate());
    viewer.on("close", () => closing.removeEventListener("abort", close));
    opened({
      query: new URLSearchParams((incoming.url ?? "").replace(/^[^?]*\??/s, "")),
      send(text) {
        if (viewer.readyState !== viewer.OPEN) return;
        if (viewer.bufferedAmount > mostBuffered) viewer.terminate();
        else viewer.send(text);
      },
      onText: (action) => void viewer.on("message", (data) => action(String(data))),
      onClose: (action) => void viewer.on("close", action),
      close: () => viewer.close(),
    });
  });
}
