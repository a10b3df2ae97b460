/** Which routes a request reaches: by the host name it was sent to, or by the first path segment on a plain address. */
import { Hono } from "hono";
import type { KernelEnv, Site } from "./emulator.ts";
import type { Exchange } from "./exchange.ts";
import { hostname, hostPattern } from "./host-names.ts";
import { once } from "./once.ts";
import { routedPath } from "./routing.ts";

export interface Destination {
  readonly site: Site;
  /** A promise while they are loaded for the first request. */
  routes(): Hono<KernelEnv> | Promise<Hono<KernelEnv>>;
  /** Reached under its prefix rather than by its name. */
  readonly prefixed: boolean;
}

export interface Sites {
  /** Undefined when the Host header names nothing that answers here. */
  route(exchange: Exchange): Destination | undefined;
  answersTo(host: string): boolean;
  /** Whether this server is meant itself, by its address or a name of its own, and no provider's host. */
  isOwn(host: string): boolean;
  /** Loads the routes of every site. */
  load(): Promise<unknown>;
}

interface Mounted {
  readonly byName: Destination;
  readonly byPrefix: Destination | undefined;
  readonly hosts: readonly RegExp[];
}

export interface SitesOptions {
  readonly sites: readonly Site[];
  readonly allowedHosts: readonly string[];
  /** What a handler threw. */
  failed(exchange: Exchange, cause: unknown, site: Site): Response;
}

export function createSites(options: SitesOptions): Sites {
  const mounted = options.sites.map((site) => mount(site, options.failed));
  const root = (mounted.find(({ byPrefix }) => byPrefix === undefined) ?? mounted[0])?.byName;
  const prefixes = new Map(
    mounted.flatMap(({ byPrefix }) =>
      byPrefix?.site.prefix === undefined ? [] : [[byPrefix.site.prefix, byPrefix] as const],
    ),
  );
  const plainHosts = new Set([
    "localhost",
    "127.0.0.1",
    "[::1]",
    ...options.allowedHosts.map((name) => name.toLowerCase()),
  ]);
  const isPlain = (name: string) => plainHosts.has(name) || plainHosts.has("*");
  const named = (name: string) => mounted.find(({ hosts }) => hosts.some((pattern) => pattern.test(name)));
  return {
    route(exchange) {
      const name = hostname(exchange.host);
      if (!isPlain(name)) return named(name)?.byName;
      return prefixes.get(/^\/([^/?]*)/.exec(exchange.target)?.[1] ?? "") ?? root;
    },
    answersTo(host) {
      const name = hostname(host);
      return isPlain(name) || named(name) !== undefined;
    },
    isOwn: (host) => isPlain(hostname(host)),
    load: () => Promise.all(mounted.map(({ byName }) => byName.routes())),
  };
}

function mount(site: Site, failed: SitesOptions["failed"]): Mounted {
  const { prefix, routes } = site;
  const guarded = (app: Hono<KernelEnv>): Hono<KernelEnv> => {
    app.onError((cause, c) => failed(c.env.exchange, cause, site));
    app.notFound((c) => {
      const allowed = methodsFor(app, c.req.path);
      return allowed.length > 0
        ? site.errors.methodNotAllowed(c.env.exchange, allowed)
        : site.errors.notFound(c.env.exchange);
    });
    return app;
  };
  const open = (app: Hono<KernelEnv>) => ({
    byName: guarded(app),
    byPrefix: prefix === undefined ? app : guarded(new Hono<KernelEnv>().route(`/${prefix}`, app)),
  });
  let opened = typeof routes === "function" ? undefined : open(routes);
  const load = once(async () => {
    opened ??= open(typeof routes === "function" ? await routes() : routes);
    return opened;
  });
  const door = (by: "byName" | "byPrefix"): Destination => ({
    site,
    prefixed: by === "byPrefix",
    routes: () => opened?.[by] ?? load().then((loaded) => loaded[by]),
  });
  return {
    byName: door("byName"),
    byPrefix: prefix === undefined ? undefined : door("byPrefix"),
    hosts: site.hosts.map(hostPattern),
  };
}

/** The route as the capabilities write it, `GET /notes/{id}`, with and without the prefix that reached it. */
export function operationOf(
  { site, prefixed }: Destination,
  app: Hono<KernelEnv>,
  exchange: Exchange,
): readonly string[] {
  const path = routedPath(app, exchange);
  if (path === undefined) return [];
  const route = app.router.match(exchange.method, path)[0].at(-1)?.[0][1];
  if (!route) return [];
  const written = route.path.replace(/:(\w+)(\{[^}]*\})?/g, "{$1}");
  const short = prefixed ? written.slice(`/${site.prefix}`.length) : written;
  return [...new Set([short, written])].map((one) => `${route.method} ${one}`);
}

function methodsFor(app: Hono<KernelEnv>, path: string): string[] {
  return ["GET", "POST", "PUT", "PATCH", "DELETE"].filter((method) => app.router.match(method, path)[0].length > 0);
}
