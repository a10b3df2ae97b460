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
import { RequestExchange, readRequest, responseOf } from "./exchange-fetch.ts";
import { createDepartures, readIncoming, SocketExchange } from "./exchange-socket.ts";
import { asksForPage } from "./front.ts";
import { type Gate, type Routed, through, type Work } from "./gate.ts";
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
type ReadBody = (limit: number) => Buffer | undefined | Promise<Buffer | undefined>;

const controlPaths = /^\/(_backlot(\/|$|\?)|health($|\?)|api\/v1\/(health|status\/providers)($|\?))/;
const controlRouted: Routed = { errors: plainErrors, facts: () => ({}) };

export function createHost(options: HostOptions): Host {
  const { runtime, control, operations, gates, tracer } = options;
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

  const process = (exchange: Exchange, readBody: ReadBody): Work => {
    const finished = stopwatch();
    if (controlPaths.test(exchange.target)) return controlledWhole(exchange, readBody, finished);
    if (options.page && asksForPage(exchange) && isOwn(exchange.host))
      return options.page(exchange).then(
        () => {},
        (cause: unknown) => void unexpected(exchange, cause, plainErrors),
      );
    return next(provided(exchange, readBody), () => next(committed(exchange), () => record(exchange, finished())));
  };

  /** Waits for the commit of what the request wrote; a commit that failed is the answer. */
  const committed = (exchange: Exchange): Work =>
    store.committed()?.catch((cause: unknown) => {
      unexpected(exchange, cause, route(exchange)?.site.errors ?? plainErrors);
    });

  const controlledWhole = async (exchange: Exchange, readBody: ReadBody, finished: () => number) => {
    await controlled(exchange, readBody);
    await committed(exchange);
    harden(exchange, settings.corsOrigins);
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

  const provided = (exchange: Exchange, readBody: ReadBody): Work => {
    const found = route(exchange);
    if (!found) return misdirected(exchange, options.sites);
    const { site } = found;
    const { errors } = site;
    if (found.prefixed) exchange.base = `${exchange.origin}/${site.prefix}`;
    const askedBy = mode.askedBy ?? asksForReal(exchange);
    if (askedBy !== undefined) {
      exchange.note("refused", askedBy);
      errors.unavailable(exchange, options.refusal(askedBy));
      return undefined;
    }
    return next(stopped(exchange, errors), (early) =>
      early ? undefined : next(readBody(settings.bodyLimit), (body) => routed(exchange, found, body)),
    );
  };

  /** Whether a gate answered before the body was read. */
  const stopped = (exchange: Exchange, errors: ProviderErrors, from = 0): boolean | Promise<boolean> => {
    for (let index = from; index < gates.length; index += 1) {
      const early = gates[index]?.before?.(exchange, errors);
      if (early instanceof Promise) return early.then((answer) => !!answer || stopped(exchange, errors, index + 1));
      if (early) return true;
    }
    return false;
  };

  const routed = (exchange: Exchange, found: Destination, body: Buffer | undefined): Work => {
    const { errors } = found.site;
    if (!body) {
      errors.tooLarge(exchange, settings.bodyLimit);
      return undefined;
    }
    exchange.body = body;
    return next(found.routes(), (app) => {
      const facts = () => factsOf(exchange, found, app);
      const trace = tracer?.begin(exchange);
      return through(gates, exchange, { errors, facts }, () =>
        trace === undefined || !tracer
          ? dispatch(app, exchange, errors)
          : tracer.run(trace, () => dispatch(app, exchange, errors)),
      );
    });
  };

  const factsOf = (exchange: Exchange, found: Destination, app: Hono<KernelEnv>): RequestFacts => {
    const own = found.site.facts?.(exchange) ?? {};
    const declared = operations?.of(exchange, found.site.hosts) ?? [];
    return { ...own, operation: [...operationOf(found, app, exchange), ...declared, ...(own.operation ?? [])] };
  };

  const dispatch = (app: Hono<KernelEnv>, exchange: Exchange, errors: ProviderErrors): Work =>
    next(passThrough(app, exchange), (routable) => {
      if (!routable) {
        exchange.note("unroutable", `${exchange.method} ${exchange.target}`);
        errors.notFound(exchange);
      }
      if (!exchange.answered) unexpected(exchange, new Error("a handler did not answer"), errors);
    });

  return {
    answersTo,
    async load() {
      await Promise.all([others(), loadSites()]);
    },
    handle(incoming, outgoing) {
      const exchange = new SocketExchange(incoming, nextId(), clock.now());
      const leaving = { exchange, incoming, outgoing };
      const lost = (cause: unknown) => {
        abandoned(runtime, exchange, cause);
        outgoing.destroy();
      };
      try {
        const work = process(exchange, (limit) => readIncoming(incoming, limit));
        if (work) work.catch(lost).then(() => leave(leaving));
        else leave(leaving);
      } catch (cause) {
        lost(cause);
      }
    },
    async fetch(request) {
      const exchange = new RequestExchange(request, nextId(), clock.now());
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

/** Writes a finished exchange to the journal: the last facts of its entry. */
function recorder({ journal }: Pick<HostRuntime, "journal">) {
  return (exchange: Exchange, wallMs: number): void => {
    const { answered, notes } = exchange;
    if (exchange.origin.startsWith("https:")) exchange.note("secure", true);
    exchange.note("status", answered?.status ?? 0);
    exchange.note("wallMs", wallMs);
    exchange.note("requestHeaders", exchange.headers());
    exchange.note("requestBody", exchange.body);
    exchange.note("responseHeaders", answered?.headers);
    exchange.note("responseBody", answered?.body instanceof ReadableStream ? "(stream)" : answered?.body);
    journal.append("request", exchange.id, notes);
  };
}

/** Goes on at once where there is nothing to wait for. */
function next<T, Next>(work: T | Promise<T>, then: (value: T) => Next | Promise<Next>): Next | Promise<Next> {
  return work instanceof Promise ? work.then(then) : then(work);
}
