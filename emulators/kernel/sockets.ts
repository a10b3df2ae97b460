/** Every socket of one emulator: its HTTP surfaces on their ports, ports opened later, and listeners that are not HTTP. */
import type { Server } from "node:http";
import type { Certificates } from "./certificates.ts";
import type { Address, Emulator, HttpSurface, Runtime, Site } from "./emulator.ts";
import { attachFeed, type FeedUpgrades } from "./feed-upgrade.ts";
import type { Host } from "./host.ts";
import { serve } from "./serve.ts";
import { definitions } from "./setting-definitions.ts";
import { reachableHost, type Settings } from "./settings.ts";
import { siteSockets } from "./site-sockets.ts";

const closeDeadlineMs = 1_000;

export interface Sockets {
  /** Open so far, also while more are being opened. */
  readonly addresses: readonly Address[];
  readonly servers: readonly Server[];
  open(): Promise<void>;
  close(): Promise<void>;
}

/** What answers on the ports of one HTTP surface. */
export interface Served {
  readonly host: Host;
  readonly sites: readonly Site[];
}

export interface SocketsOptions<State, Seed> {
  readonly emulator: Emulator<State, Seed>;
  readonly runtime: Runtime<State>;
  /** One for each HTTP surface. */
  readonly surfaces: readonly Served[];
  readonly certificates: () => Certificates;
  /** Requests to watch the journal live. */
  readonly feed: (host: Host) => FeedUpgrades;
}

/** Where it would be reached: for printing variables before anything runs. A free port (0) is not known yet. */
export function settledAddresses<State, Seed>(emulator: Emulator<State, Seed>, settings: Settings): Address[] {
  const surfaces = emulator.http.flatMap(({ name, ports }) =>
    ports.map(({ setting, tls }) => ({ name, setting, scheme: tls ? ("https" as const) : ("http" as const) })),
  );
  const listeners = (emulator.listeners ?? []).map(({ name, setting }) => ({ name, setting, scheme: "tcp" as const }));
  return [...surfaces, ...listeners].flatMap(({ name, setting, scheme }) => {
    const port = settings[setting];
    return port === undefined || port === 0 ? [] : [{ name, scheme, host: reachableHost(settings.host), port }];
  });
}

/** Nothing is listened to before `open` is called. */
export function createSockets<State, Seed>(options: SocketsOptions<State, Seed>): Sockets {
  const { emulator, runtime, certificates } = options;
  const { settings } = runtime;
  const reachable = reachableHost(settings.host);
  const addresses: Address[] = [];
  const servers: Server[] = [];
  const closers: (() => Promise<void>)[] = [];

  const openSurface = async (surface: HttpSurface<State>, { host, sites }: Served) => {
    const own = siteSockets({ runtime, sites, answersTo: host.answersTo });
    for (const { setting, tls } of surface.ports) {
      const port = settings[setting];
      if (port === undefined) continue;
      const served = await serve({
        host: settings.host,
        port,
        certificates: tls ? certificates() : undefined,
        handle: host.handle,
        setting: definitions[setting].env,
        switches: own.wants,
      });
      servers.push(served.server);
      const detach = attachFeed(served.server, options.feed(host), own);
      closers.push(() => {
        detach();
        return served.close(closeDeadlineMs);
      });
      addresses.push({ name: surface.name, scheme: tls ? "https" : "http", host: reachable, port: served.port });
    }
  };
  const offerMore = (surface: HttpSurface<State>, { host }: Served) =>
    surface.more?.(runtime, async (port) => {
      const served = await serve({
        host: settings.host,
        port,
        certificates: undefined,
        handle: host.handle,
        setting: `a further ${surface.name} port`,
      });
      closers.push(() => served.close(closeDeadlineMs));
      return served.port;
    });
  const openListeners = async () => {
    for (const listener of emulator.listeners ?? []) {
      const port = settings[listener.setting];
      if (port === undefined) continue;
      const opened = await listener.open(runtime, {
        host: settings.host,
        port,
        get certificates() {
          return certificates();
        },
      });
      closers.push(() => opened.close(closeDeadlineMs));
      addresses.push({ name: listener.name, scheme: "tcp", host: reachable, port: opened.port });
    }
  };

  return {
    addresses,
    servers,
    async open() {
      const surfaces = emulator.http.flatMap((surface, index) => {
        const served = options.surfaces[index];
        return served ? [{ surface, served }] : [];
      });
      for (const { surface, served } of surfaces) await openSurface(surface, served);
      for (const { surface, served } of surfaces) offerMore(surface, served);
      await openListeners();
    },
    async close() {
      await Promise.all(closers.map((closer) => closer()));
    },
  };
}
