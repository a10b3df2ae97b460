/**
 * From a request to an answer, in a fixed order: request id, host, mode, faults and limits, body limit, route, group commit,
 * journal. The order is the same for every emulator, and what goes wrong at any step is told in the provider's own shape.
 */
import type { IncomingMessage, ServerResponse } from "node:http";
import type { TLSSocket } from "node:tls";
import { Hono } from "hono";
import { stopwatch } from "./clock.ts";
import { departInProcess, departOnSocket } from "./departure.ts";
import type { KernelEnv, ProviderErrors, Runtime, Site } from "./emulator.ts";
import { type Answered, answerJson, type Exchange } from "./exchange.ts";
import { crossOriginAnswer, harden } from "./http/origin.ts";
import { asksForReal, type Refusal } from "./mode.ts";
import { Overloaded } from "./outbox.ts";
import { SeedError } from "./seed.ts";
import type { Store } from "./state.ts";
import type { Tracer } from "./tracing.ts";

export interface Host {
  /** A request from a socket. */
  handle(incoming: IncomingMessage, outgoing: ServerResponse): void;
  /** The same in process. */
  fetch(request: Request): Promise<Response>;
  /** Whether a Host header names this server: for what does not come through `handle`. */
  answersTo(host: string): boolean;
}

/** Stands before the routes: planned faults, rate limits, idempotent replays. */
export interface Gate {
  /** Before the body is read: may answer instead of the route. */
  before?(exchange: Exchange, errors: ProviderErrors): Response | undefined | Promise<Response | undefined>;
  /** With the body there: may answer instead of `run`, run it more than once, or change what it answered. */
  around?(exchange: Exchange, routed: Routed, run: () => Promise<void>): Promise<void>;
}

/** Where a request is about to go. */
export interface Routed {
  readonly errors: ProviderErrors;
  /** What the site calls it; without its own word, the route: `GET /notes/{id}`. */
  facts(): { readonly operation?: string; readonly resource?: string };
}

/** What the pipeline itself needs of a runtime; the suite, which has no store, brings the same. */
export type HostRuntime = Pick<Runtime<unknown>, "name" | "settings" | "clock" | "ids" | "journal" | "mode" | "log"> & {
  readonly store: Pick<Store, "committed">;
};

export interface HostOptions {
  readonly runtime: HostRuntime;
  readonly sites: readonly Site[];
  /** Routes under `/_backlot` and the aliases that orchestrators expect; reachable in real mode too. */
  readonly control: Hono<KernelEnv>;
  /** Looked at for every control request before it is routed: Host check and token. */
  readonly guard: (exchange: Exchange) => Response | undefined;
  readonly refusal: (askedBy: string) => Refusal;
  readonly allowedHosts: readonly string[];
  /** The first is the outermost. */
  readonly gates: readonly Gate[];
  /** The same for the control API. */
  readonly controlGates?: readonly Gate[];
  readonly tracer?: Tracer;
}

const controlPaths = /^\/(_backlot(\/|$|\?)|health($|\?)|api\/v1\/(health|status\/providers)($|\?))/;

interface Mounted {
  readonly site: Site;
  readonly app: Hono<KernelEnv>;
  readonly prefixed: Hono<KernelEnv> | undefined;
  readonly hosts: readonly RegExp[];
}

export function createHost(options: HostOptions): Host {
  const { runtime, control } = options;
  const { store, journal, mode, settings, clock } = runtime;
  const mounted = options.sites.map(mount);
  const root = mounted.find(({ site }) => site.prefix === undefined) ?? mounted[0];
  const byPrefix = new Map(
    mounted.flatMap((entry) => (entry.site.prefix === undefined ? [] : [[entry.site.prefix, entry] as const])),
  );
  const plainHosts = new Set([
    "localhost",
    "127.0.0.1",
    "[::1]",
    ...options.allowedHosts.map((name) => name.toLowerCase()),
  ]);
  const idPrefix = runtime.ids.fixed("kernel.request", [runtime.name]).hex(16);
  let requests = 0;
  control.onError((cause, c) => unexpected(c.env.exchange, cause, plainErrors));
  control.notFound((c) => plainErrors.notFound(c.env.exchange));

  const process = async (
    exchange: Exchange,
    readBody: (limit: number) => Promise<Buffer | undefined>,
  ): Promise<void> => {
    const finished = stopwatch();
    const isControl = controlPaths.test(exchange.target);
    if (isControl) await controlled(exchange, readBody);
    else await provided(exchange, readBody);
    try {
      await store.committed();
    } catch (cause) {
      unexpected(exchange, cause, route(exchange)?.entry.site.errors ?? plainErrors);
    }
    if (isControl) harden(exchange, settings.corsOrigins);
    if (!exchange.target.startsWith("/_backlot") && !exchange.target.startsWith("/health"))
      record(exchange, finished());
  };

  const controlled = async (exchange: Exchange, readBody: (limit: number) => Promise<Buffer | undefined>) => {
    if (!answersTo(exchange.host)) {
      misdirected(exchange);
      return;
    }
    if (crossOriginAnswer(exchange, settings.corsOrigins) || options.guard(exchange)) return;
    const body = await readBody(settings.bodyLimit);
    if (!body) {
      plainErrors.tooLarge(exchange, settings.bodyLimit);
      return;
    }
    exchange.body = body;
    await through(options.controlGates ?? [], exchange, controlRouted, () => dispatch(control, exchange, plainErrors));
  };

  const provided = async (exchange: Exchange, readBody: (limit: number) => Promise<Buffer | undefined>) => {
    const found = route(exchange);
    if (!found) {
      misdirected(exchange);
      return;
    }
    const { entry, app } = found;
    const { errors } = entry.site;
    if (found.app === entry.prefixed) exchange.base = `${exchange.origin}/${entry.site.prefix}`;
    const askedBy = mode.askedBy ?? asksForReal(exchange.header);
    if (askedBy !== undefined) {
      exchange.note("refused", askedBy);
      errors.unavailable(exchange, options.refusal(askedBy));
      return;
    }
    for (const gate of options.gates) {
      const early = gate.before?.(exchange, errors);
      if (early && (await early)) return;
    }
    const body = await readBody(settings.bodyLimit);
    if (!body) {
      errors.tooLarge(exchange, settings.bodyLimit);
      return;
    }
    exchange.body = body;
    const routed: Routed = {
      errors,
      facts: () => ({ ...operationOf(app, exchange), ...entry.site.facts?.(exchange) }),
    };
    const trace = options.tracer?.begin(exchange);
    await through(options.gates, exchange, routed, () =>
      trace === undefined || !options.tracer
        ? dispatch(app, exchange, errors)
        : options.tracer.run(trace, () => dispatch(app, exchange, errors)),
    );
  };
  const controlRouted: Routed = { errors: plainErrors, facts: () => ({}) };

  const dispatch = async (app: Hono<KernelEnv>, exchange: Exchange, errors: ProviderErrors) => {
    try {
      await app.fetch(new Request(exchange.origin + exchange.target, { method: exchange.method }), { exchange });
    } catch (cause) {
      // Methods and targets that a web Request cannot express: TRACE, CONNECT, `//`.
      exchange.note("unroutable", String(cause));
      errors.notFound(exchange);
    }
    if (!exchange.answered) unexpected(exchange, new Error("a handler did not answer"), errors);
  };

  const route = (exchange: Exchange): { entry: Mounted; app: Hono<KernelEnv> } | undefined => {
    const name = hostname(exchange.host);
    if (!isPlain(exchange.host)) {
      const entry = mounted.find(({ hosts }) => hosts.some((pattern) => pattern.test(name)));
      return entry && { entry, app: entry.app };
    }
    const prefix = /^\/([^/?]*)/.exec(exchange.target)?.[1] ?? "";
    const entry = byPrefix.get(prefix);
    if (entry?.prefixed) return { entry, app: entry.prefixed };
    return root && { entry: root, app: root.app };
  };
  const answersTo = (host: string) =>
    isPlain(host) || mounted.some(({ hosts }) => hosts.some((pattern) => pattern.test(hostname(host))));
  const isPlain = (host: string) => plainHosts.has(hostname(host)) || plainHosts.has("*");

  const misdirected = (exchange: Exchange) => {
    const known = options.sites.flatMap((site) => site.hosts);
    exchange.note("misdirected", exchange.host);
    answerJson(exchange, 421, {
      error: "backlot.unknown_host",
      message: `${exchange.host || "A request without a Host header"} is not a name this server answers to.`,
      hint: "Use 127.0.0.1 or localhost, one of the emulated names, or add the name to BACKLOT_ALLOWED_HOSTS.",
      known,
    });
  };

  function unexpected(exchange: Exchange, cause: unknown, errors: ProviderErrors): Response {
    if (cause instanceof Overloaded) return errors.throttled(exchange, cause.retryAfterSeconds);
    const known = errors.thrown(exchange, cause);
    if (known) return known;
    const incident = `${runtime.name}-${exchange.id.slice(-12)}`;
    journal.append("incident", incident, {
      request: exchange.id,
      cause: cause instanceof Error ? (cause.stack ?? cause.message) : String(cause),
    });
    runtime.log.error(
      { incident, cause: cause instanceof Error ? cause.stack : String(cause) },
      "an operation failed unexpectedly",
    );
    return errors.unexpected(exchange, incident);
  }

  function mount(site: Site): Mounted {
    const prefixed = site.prefix === undefined ? undefined : new Hono<KernelEnv>();
    for (const app of prefixed ? [site.routes, prefixed] : [site.routes]) {
      app.onError((cause, c) => unexpected(c.env.exchange, cause, site.errors));
      app.notFound((c) => {
        const allowed = methodsFor(app, c.req.path);
        return allowed.length > 0
          ? site.errors.methodNotAllowed(c.env.exchange, allowed)
          : site.errors.notFound(c.env.exchange);
      });
    }
    prefixed?.route(`/${site.prefix}`, site.routes);
    return { site, app: site.routes, prefixed, hosts: site.hosts.map(hostPattern) };
  }

  const record = (exchange: Exchange, wallMs: number) => {
    const answered = exchange.answered;
    journal.append("request", exchange.id, {
      method: exchange.method,
      target: exchange.target,
      host: exchange.host,
      remote: exchange.remote,
      ...exchange.notes,
      ...(exchange.origin.startsWith("https:") ? { secure: true } : undefined),
      status: answered?.status ?? 0,
      wallMs,
      requestHeaders: exchange.headers(),
      requestBody: exchange.body,
      responseHeaders: answered?.headers,
      responseBody: answered?.body instanceof ReadableStream ? "(stream)" : answered?.body,
    });
  };

  return {
    answersTo,
    handle(incoming, outgoing) {
      requests += 1;
      const exchange = fromSocket(incoming, `${idPrefix}${requests.toString(16).padStart(16, "0")}`, clock.now());
      process(exchange, (limit) => readIncoming(incoming, limit))
        .catch((cause: unknown) => {
          // Only a client that went away in mid-body gets here: there is nobody left to answer.
          runtime.log.debug({ cause: String(cause), target: exchange.target }, "a request was abandoned");
          journal.append("request", exchange.id, {
            method: exchange.method,
            target: exchange.target,
            host: exchange.host,
            status: 0,
            abandoned: String(cause),
          });
          outgoing.destroy();
        })
        .then(() => {
          if (exchange.departure) departOnSocket(exchange.departure, exchange.answered, incoming, outgoing);
          else if (exchange.answered) send(exchange.answered, exchange.method, incoming, outgoing);
        });
    },
    async fetch(request) {
      requests += 1;
      const exchange = fromRequest(request, `${idPrefix}${requests.toString(16).padStart(16, "0")}`, clock.now());
      await process(exchange, async (limit) => {
        const body = Buffer.from(await request.arrayBuffer());
        return body.length > limit ? undefined : body;
      });
      if (exchange.departure) return departInProcess(exchange.departure, exchange.answered, request.signal);
      const { status, headers, body } = exchange.answered ?? { status: 500, headers: {}, body: null };
      return new Response(status === 204 || status === 304 ? null : (body as string | Uint8Array<ArrayBuffer> | null), {
        status,
        headers,
      });
    },
  };
}

/** Errors of what belongs to no provider: the control API. */
export const plainErrors: ProviderErrors = {
  notFound: (exchange) =>
    answerJson(exchange, 404, {
      error: "not_found",
      message: `${exchange.method} ${exchange.target} is not part of the control API; see /_backlot/openapi.json.`,
    }),
  methodNotAllowed: (exchange, allowed) =>
    answerJson(
      exchange,
      405,
      { error: "method_not_allowed", message: `${exchange.target} takes ${allowed.join(", ")}.` },
      { allow: allowed.join(", ") },
    ),
  tooLarge: (exchange, limit) =>
    answerJson(
      exchange,
      413,
      { error: "too_large", message: `The body is larger than ${limit} bytes (BACKLOT_BODY_LIMIT).` },
      { connection: "close" },
    ),
  throttled: (exchange, seconds) =>
    answerJson(
      exchange,
      429,
      { error: "too_many_requests", message: `Try again in ${seconds} s.` },
      { "retry-after": String(seconds) },
    ),
  unavailable: (exchange, refused) => answerJson(exchange, 503, { error: "service_unavailable", ...refused }),
  unexpected: (exchange, incident) =>
    answerJson(exchange, 500, {
      error: "unexpected",
      message: "Backlot failed; this is a defect of its own.",
      incident,
    }),
  thrown(exchange, cause) {
    if (cause instanceof ControlError)
      return answerJson(exchange, cause.status, { error: cause.code, message: cause.message, ...cause.details });
    if (cause instanceof SeedError) return answerJson(exchange, 400, { error: "invalid_seed", message: cause.message });
    return undefined;
  },
};

/** A refusal of the control API: names the thing, the value and the way out. */
export class ControlError extends Error {
  readonly status: number;
  readonly code: string;
  readonly details: Readonly<Record<string, unknown>>;
  constructor(status: number, code: string, message: string, details: Readonly<Record<string, unknown>> = {}) {
    super(message);
    this.name = "ControlError";
    this.status = status;
    this.code = code;
    this.details = details;
  }
}

/** Whether a declared host pattern covers a name: `ec2.*.amazonaws.com`, `*.twilio.com`. */
export function hostPattern(pattern: string): RegExp {
  const escaped = pattern
    .toLowerCase()
    .split("*")
    .map((part) => part.replace(/[.+?^${}()|[\]\\]/g, "\\$&"));
  return new RegExp(`^${escaped.join("[a-z0-9.-]+")}$`);
}

export function hostname(host: string): string {
  const lower = host.toLowerCase();
  if (lower.startsWith("[")) return lower.slice(0, lower.indexOf("]") + 1);
  const colon = lower.indexOf(":");
  return (colon < 0 ? lower : lower.slice(0, colon)).replace(/\.$/, "");
}

function through(
  gates: readonly Gate[],
  exchange: Exchange,
  routed: Routed,
  run: () => Promise<void>,
  from = 0,
): Promise<void> {
  for (let index = from; index < gates.length; index += 1) {
    const gate = gates[index];
    if (gate?.around) return gate.around(exchange, routed, () => through(gates, exchange, routed, run, index + 1));
  }
  return run();
}

/** The route as the capabilities write it: `GET /notes/{id}`. */
function operationOf(app: Hono<KernelEnv>, exchange: Exchange): { operation?: string } {
  const path = URL.parse(exchange.origin + exchange.target)?.pathname ?? "/";
  const route = app.router.match(exchange.method, path)[0].at(-1)?.[0][1];
  return route ? { operation: `${route.method} ${route.path.replace(/:(\w+)(\{[^}]*\})?/g, "{$1}")}` } : {};
}

function methodsFor(app: Hono<KernelEnv>, path: string): string[] {
  return ["GET", "POST", "PUT", "PATCH", "DELETE"].filter((method) => app.router.match(method, path)[0].length > 0);
}

function fromSocket(incoming: IncomingMessage, id: string, at: number): Exchange {
  const host = incoming.headers.host ?? "";
  // A gateway that ended TLS for an emulator in another process says so; links in answers must be what the client sees.
  const secure = (incoming.socket as TLSSocket).encrypted === true || incoming.headers["x-forwarded-proto"] === "https";
  // An absolute-form target carries its own authority (RFC 9112 3.2.2); forward proxies strip it, hand-made clients may not.
  const absolute = incoming.url?.startsWith("http") ? URL.parse(incoming.url) : null;
  const authority = absolute?.host ?? host;
  return exchangeOf({
    id,
    at,
    method: incoming.method ?? "GET",
    target: absolute ? absolute.pathname + absolute.search : (incoming.url ?? "/"),
    host: authority,
    origin: `${secure ? "https" : "http"}://${authority || "localhost"}`,
    remote: incoming.socket.remoteAddress ?? "",
    header: (name) => {
      const value = incoming.headers[name];
      return Array.isArray(value) ? value.join(", ") : value;
    },
    headers: () => incoming.headers as Record<string, string>,
  });
}

function fromRequest(request: Request, id: string, at: number): Exchange {
  const url = new URL(request.url);
  return exchangeOf({
    id,
    at,
    method: request.method,
    target: url.pathname + url.search,
    host: request.headers.get("host") ?? url.host,
    origin: `${url.protocol}//${request.headers.get("host") ?? url.host}`,
    remote: "in-process",
    header: (name) => request.headers.get(name) ?? undefined,
    headers: () => Object.fromEntries(request.headers),
  });
}

const nothing = Buffer.alloc(0);

function exchangeOf(parts: Omit<Exchange, "base" | "body" | "note" | "notes" | "answered">): Exchange {
  const notes: Record<string, unknown> = {};
  return {
    ...parts,
    base: parts.origin,
    body: nothing,
    notes,
    answered: undefined,
    note(name, value) {
      notes[name] = value;
    },
  };
}

/** The whole body, or undefined when it is larger than `limit` (what is left is drained, so that the client reads the answer). */
function readIncoming(incoming: IncomingMessage, limit: number): Promise<Buffer | undefined> {
  const declared = incoming.headers["content-length"];
  if (declared === undefined && incoming.headers["transfer-encoding"] === undefined) return Promise.resolve(nothing);
  if (Number(declared) > limit) {
    incoming.resume();
    return Promise.resolve(undefined);
  }
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let size = 0;
    incoming.on("data", (chunk: Buffer) => {
      size += chunk.length;
      if (size <= limit) chunks.push(chunk);
      else {
        chunks.length = 0;
        resolve(undefined);
      }
    });
    incoming.on("end", () => resolve(chunks.length === 1 ? chunks[0] : Buffer.concat(chunks)));
    incoming.on("error", reject);
    incoming.on("close", () => {
      // After every request; an Error costs a stack trace, so it is made only for a body that stopped.
      if (!incoming.complete) reject(new Error("the client closed the connection before its body was complete"));
    });
  });
}

function send(answered: Answered, method: string, incoming: IncomingMessage, outgoing: ServerResponse): void {
  const { status, headers, body } = answered;
  if (body instanceof ReadableStream) {
    outgoing.writeHead(status, headers);
    if (method === "HEAD") {
      outgoing.end();
      void body.cancel();
    } else void pipe(body, outgoing);
    return;
  }
  if (body === null || status === 204 || status === 304) {
    outgoing.writeHead(status, status === 204 || status === 304 ? headers : { ...headers, "content-length": "0" });
    outgoing.end();
  } else {
    outgoing.writeHead(status, {
      ...headers,
      "content-length": typeof body === "string" ? Buffer.byteLength(body) : body.byteLength,
    });
    outgoing.end(method === "HEAD" ? undefined : body);
  }
  if (!incoming.complete) incoming.resume();
}

/** As fast as the client takes it; when the client goes away the stream is cancelled, when the stream fails the client sees a break. */
async function pipe(body: ReadableStream<Uint8Array>, outgoing: ServerResponse): Promise<void> {
  const reader = body.getReader();
  let writable = Promise.withResolvers<void>();
  outgoing.on("drain", () => writable.resolve());
  outgoing.on("close", () => {
    writable.resolve();
    reader.cancel().catch(() => {}); // a source that fails while it is told to stop has nobody left to tell
  });
  outgoing.flushHeaders();
  try {
    while (!outgoing.destroyed) {
      const { done, value } = await reader.read();
      if (done) break;
      writable = Promise.withResolvers<void>();
      if (!outgoing.write(value)) await writable.promise;
    }
    outgoing.end();
  } catch {
    outgoing.destroy();
  }
}
