/** HTTP and HTTPS sockets: bounded headers and waits, and a close that ends within its deadline. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { createServer as createTlsServer } from "node:https";
import type { AddressInfo, Socket } from "node:net";
import type { Duplex } from "node:stream";
import type { TLSSocket } from "node:tls";
import type { Certificates } from "./certificates.ts";
import { afterReal } from "./clock.ts";
import { wantsFeed } from "./feed-upgrade.ts";
import { plainBelow, speaksTls } from "./plain-on-tls.ts";

export interface Served {
  readonly port: number;
  readonly server: Server;
  /** Stops accepting, lets answers under way finish, and cuts what is left at the deadline. */
  close(deadlineMs: number): Promise<void>;
}

/** Waits that end slow-loris clients, and the header limit, are Node's own mechanisms set tighter than its defaults. */
export const limits = {
  maxHeaderSize: 32 * 1024,
  headersTimeout: 10_000,
  requestTimeout: 120_000,
  keepAliveTimeout: 65_000,
  connectionsCheckingInterval: 2_000,
  // Only the feed and a site's own sockets speak another protocol. Clients that offer HTTP/2 (Java's, by default) are answered as if they had not.
  shouldUpgradeCallback: wantsFeed,
};
export type ServeLimits = Partial<Omit<typeof limits, "shouldUpgradeCallback">>;

export async function serve(options: {
  readonly host: string;
  readonly port: number;
  readonly certificates: Certificates | undefined;
  readonly handle: (incoming: IncomingMessage, outgoing: ServerResponse) => void;
  /** What the setting is called, for the message when the port is taken. */
  readonly setting: string;
  /** Other waits and sizes than the defaults. */
  readonly limits?: ServeLimits;
  /** Requests to switch protocols that are taken besides the feed's. */
  readonly switches?: (incoming: Pick<IncomingMessage, "url" | "headers">) => boolean;
}): Promise<Served> {
  const { certificates, switches } = options;
  const bounds = {
    ...limits,
    // A request without a body has no stream to end: of four turns of its life none is left. Unknown before Node 24.10.
    optimizeEmptyRequests: true,
    ...options.limits,
    ...(switches && {
      shouldUpgradeCallback: (incoming: IncomingMessage) => wantsFeed(incoming) || switches(incoming),
    }),
  };
  const server = certificates
    ? createTlsServer(
        {
          ...bounds,
          ...certificates.leafFor(undefined),
          minVersion: "TLSv1.2",
          handshakeTimeout: bounds.headersTimeout,
          SNICallback: (name, done) => {
            try {
              done(null, certificates.contextFor(name));
            } catch (cause) {
              done(cause as Error);
            }
          },
        },
        options.handle,
      )
    : createServer(bounds, options.handle);
  const sockets = new Set<Socket>();
  const track = (socket: Socket) => {
    sockets.add(socket);
    socket.on("close", () => sockets.delete(socket));
  };
  server.on(certificates ? "secureConnection" : "connection", (socket: Socket) => {
    track(socket);
    socket.setNoDelay(true);
  });
  if (certificates) {
    // Below TLS: one that never gets through its handshake is closed with the others.
    server.on("connection", track);
    server.on("tlsClientError", (cause: NodeJS.ErrnoException, failed: TLSSocket) => {
      const socket = plainBelow(cause, failed, sockets);
      if (socket) endSoon(socket, speaksTls(`https://${localName(socket)}:${socket.localPort}.`));
    });
  }
  server.on("clientError", refuseUnusable);
  await listen(server, options);
  return {
    port: (server.address() as AddressInfo).port,
    server,
    close: (deadlineMs) =>
      new Promise((resolve) => {
        const cut = afterReal(
          deadlineMs,
          () => {
            for (const socket of sockets) socket.destroy();
          },
          true,
        );
        server.close(() => {
          cut();
          resolve();
        });
        server.closeIdleConnections();
      }),
  };
}

/** The address that a client on this machine used; what others called it is not known below TLS. */
function localName({ localAddress = "" }: Socket): string {
  const address = localAddress.replace(/^::ffff:/, "");
  if (address.startsWith("127.")) return address;
  return address === "::1" ? "[::1]" : "<the same host>";
}

/** What is no HTTP request is told so, and its connection ends. */
export function refuseUnusable(cause: NodeJS.ErrnoException, socket: Duplex): void {
  if (cause.code === "ECONNRESET" || !socket.writable) return void socket.destroy();
  const status =
    cause.code === "HPE_HEADER_OVERFLOW"
      ? "431 Request Header Fields Too Large"
      : cause.code === "ERR_HTTP_REQUEST_TIMEOUT"
        ? "408 Request Timeout"
        : "400 Bad Request";
  const body = JSON.stringify({
    error: "bad_request",
    message: `This is not a usable HTTP request (${cause.code ?? cause.message}).`,
  });
  endSoon(
    socket,
    `HTTP/1.1 ${status}\r\nConnection: close\r\nContent-Type: application/json\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
  );
}

const lingerMs = 1_000;

/** Last words: what still comes is read and dropped, and a client that does not close is closed. */
export function endSoon(socket: Duplex, bytes: string | Uint8Array): void {
  const cut = afterReal(lingerMs, () => socket.destroy());
  socket.once("close", cut);
  socket.end(bytes);
  socket.resume();
}

export function listen(
  server: {
    listen(port: number, host: string): unknown;
    once(event: "error" | "listening", action: (cause: NodeJS.ErrnoException) => void): unknown;
    removeAllListeners(event: "error"): unknown;
  },
  to: { readonly host: string; readonly port: number; readonly setting: string },
): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", (cause) => reject(new ListenError(to, cause)));
    server.once("listening", () => {
      server.removeAllListeners("error");
      resolve();
    });
    server.listen(to.port, to.host);
  });
}

export class ListenError extends Error {
  constructor(
    to: { readonly host: string; readonly port: number; readonly setting: string },
    cause: NodeJS.ErrnoException,
  ) {
    super(`Cannot listen on ${to.host}:${to.port}: ${whyNot(to, cause)}`, { cause });
    this.name = "ListenError";
  }
}

/** The reason and the way out; an address that this machine does not have is no matter of the port. */
function whyNot(
  { host, setting }: { readonly host: string; readonly setting: string },
  { code, message }: NodeJS.ErrnoException,
): string {
  if (code === "ENOTFOUND" || code === "EADDRNOTAVAIL" || code === "EAI_AGAIN")
    return `${host} is no address of this machine. Set BACKLOT_HOST to 127.0.0.1, to 0.0.0.0 for all addresses, or to one that it has.`;
  const why =
    code === "EADDRINUSE" ? "another program uses that port" : code === "EACCES" ? "that needs more rights" : message;
  return `${why}. Set ${setting} to another port, or to 0 for a free one.`;
}
