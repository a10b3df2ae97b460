/**
 * HTTP passed on, request by request: to an emulator in another process, to this machine, and to hosts that are let
 * through. Bodies stream both ways as fast as the slower side takes them; nothing is kept.
 */
import { Agent, type IncomingMessage, request, type ServerResponse } from "node:http";
import { Agent as TlsAgent, request as tlsRequest } from "node:https";
import { isIP, type LookupFunction } from "node:net";
import type { Duplex } from "node:stream";
import { answerRefusal, writeRefusal } from "./answers.ts";

export interface Destination {
  readonly host: string;
  readonly port: number;
  readonly tls: boolean;
  /** Where to connect; absent: what `host` resolves to now (an emulator's own address). */
  readonly addresses?: readonly string[];
  /** Path and query. */
  readonly target: string;
  /** Host header for the other side. */
  readonly authority: string;
  /** What the client spoke to us: an emulator builds its links from it. */
  readonly clientProtocol?: "https";
  /** PEM of the authority that signed the other side's certificate; absent: the system's. */
  readonly ca?: string;
}

export interface Forwarder {
  request(incoming: IncomingMessage, outgoing: ServerResponse, to: Destination): void;
  /** A request to switch protocols; after 101 bytes are passed on as they come. */
  upgrade(incoming: IncomingMessage, socket: Duplex, head: Buffer, to: Destination): void;
  close(): void;
}

/** Marks what came through here, so that a request to the proxy's own address does not go round for ever. */
export const pseudonym = "backlot-gateway";

export function createForwarder(limits: { readonly idleMs: number }): Forwarder {
  const plain = new Agent({ keepAlive: true, maxFreeSockets: 64 });
  const secure = new TlsAgent({ keepAlive: true, maxFreeSockets: 64 });
  const open = (incoming: IncomingMessage, to: Destination, headers: string[], reuse: boolean) => {
    const common = {
      method: incoming.method,
      path: to.target,
      host: to.host,
      port: to.port,
      headers,
      timeout: limits.idleMs,
      ...(to.addresses === undefined ? {} : { lookup: pinned(to.addresses) }),
    };
    if (!to.tls) return request({ ...common, agent: reuse ? plain : false });
    const servername = to.authority.replace(/:\d+$/, "");
    const names = isIP(servername) === 0 && !servername.startsWith("[") ? { servername } : {};
    return tlsRequest({
      ...common,
      ...names,
      agent: reuse ? secure : false,
      ...(to.ca === undefined ? {} : { ca: to.ca }),
    });
  };
  return {
    request(incoming, outgoing, to) {
      const upstream = open(incoming, to, passedOn(incoming, to, false), true);
      upstream.on("response", (response) => {
        outgoing.writeHead(
          response.statusCode ?? 502,
          response.statusMessage ?? "",
          endToEnd(response.rawHeaders, ["transfer-encoding"]),
        );
        // Headers of a stream that has nothing to say yet must not wait for its first byte.
        outgoing.flushHeaders();
        response.on("error", () => outgoing.destroy());
        response.on("aborted", () => outgoing.destroy());
        response.pipe(outgoing);
      });
      upstream.on("timeout", () => upstream.destroy(new Error(`no byte for ${limits.idleMs} ms`)));
      upstream.on("error", (cause) => answerRefusal(outgoing, 502, unreachable(to, cause)));
      outgoing.on("close", () => upstream.destroy());
      incoming.on("error", () => upstream.destroy());
      incoming.pipe(upstream);
    },
    upgrade(incoming, socket, head, to) {
      const upstream = open(incoming, to, passedOn(incoming, to, true), false);
      socket.on("error", () => socket.destroy());
      socket.on("close", () => upstream.destroy());
      upstream.on("upgrade", (response, other: Duplex, rest: Buffer) => {
        socket.write(`HTTP/1.1 101 Switching Protocols\r\n${lines(response.rawHeaders)}\r\n`);
        join(socket, other, rest, head);
      });
      upstream.on("response", (response) => {
        socket.write(
          `HTTP/1.1 ${response.statusCode} ${response.statusMessage}\r\n${lines(endToEnd(response.rawHeaders, ["transfer-encoding"]))}Connection: close\r\n\r\n`,
        );
        response.pipe(socket);
      });
      upstream.on("timeout", () => upstream.destroy(new Error(`no byte for ${limits.idleMs} ms`)));
      upstream.on("error", (cause) => writeRefusal(socket, 502, unreachable(to, cause)));
      upstream.end();
    },
    close() {
      plain.destroy();
      secure.destroy();
    },
  };
}

/** Bytes both ways with backpressure; when one side breaks the other ends with it. */
export function join(left: Duplex, right: Duplex, fromRight: Buffer = empty, fromLeft: Buffer = empty): void {
  for (const [one, other] of [
    [left, right],
    [right, left],
  ] as const) {
    one.on("error", () => other.destroy());
    one.on("close", () => other.destroy());
  }
  if (fromRight.length > 0) left.write(fromRight);
  if (fromLeft.length > 0) right.write(fromLeft);
  left.pipe(right);
  right.pipe(left);
}

const empty = Buffer.alloc(0);

/** Every look-up answers with addresses that were checked before. */
export function pinned(addresses: readonly string[]): LookupFunction {
  const all = addresses.map((address) => ({ address, family: isIP(address) }));
  return (_, options, done) => {
    if (options.all) done(null, all);
    else done(null, all[0]?.address ?? "", all[0]?.family ?? 4);
  };
}

/** Headers between two neighbours only (RFC 9110 7.6.1), and those that speak of the proxy. */
const neighbours = new Set([
  "connection",
  "keep-alive",
  "proxy-connection",
  "proxy-authorization",
  "proxy-authenticate",
  "te",
  "trailer",
  "upgrade",
]);

/** What `Connection` names goes no further - but the length of a body: without it the rest would be the next request. */
function endToEnd(raw: readonly string[], also: readonly string[]): string[] {
  const dropped = new Set([...neighbours, ...also]);
  for (let at = 0; at < raw.length; at += 2)
    if (raw[at]?.toLowerCase() === "connection")
      for (const name of raw[at + 1]?.split(",") ?? []) dropped.add(name.trim().toLowerCase());
  dropped.delete("content-length");
  const kept: string[] = [];
  for (let at = 0; at < raw.length; at += 2) {
    const [name = "", value = ""] = [raw[at], raw[at + 1]];
    if (!dropped.has(name.toLowerCase())) kept.push(name, value);
  }
  return kept;
}

function passedOn(incoming: IncomingMessage, to: Destination, upgrade: boolean): string[] {
  const chunked = incoming.headers["transfer-encoding"] !== undefined;
  return [
    "Host",
    to.authority,
    ...endToEnd(incoming.rawHeaders, ["host", "x-forwarded-proto", "transfer-encoding"]),
    ...(to.clientProtocol === undefined ? [] : ["X-Forwarded-Proto", to.clientProtocol]),
    "Via",
    `1.1 ${pseudonym}`,
    ...(chunked ? ["Transfer-Encoding", "chunked"] : []),
    ...(upgrade ? ["Connection", "Upgrade", "Upgrade", incoming.headers.upgrade ?? ""] : []),
  ];
}

function lines(raw: readonly string[]): string {
  return raw.map((text, index) => (index % 2 === 0 ? `${text}: ` : `${text}\r\n`)).join("");
}

function unreachable(to: Destination, cause: NodeJS.ErrnoException) {
  return { error: "unreachable", message: `${to.host}:${to.port} does not answer (${cause.code ?? cause.message}).` };
}
