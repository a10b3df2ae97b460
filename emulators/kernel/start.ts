/** One emulator, whole: state, seed, timers, dispatcher, control API, sockets. */
import type { Server } from "node:http";
import { createCertificatesLazily } from "./authority.ts";
import type { Certificates } from "./certificates.ts";
import { afterReal, type Instant } from "./clock.ts";
import { tokenGuard } from "./control-guard.ts";
import { vitalRoutes } from "./control-vitals.ts";
import type { Address, Emulator, HttpSurface, Runtime } from "./emulator.ts";
import { createEngine, type Engine } from "./engine.ts";
import { createFaultGate } from "./fault-gate.ts";
import { feedUpgrades } from "./feed-permission.ts";
import { createFiring } from "./firing.ts";
import type { Front } from "./front.ts";
import type { Gate } from "./gate.ts";
import { type ControlRoutes, createHost, type Host } from "./host.ts";
import { createEtagGate } from "./http/etag.ts";
import { controlMethods, createIdempotencyGate, providerMethods, tableReplays } from "./idempotency.ts";
import { createChanges, type Lifecycle, startingClock } from "./lifecycle.ts";
import { createLog, type Log } from "./log.ts";
import { refusal } from "./mode.ts";
import { observe } from "./observation.ts";
import { once } from "./once.ts";
import { declaredOperations } from "./operations.ts";
import { readSeedFile } from "./seed.ts";
import { type Settings, settingsFrom } from "./settings.ts";
import { createSockets, type Served, type Sockets, settledAddresses } from "./sockets.ts";

const warmUpDelayMs = 300;
/** In which V8 clears away what loading left: the garbage of both at once would be 5 MB that stay. */
const warmUpPauseMs = 150;

export interface StartOptions {
  /** Settings as they would stand in the environment; ignored when `settings` is given. */
  readonly environment?: Readonly<Record<string, string | undefined>>;
  readonly settings?: Settings;
  readonly certificates?: () => Certificates;
  readonly log?: Log;
  /** False opens no socket: only `fetch` answers. */
  readonly listen?: boolean;
  /** Wall instant at which a `ticking@` clock shows its instant; one for all emulators of a suite. */
  readonly wallAnchor?: Instant;
  /** Where the variables of real mode are looked for: names only ever leave the process. Default: process.env. */
  readonly processEnvironment?: Readonly<Record<string, string | undefined>>;
  /** A page for people on this emulator's own ports. */
  readonly front?: (name: string) => Front;
}

export interface RunningEmulator<State = unknown> {
  readonly name: string;
  readonly title: string;
  readonly runtime: Runtime<State>;
  readonly addresses: readonly Address[];
  readonly servers: readonly Server[];
  fetch(request: Request): Promise<Response>;
  /** Moves virtual time, fires everything due in order, and answers when it has settled. */
  advance(to: Instant): Promise<number>;
  reset(): void;
  digest(): string;
  environment(): Readonly<Record<string, string>>;
  /** Does ahead what the first requests would wait for, a step whenever nothing else is to be done. */
  warmUp(): void;
  close(): Promise<void>;
}

export async function startEmulator<State, Seed>(
  emulator: Emulator<State, Seed>,
  options: StartOptions = {},
): Promise<RunningEmulator<State>> {
  const settings = options.settings ?? settingsFrom(options.environment ?? {});
  const log = (options.log ?? createLog(settings.logLevel)).child({ emulator: emulator.name });
  const certificates = options.certificates ?? createCertificatesLazily(settings, emulator.hosts);
  const initial = startingClock(settings, options.wallAnchor);
  const engine = createEngine(emulator, settings, log, initial, await readSeedFile(emulator.seed));
  const { runtime } = engine;
  const observation = observe(emulator, runtime);
  const { fire, advance } = createFiring(engine);
  const changes = createChanges(engine, initial);
  const known = options.listen === false ? settledAddresses(emulator, settings) : undefined;
  const environment = (): Readonly<Record<string, string>> => emulator.environment(runtime, known ?? sockets.addresses);
  const { limits } = engine;
  const lifecycle: Lifecycle = { ...changes, advance, environment, certificates, limits, probe: engine, observation };
  const surfaces: readonly Served[] = createSurfaces(engine, lifecycle, options);
  const sockets: Sockets = createSockets({
    emulator,
    runtime,
    surfaces,
    certificates,
    feed: ({ answersTo }) =>
      feedUpgrades({
        ...observation,
        answersTo,
        controlToken: settings.controlToken,
        corsOrigins: settings.corsOrigins,
      }),
  });
  const warming = new AbortController();
  const close = async () => {
    warming.abort();
    engine.timers.stop();
    engine.faults.close();
    observation.endFeeds();
    await sockets.close();
    engine.outbox.close();
    engine.sender.close();
    await observation.close();
    runtime.store.close();
  };
  engine.timers.start(fire);
  runtime.mode.onChange((current) => {
    if (current === "real") return;
    fire();
    engine.outbox.pump();
  });
  try {
    if (!known) await sockets.open();
  } catch (cause) {
    await close();
    throw cause;
  }
  const { name, title } = emulator;
  return {
    name,
    title,
    runtime,
    addresses: known ?? sockets.addresses,
    servers: sockets.servers,
    fetch(request) {
      const host = surfaces[0]?.host;
      if (!host) throw new Error(`${name} has no HTTP surface`);
      return host.fetch(request);
    },
    advance,
    reset: changes.reset,
    digest: () => runtime.store.digest(),
    environment,
    warmUp: () => warmAhead(surfaces, emulator.warm?.(runtime) ?? [], { signal: warming.signal, log }),
    close,
  };
}

/**
 * Once whoever waited for the start has made its first requests: the routes that wait for theirs, then `steps`, one a turn,
 * so that others come in between.
 */
export function warmAhead(
  served: readonly { readonly host: Pick<Host, "load"> }[],
  steps: Iterable<void>,
  { signal, log }: { readonly signal: AbortSignal; readonly log: Log },
): void {
  afterReal(warmUpDelayMs, () => {
    if (signal.aborted) return;
    Promise.all(served.map(({ host }) => host.load())).then(
      () => takeSteps(steps, signal),
      (cause: unknown) => log.error({ cause: String(cause) }, "routes could not be loaded"),
    );
  });
}

function takeSteps(steps: Iterable<void>, signal: AbortSignal): void {
  const left = steps[Symbol.iterator]();
  const next = () => {
    if (!signal.aborted && !left.next().done) setImmediate(next);
  };
  afterReal(warmUpPauseMs, next);
}

/** One for each HTTP surface, with the same control API. */
function createSurfaces<State, Seed>(
  engine: Engine<State, Seed>,
  lifecycle: Lifecycle,
  { processEnvironment = process.env, ...options }: StartOptions,
): Served[] {
  const { emulator, runtime, limits, faults, tracer, traffic } = engine;
  const { store, clock, settings } = runtime;
  const { tokens, checks } = lifecycle.observation;
  const guard = tokenGuard(settings.controlToken, tokens);
  const front = options.front?.(emulator.name);
  const control: ControlRoutes = {
    vitals: vitalRoutes(emulator, runtime, checks),
    others: once(async () => {
      const { createControl } = await import("./control.ts");
      const routes = await createControl(emulator, runtime, lifecycle);
      front?.mount(routes);
      return routes;
    }),
  };
  const replays = tableReplays(store);
  const operations = declaredOperations(emulator.capabilities, emulator.spanning);
  const controlGates = [
    createEtagGate(settings.cacheResponses),
    createIdempotencyGate({ keeper: replays, clock, methods: controlMethods }),
  ];
  const gatesOf = (surface: HttpSurface<State>): Gate[] => [
    { before: traffic.seen },
    limits.gate,
    createFaultGate(faults),
    createIdempotencyGate({ keeper: replays, clock, methods: providerMethods }),
    ...(surface.tagged ? [createEtagGate(settings.cacheResponses)] : []),
  ];
  return emulator.http.map((surface) => {
    const sites = surface.sites(runtime);
    const host = createHost({
      runtime,
      sites,
      control,
      guard: front?.guard(guard, tokens) ?? guard,
      ...(front && surface.forPeople ? { page: front.page } : {}),
      refusal: (askedBy) => refusal(emulator.real, askedBy, processEnvironment),
      allowedHosts: settings.allowedHosts,
      gates: gatesOf(surface),
      controlGates,
      tracer,
      operations,
    });
    return { host, sites };
  });
}
