/**
 * Which requests to switch protocols are the live journal's, and which a site's. WebSocket itself is loaded with the first
 * of them: most runs have none.
 */
import type { IncomingMessage, Server } from "node:http";
import type { Duplex } from "node:stream";
import type { FeedReader } from "./feed.ts";
import type { SiteSockets } from "./site-sockets.ts";

export interface FeedUpgrades {
  /** A reader for this request, or why it gets none: an HTTP status and a sentence. */
  open(incoming: IncomingMessage): Promise<FeedReader | { readonly status: number; readonly message: string }>;
}

interface Upgrade {
  readonly incoming: IncomingMessage;
  readonly socket: Duplex;
  readonly head: Buffer;
}

export const eventsPath = "/_backlot/events";
export const tooManyViewers = "Too many viewers watch the live journal; close some of them.";

/** Whether a request to switch protocols is for the feed; all others are answered as plain HTTP. */
export function wantsFeed(incoming: Pick<IncomingMessage, "url" | "headers">): boolean {
  return (
    incoming.headers.upgrade?.toLowerCase() === "websocket" && (incoming.url ?? "").replace(/\?.*$/s, "") === eventsPath
  );
}

/** Shows feeds on a server's sockets until the returned function is called. */
export function attachFeed(server: Server, upgrades: FeedUpgrades, sites?: SiteSockets): () => void {
  const closing = new AbortController();
  const watch = async (asked: Upgrade) => {
    const { incoming, socket } = asked;
    const [{ showFeed }, reader] = await Promise.all([import("./feed-websocket.ts"), upgrades.open(incoming)]);
    if ("status" in reader) return reject(socket, reader.status, reader.message);
    // A handshake that fails, or a client that goes away before or during it, opens no WebSocket that could close the reader.
    if (socket.destroyed || closing.signal.aborted) {
      reader.close();
      return reject(socket, 503, "The server is closing.");
    }
    socket.on("close", () => reader.close());
    showFeed({ ...asked, reader, closing: closing.signal });
  };
  const upgrade = (incoming: IncomingMessage, socket: Duplex, head: Buffer) => {
    socket.on("error", () => socket.destroy());
    if (sites?.wants(incoming)) {
      const refused = sites.refusal(incoming);
      if (refused !== undefined) return reject(socket, refused.status, refused.message);
      sites
        .open({ incoming, socket, head, closing: closing.signal })
        .catch((cause: unknown) => reject(socket, 500, String(cause)));
      return;
    }
    if (!wantsFeed(incoming)) return reject(socket, 404, `WebSocket is spoken at ${eventsPath} only.`);
    watch({ incoming, socket, head }).catch((cause: unknown) => reject(socket, 500, String(cause)));
  };
  server.on("upgrade", upgrade);
  return () => {
    server.off("upgrade", upgrade);
    closing.abort();
  };
}

const phrases: Readonly<Record<number, string>> = {
  400: "Bad Request",
  401: "Unauthorized",
  403: "Forbidden",
  404: "Not Found",
  421: "Misdirected Request",
  500: "Internal Server Error",
  503: "Service Unavailable",
};

function reject(socket: Duplex, status: number, message: string): void {
  const body = JSON.stringify({ error: "feed_refused", message });
  socket.end(
    `HTTP/1.1 ${status} ${phrases[status] ?? "Error"}\r\nConnection: close\r\nContent-Type: application/json\r\n` +
      `X-Content-Type-Options: nosniff\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
  );
}
