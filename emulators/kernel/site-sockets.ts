/**
 * WebSocket at paths of a provider's own. Such a request does not pass through the routes, so what every request is asked
 * is asked here: which host it came for, which page sent it, and whether the real service is wanted.
 */
import type { IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";
import type { HostRuntime } from "./host.ts";
import { mayUse } from "./http/origin.ts";

/** Whoever is at the other end. */
export interface SocketPeer {
  readonly query: URLSearchParams;
  send(text: string): void;
  onText(action: (text: string) => void): void;
  onClose(action: () => void): void;
  close(): void;
}

/** A path of a site at which WebSocket is spoken. */
export interface SocketRoute {
  readonly path: string;
  open(peer: SocketPeer): void;
}

/** What a server asks about requests to switch protocols that are not the feed's. */
export interface SiteSockets {
  wants(incoming: Pick<IncomingMessage, "url" | "headers">): boolean;
  /** Why the request is refused: an HTTP status and a sentence. */
  refusal(incoming: IncomingMessage): { readonly status: number; readonly message: string } | undefined;
  open(options: {
    readonly incoming: IncomingMessage;
    readonly socket: Duplex;
    readonly head: Buffer;
    readonly closing: AbortSignal;
  }): Promise<void>;
}

export function siteSockets(options: {
  readonly runtime: Pick<HostRuntime, "name" | "journal" | "mode" | "ids" | "settings">;
  readonly sites: readonly { readonly prefix?: string; readonly sockets?: readonly SocketRoute[] }[];
  answersTo(host: string): boolean;
}): SiteSockets {
  const { journal, mode, ids, settings, name } = options.runtime;
  const routes = new Map(
    options.sites.flatMap(({ prefix, sockets = [] }) => {
      const base = prefix === undefined ? "" : `/${prefix}`;
      return sockets.map((route) => [base + route.path, route] as const);
    }),
  );
  const found = ({ url = "" }: Pick<IncomingMessage, "url">) => routes.get(url.replace(/\?.*$/s, ""));
  let opened = 0;
  return {
    wants: (incoming) => incoming.headers.upgrade?.toLowerCase() === "websocket" && found(incoming) !== undefined,
    refusal({ headers }) {
      const { host = "", origin } = headers;
      if (!options.answersTo(host)) return { status: 421, message: `${host} is not a name this server answers to.` };
      if (!mayUse(origin, host, settings.corsOrigins))
        return { status: 403, message: `A page of ${origin} may not watch; see BACKLOT_CORS_ORIGINS.` };
      if (mode.current === "real")
        return { status: 503, message: `Nothing emulated is shown: ${mode.askedBy ?? "real mode"}.` };
      return undefined;
    },
    async open({ incoming, socket, head, closing }) {
      const route = found(incoming);
      const { acceptPeer } = await import("./site-websocket.ts");
      opened += 1;
      const id = `${ids.fixed("kernel.socket", [name]).hex(16)}${opened.toString(16).padStart(16, "0")}`;
      const { method = "GET", url: target = "/", headers } = incoming;
      const { host } = headers;
      journal.append("request", id, { method, target, host, operation: `WS ${route?.path}`, status: 101 });
      acceptPeer({ incoming, socket, head, closing }, (peer) => route?.open(peer));
    },
  };
}
