/**
 * From a request to an answer, in a fixed order: request id, host, mode, faults and limits, body limit, route, group commit,
 * journal. The order is the same for every emulator, and what goes wrong at any step is told in the provider's own shape.
 */
import type { IncomingMessage, ServerResponse } from "node:http";
import type { Hono } from "hono";
import { stopwatch } from "./clock.ts";
import { vitalPaths } from "./control-guard.ts";
import { departInProcess } from "./departure.ts";
import type { KernelEnv, ProviderErrors, RequestFacts, Runtime, Site } from "./emulator.ts";
import { answerJson, type Exchange } from "./exchange.ts";
import { fromRequest, readRequest, responseOf } from "./exchange-fetch.ts";
import { createDepartures, fromSocket, readIncoming } from "./exchange-socket.ts";
import { asksForPage } from "./front.ts";
import { type Gate, type Routed, through } from "./gate.ts";
import { crossOriginAnswer, harden } from "./http/origin.ts";
import { asksForReal, type Refusal } from "./mode.ts";
import { once } from "./once.ts";
import type { Operations } from "./operations.ts";
import { Overloaded } from "./overloaded.ts";
import { plainErrors } from "./plain-errors.ts";
import { overloaded } from "./refusals.ts";
import { passThrough } from "./routing.ts";
import { createSites, type Destination, operationOf } from "./sites.ts";
import type { Store } from "./state.ts";
import type { Tracer } from "./tracing.ts";

export interface Host {
  /** A request from a socket. */
  handle(incoming: IncomingMessage, outgoing: ServerResponse): void;
  /** The same in process. */
  fetch(request: Request): Promise<Response>;
  /** Whether a Host header names this server: for what does not come through `handle`. */
  answersTo(host: string): boolean;
  /** Loads the routes that wait for their first request. */
  load(): Promise<void>;
}

/** What the pipeline itself needs of a runtime; the suite, which has no store, brings the same. */
export type HostRuntime = Pick<Runtime<unknown>, "name" | "settings" | "clock" | "ids" | "journal" | "mode" | "log"> & {
  readonly store: Pick<Store, "committed">;
};

export interface HostOptions {
  readonly runtime: HostRuntime;
  readonly sites: readonly Site[];
  readonly control: ControlRoutes;
  /** Looked at for every control request before it is routed: Host check and token. */
  readonly guard: (exchange: Exchange) => Response | undefined;
  readonly refusal: (askedBy: string) => Refusal;
  readonly allowedHosts: readonly string[];
  /** The first is the outermost. */
  readonly gates: readonly Gate[];
  /** The same for the control API. */
  readonly controlGates?: readonly Gate[];
  /** Answers browsers at `/`; such a request is nobody's operation and stays out of the journal. */
  readonly page?: (exchange: Exchange) => Promise<Response>;
  readonly tracer?: Tracer;
  readonly operations?: Operations;
}

/** Routes under `/_backlot` and the aliases that orchestrators expect; reachable in real mode too. */
export interface ControlRoutes {
  /** Health, live and ready: what is asked while everything starts. */
  readonly vitals: Hono<KernelEnv>;
  /** All others, loaded when the first is asked for: their schemas would be a fifth of every start. */
  others(): Promise<Hono<KernelEnv>>;
}

/** Reads the whole body, or undefined when it is larger than the limit. */
type ReadBody = (limit: number) => Promise<Buffer | undefined>;

const controlPaths = /^\/(_backlot(\/|$|\?)|health($|\?)|api\/v1\/(health|status\/providers)($|\?))/;
const controlRouted: Routed = { errors: plainErrors, facts: () => ({}) };

export function createHost(options: HostOptions): Host {
  const { runtime, control, operations } = options;
  const { store, mode, settings, clock } = runtime;
  const unexpected = failureTeller(runtime);
  const {
    route,
    answersTo,
    isOwn,
    load: loadSites,
  } = createSites({
    sites: options.sites,
    allowedHosts: options.allowedHosts,
    failed: (exchange, cause, site) => unexpected(exchange, cause, site.errors),
  });
  const record = recorder(runtime);
  const leave = createDepartures(runtime.log);
  const idPrefix = runtime.ids.fixed("kernel.request", [runtime.name]).hex(16);
  let requests = 0;
  const nextId = () => {
    requests += 1;
    return `${idPrefix}${requests.toString(16).padStart(16, "0")}`;
  };
  const guarded = (routes: Hono<KernelEnv>): Hono<KernelEnv> => {
    routes.onError((cause, c) => unexpected(c.env.exchange, cause, plainErrors));
    routes.notFound((c) => plainErrors.notFound(c.env.exchange));
    return routes;
  };
  const vitals = guarded(control.vitals);
  const others = once(async () => guarded(await control.others()));

  const process = async (exchange: Exchange, readBody: ReadBody): Promise<void> => {
    const finished = stopwatch();
    const isControl = controlPaths.test(exchange.target);
    if (options.page && asksForPage(exchange) && isOwn(exchange.host)) {
      await options.page(exchange).catch((cause: unknown) => unexpected(exchange, cause, plainErrors));
      return;
    }
    if (isControl) await controlled(exchange, readBody);
    else await provided(exchange, readBody);
    try {
      await store.committed();
    } catch (cause) {
      unexpected(exchange, cause, route(exchange)?.site.errors ?? plainErrors);
    }
    if (isControl) harden(exchange, settings.corsOrigins);
    if (!exchange.target.startsWith("/_backlot") && !exchange.target.startsWith("/health"))
      record(exchange, finished());
  };

  const controlled = async (exchange: Exchange, readBody: ReadBody) => {
    if (!answersTo(exchange.host)) return misdirected(exchange, options.sites);
    if (crossOriginAnswer(exchange, settings.corsOrigins) || options.guard(exchange)) return;
    const body = await readBody(settings.bodyLimit);
    if (!body) {
      plainErrors.tooLarge(exchange, settings.bodyLimit);
      return;
    }
    exchange.body = body;
    const routes = vitalPaths.test(exchange.target) ? vitals : await others();
    await through(options.controlGates ?? [], exchange, controlRouted, () => dispatch(routes, exchange, plainErrors));
  };

  const provided = async (exchange: Exchange, readBody: ReadBody) => {
    const found = route(exchange);
    if (!found) return misdirected(exchange, options.sites);
    const { site } = found;
    const { errors } = site;
    if (found.prefixed) exchange.base = `${exchange.origin}/${site.prefix}`;
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
    const app = await found.routes();
    const routed: Routed = { errors, facts: () => factsOf(exchange, found, app) };
    const trace = options.tracer?.begin(exchange);
    await through(options.gates, exchange, routed, () =>
      trace === undefined || !options.tracer
        ? dispatch(app, exchange, errors)
        : options.tracer.run(trace, () => dispatch(app, exchange, errors)),
    );
  };

  const factsOf = (exchange: Exchange, found: Destination, app: Hono<KernelEnv>): RequestFacts => {
    const own = found.site.facts?.(exchange) ?? {};
    const declared = operations?.of(exchange, found.site.hosts) ?? [];
    return { ...own, operation: [...operationOf(found, app, exchange), ...declared, ...(own.operation ?? [])] };
  };

  const dispatch = async (app: Hono<KernelEnv>, exchange: Exchange, errors: ProviderErrors) => {
    if (!(await passThrough(app, exchange))) {
      exchange.note("unroutable", `${exchange.method} ${exchange.target}`);
      errors.notFound(exchange);
    }
    if (!exchange.answered) unexpected(exchange, new Error("a handler did not answer"), errors);
  };

  return {
    answersTo,
    async load() {
      await Promise.all([others(), loadSites()]);
    },
    handle(incoming, outgoing) {
      const exchange = fromSocket(incoming, nextId(), clock.now());
      process(exchange, (limit) => readIncoming(incoming, limit))
        .catch((cause: unknown) => {
          abandoned(runtime, exchange, cause);
          outgoing.destroy();
        })
        .then(() => leave({ exchange, incoming, outgoing }));
    },
    async fetch(request) {
      const exchange = fromRequest(request, nextId(), clock.now());
      await process(exchange, (limit) => readRequest(request, limit));
      return exchange.departure
        ? departInProcess(exchange.departure, exchange.answered, request.signal)
        : responseOf(exchange.answered);
    },
  };
}

function misdirected(exchange: Exchange, sites: readonly Site[]): void {
  exchange.note("misdirected", exchange.host);
  answerJson(exchange, 421, {
    error: "backlot.unknown_host",
    message: `${exchange.host || "A request without a Host header"} is not a name this server answers to.`,
    hint: "Use 127.0.0.1 or localhost, one of the emulated names, or add the name to BACKLOT_ALLOWED_HOSTS.",
    known: sites.flatMap((site) => site.hosts),
  });
}

/** Answers what a handler threw: known errors as the provider words them, anything else as an incident with a number. */
function failureTeller(runtime: Pick<HostRuntime, "name" | "journal" | "log">) {
  return (exchange: Exchange, cause: unknown, errors: ProviderErrors): Response => {
    if (cause instanceof Overloaded) return overloaded(exchange, errors, cause);
    const known = errors.thrown(exchange, cause);
    if (known) return known;
    const incident = `${runtime.name}-${exchange.id.slice(-12)}`;
    const told = cause instanceof Error ? (cause.stack ?? cause.message) : String(cause);
    runtime.journal.append("incident", incident, { request: exchange.id, cause: told });
    runtime.log.error({ incident, cause: told }, "an operation failed unexpectedly");
    return errors.unexpected(exchange, incident);
  };
}

/** Only a client that went away in mid-body gets here: there is nobody left to answer. */
function abandoned(runtime: Pick<HostRuntime, "journal" | "log">, exchange: Exchange, cause: unknown): void {
  const { method, target, host } = exchange;
  runtime.log.debug({ cause: String(cause), target }, "a request was abandoned");
  runtime.journal.append("request", exchange.id, { method, target, host, status: 0, abandoned: String(cause) });
}

/** Writes a finished exchange to the journal. */
function recorder({ journal }: Pick<HostRuntime, "journal">) {
  return (exchange: Exchange, wallMs: number): void => {
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
}
