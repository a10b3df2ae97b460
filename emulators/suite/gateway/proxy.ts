/** The forward proxy: CONNECT and absolute-form requests, to emulators, to this machine and to what is allowed. */
import type { IncomingMessage, ServerResponse } from "node:http";
import { connect, type Socket } from "node:net";
import type { Duplex } from "node:stream";
import { afterReal } from "../../kernel/clock.ts";
import { type Authority, canonicalHost, isLoopback, parseAuthority } from "./addresses.ts";
import { answerRefusal, writeRefusal } from "./answers.ts";
import { type Destination, type Forwarder, join, pinned, pseudonym } from "./forward.ts";
import type { Verdict } from "./guard.ts";
import { clientOf, type Ledger } from "./ledger.ts";
import type { Route, Routing } from "./routing.ts";
import type { Emulated, TlsEnd } from "./tls.ts";

export interface ProxyOptions {
  readonly routing: Routing;
  readonly guard: (to: Authority) => Promise<Verdict>;
  readonly ledger: Ledger;
  readonly forwarder: Forwarder;
  readonly tls: TlsEnd;
  /** PEM of the local authority: emulators in other processes show its leaves. */
  readonly ca: () => string;
  /** Keeps account of a request that cannot be used. */
  readonly unusable: (remote: string, method: string, target: string, reason: string) => void;
  readonly connectMs: number;
  readonly idleMs: number;
}

export interface ForwardProxy {
  request(incoming: IncomingMessage, outgoing: ServerResponse): Promise<void>;
  connect(incoming: IncomingMessage, socket: Socket, head: Buffer): Promise<void>;
  upgrade(incoming: IncomingMessage, socket: Duplex, head: Buffer): Promise<void>;
  /** A decrypted request for an emulator that is not in this process. */
  apart(to: Emulated, incoming: IncomingMessage, outgoing: ServerResponse): void;
  apartUpgrade(to: Emulated, incoming: IncomingMessage, socket: Duplex, head: Buffer): void;
}

/** How one request goes on, or why it does not. */
type Way =
  | { readonly tag: "emulated"; readonly route: Route; readonly authority: Authority; readonly url: URL }
  | { readonly tag: "forward"; readonly to: Destination }
  | {
      readonly tag: "refused";
      readonly status: number;
      readonly error: string;
      readonly message: string;
      readonly hint?: string;
    };

export function createProxy(options: ProxyOptions): ForwardProxy {
  const { routing, guard, ledger, forwarder, tls } = options;

  const judge = async (to: Authority, method: string, incoming: IncomingMessage): Promise<Verdict> => {
    const verdict = ownLoopbackOnly(await guard(to), to, incoming.socket.remoteAddress);
    const attempt = { ...to, method, client: clientOf(incoming.socket), userAgent: incoming.headers["user-agent"] };
    if (verdict.tag === "refused") ledger.refused({ ...attempt, reason: verdict.reason });
    if (verdict.tag === "allowed") ledger.allowed({ ...attempt, reason: `BACKLOT_EGRESS_ALLOW has ${verdict.by}` });
    return verdict;
  };
  const unusable = (incoming: IncomingMessage, message: string): Way & { tag: "refused" } => {
    options.unusable(clientOf(incoming.socket), incoming.method ?? "", incoming.url ?? "", message);
    return { tag: "refused", status: 400, error: "bad_proxy_request", message };
  };

  const wayOf = async (incoming: IncomingMessage): Promise<Way> => {
    const url = /^(https?|wss?):\/\//i.test(incoming.url ?? "") ? URL.parse(incoming.url ?? "") : null;
    const host = url && canonicalHost(url.hostname);
    if (!url || !host)
      return unusable(
        incoming,
        "This is a forward proxy: set HTTP_PROXY and HTTPS_PROXY to its address and ask for whole URLs.",
      );
    if (url.username !== "" || url.password !== "")
      return unusable(incoming, "A URL with a user name in it is not passed on; send an Authorization header.");
    if (incoming.headers.via?.includes(pseudonym))
      return { tag: "refused", status: 508, error: "loop", message: `${url.host} leads back to this proxy.` };
    const secure = url.protocol === "https:" || url.protocol === "wss:";
    const authority = { host, port: Number(url.port) || (secure ? 443 : 80) };
    const route = await routing(host);
    if (route) return { tag: "emulated", route, authority, url };
    const verdict = await judge(authority, incoming.method ?? "GET", incoming);
    if (verdict.tag === "refused")
      return {
        tag: "refused",
        status: 403,
        error: "egress_refused",
        message: `${verdict.reason}.`,
        hint: verdict.hint,
      };
    const { addresses } = verdict;
    return {
      tag: "forward",
      to: { ...authority, addresses, tls: secure, target: url.pathname + url.search, authority: url.host },
    };
  };

  const apartOf = (url: URL, target: string, authority: string, encrypted: boolean): Destination => ({
    host: url.hostname.replace(/^\[|\]$/g, ""),
    port: Number(url.port) || (url.protocol === "https:" ? 443 : 80),
    tls: url.protocol === "https:",
    target,
    authority,
    ...(encrypted ? { clientProtocol: "https" as const } : {}),
    ...(url.protocol === "https:" ? { ca: options.ca() } : {}),
  });

  return {
    async request(incoming, outgoing) {
      const way = await wayOf(incoming);
      if (way.tag === "refused") return answerRefusal(outgoing, way.status, way);
      if (way.tag === "forward") return forwarder.request(incoming, outgoing, way.to);
      const { route, url } = way;
      const encrypted = url.protocol === "https:";
      if (route.tag === "absent") return answerRefusal(outgoing, 502, absent(route));
      if (route.tag === "apart")
        return forwarder.request(
          incoming,
          outgoing,
          apartOf(route.url, url.pathname + url.search, url.host, encrypted),
        );
      // Some clients send https:// URLs to a proxy in the clear; their links must be https all the same.
      if (encrypted) incoming.headers["x-forwarded-proto"] = "https";
      route.server.emit("request", incoming, outgoing);
    },
    async connect(incoming, socket, head) {
      socket.on("error", () => socket.destroy());
      const to = parseAuthority(incoming.url ?? "");
      const { "transfer-encoding": coding, "content-length": length } = incoming.headers;
      if (!to || coding !== undefined || (length !== undefined && length !== "0")) {
        const message = to ? "CONNECT has no body." : `CONNECT takes host:port, not ${JSON.stringify(incoming.url)}.`;
        return writeRefusal(socket, 400, unusable(incoming, message));
      }
      const route = await routing(to.host);
      if (route) {
        socket.write("HTTP/1.1 200 Connection Established\r\n\r\n");
        if (head.length > 0) socket.unshift(head);
        return tls.tunnel(socket, { host: to.host, route });
      }
      const verdict = await judge(to, "CONNECT", incoming);
      if (verdict.tag === "refused")
        return writeRefusal(socket, 403, {
          error: "egress_refused",
          message: `${verdict.reason}.`,
          hint: verdict.hint,
        });
      tunnelTo(to, verdict.addresses, socket, head, options);
    },
    async upgrade(incoming, socket, head) {
      const way = await wayOf(incoming);
      if (way.tag === "refused") return writeRefusal(socket, way.status, way);
      if (way.tag === "forward") return forwarder.upgrade(incoming, socket, head, way.to);
      const { route, url } = way;
      if (route.tag === "absent") return writeRefusal(socket, 502, absent(route));
      if (route.tag === "apart")
        return forwarder.upgrade(
          incoming,
          socket,
          head,
          apartOf(route.url, url.pathname + url.search, url.host, false),
        );
      incoming.url = url.pathname + url.search;
      if (!route.server.emit("upgrade", incoming, socket, head)) socket.destroy();
    },
    apart({ host, route }, incoming, outgoing) {
      if (route.tag === "absent") answerRefusal(outgoing, 502, absent(route));
      else if (route.tag === "apart")
        forwarder.request(
          incoming,
          outgoing,
          apartOf(route.url, incoming.url ?? "/", incoming.headers.host ?? host, isEncrypted(incoming)),
        );
    },
    apartUpgrade({ host, route }, incoming, socket, head) {
      if (route.tag === "absent") writeRefusal(socket, 502, absent(route));
      else if (route.tag === "apart")
        forwarder.upgrade(
          incoming,
          socket,
          head,
          apartOf(route.url, incoming.url ?? "/", incoming.headers.host ?? host, isEncrypted(incoming)),
        );
    },
  };
}

function tunnelTo(
  to: Authority,
  addresses: readonly string[],
  socket: Socket,
  head: Buffer,
  { connectMs, idleMs }: Pick<ProxyOptions, "connectMs" | "idleMs">,
): void {
  const other = connect({
    host: to.host,
    port: to.port,
    lookup: pinned(addresses),
    allowHalfOpen: true,
    noDelay: true,
  });
  const failed = (message: string) => {
    other.destroy();
    writeRefusal(socket, 502, { error: "unreachable", message });
  };
  const late = afterReal(connectMs, () => failed(`${to.host}:${to.port} did not answer within ${connectMs} ms.`));
  const refused = (cause: NodeJS.ErrnoException) => {
    late();
    failed(`${to.host}:${to.port} cannot be reached (${cause.code ?? cause.message}).`);
  };
  socket.once("close", () => {
    late();
    other.destroy();
  });
  other.once("error", refused);
  other.once("connect", () => {
    late();
    other.off("error", refused);
    // A side that goes silent for good must not keep the pair for ever.
    for (const side of [socket, other]) side.setTimeout(idleMs, () => side.destroy());
    socket.write("HTTP/1.1 200 Connection Established\r\n\r\n");
    join(socket, other, undefined, head);
  });
}

/** On a port that others reach, this machine's loopback would be theirs as well. */
function ownLoopbackOnly(verdict: Verdict, { host }: Authority, client: string | undefined): Verdict {
  if (verdict.tag !== "direct" || isLoopback(client ?? "")) return verdict;
  const reason = `${host} is this machine's own, and open to clients on it only`;
  return { tag: "refused", reason, hint: "Use the name under which the client itself reaches that service." };
}

function isEncrypted({ socket }: IncomingMessage): boolean {
  return "encrypted" in socket && socket.encrypted === true;
}

function absent({ message }: Route & { tag: "absent" }) {
  return { error: "not_started", message };
}
