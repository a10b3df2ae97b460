/** One emulator, whole: state, seed, timers, dispatcher, sockets. */
import { createHash } from "node:crypto";
import type { Server } from "node:http";
import { createCertificatesLazily } from "./authority.ts";
import type { Certificates } from "./certificates.ts";
import { type ClockSetting, createClock, type Instant, parseClock } from "./clock.ts";
import { createControl } from "./control.ts";
import { feedUpgrades } from "./control-feed.ts";
import type { ProbeLine } from "./control-probe.ts";
import { createSender } from "./delivery.ts";
import { createEgress } from "./egress.ts";
import type { Address, Emulator, Runtime } from "./emulator.ts";
import { createFaultGate } from "./fault-gate.ts";
import { delayTimer } from "./fault-holds.ts";
import { createFaults, type FaultsEngine } from "./faults.ts";
import { attachFeed, type FeedUpgrades } from "./feed-upgrade.ts";
import { createHost, type Host } from "./host.ts";
import { createEtagGate } from "./http/etag.ts";
import { controlMethods, createIdempotencyGate, providerMethods, tableReplays } from "./idempotency.ts";
import { createIds } from "./ids.ts";
import { createLimits, type Limits } from "./limits.ts";
import { createLog, type Log } from "./log.ts";
import { createMode, refusal } from "./mode.ts";
import { type Observation, observe, openJournal, runName } from "./observation.ts";
import { createOutbox, type OutboxEngine, retryTimer } from "./outbox.ts";
import { createTraffic } from "./outbox-pace.ts";
import { parseRateLimit } from "./rate-limit.ts";
import { parseSeed, readSeedFile, type SeedText } from "./seed.ts";
import { serve } from "./serve.ts";
import { definitions, reachableHost, type Settings, settingsFrom } from "./settings.ts";
import { type SiteSockets, siteSockets } from "./site-sockets.ts";
import { openStore, type Store } from "./state.ts";
import { createTimers, type TimerEngine } from "./timers.ts";
import { createTracer, type Tracer } from "./tracing.ts";
import type { BoundScheme, WebhookScheme } from "./webhook.ts";

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
  close(): Promise<void>;
}

/** What the control API may do to the instance as a whole. */
export interface Lifecycle {
  advance(to: Instant): Promise<number>;
  reset(): void;
  restore(snapshot: string): boolean;
  reseed(seed: SeedText): void;
  environment(): Readonly<Record<string, string>>;
  certificates(): Certificates;
  readonly limits: Limits;
  readonly probe: ProbeLine;
  readonly observation: Observation;
}

export async function startEmulator<State, Seed>(
  emulator: Emulator<State, Seed>,
  options: StartOptions = {},
): Promise<RunningEmulator<State>> {
  const settings = options.settings ?? settingsFrom(options.environment ?? {});
  const log = (options.log ?? createLog(settings.logLevel)).child({ emulator: emulator.name });
  const certificates = options.certificates ?? createCertificatesLazily(settings, emulator.hosts);
  const initial = startingClock(settings, options.wallAnchor);
  const clock = createClock(initial, settings.pace);
  const ids = createIds(settings.seed);
  const tracer = createTracer(ids, settings.otlpEndpoint === undefined ? undefined : { run: runName(clock) });
  const timers = createTimers(clock, tracer);
  const journal = openJournal(emulator.name, settings, clock, log);
  const mode = createMode(settings);
  const store = openStore({
    name: emulator.name,
    tables: emulator.tables,
    pageSize: emulator.pageSize ?? 4096,
    dataDir: settings.dataDir,
    ids,
    timers,
    now: () => clock.now(),
    onFailure: (cause) => log.error({ cause: String(cause) }, "a commit failed; what it held is lost"),
  });
  const state = emulator.open(store.db);
  const sender = createSender();
  const egress = createEgress(settings.webhookAllow);
  const traffic = createTraffic();
  const outbox: OutboxEngine = createOutbox({
    emulator: emulator.name,
    store,
    clock,
    timers,
    ids,
    journal,
    mode,
    egress,
    sender,
    log,
    schemes: (emulator.webhooks ?? []).map((scheme) => bind(scheme, () => runtime)),
    signed: settings.webhookSignatures,
    capacity: settings.webhookQueue,
    keep: settings.webhookKeep,
    traffic,
    tracer,
  });
  const faults = createFaults({ emulator: emulator.name, store, clock, timers, ids, journal });
  const limits = createLimits({
    store,
    clock,
    configured: parseRateLimit(settings.requestLimit) ?? [],
    enabled: settings.rateLimit,
  });
  const runtime: Runtime<State> = {
    name: emulator.name,
    settings,
    clock,
    timers,
    ids,
    store,
    state,
    journal,
    outbox,
    faults,
    mode,
    log,
  };
  seedStore(emulator, runtime, store, readSeedFile(emulator.seed.file));

  const observation = observe(emulator, runtime);
  const fire = createFirer(emulator, runtime, timers, outbox, faults, tracer);
  timers.start(fire);
  mode.onChange((current) => {
    if (current === "real") return;
    fire();
    outbox.pump();
  });
  const addresses: Address[] = [];
  /** What keeps rows in memory reads them again. */
  const reload = () => {
    faults.load();
    limits.load();
    outbox.load();
  };
  const lifecycle: Lifecycle = {
    advance: (to) => advance(runtime, timers, outbox, faults, fire, to),
    reset() {
      clock.set(initial.at === undefined ? initial : { mode: initial.mode, at: initial.at });
      store.reset();
      journal.clear();
      reload();
    },
    restore(snapshot) {
      if (!store.snapshots.restore(snapshot)) return false;
      // Time goes back with the rows only where it stands still; a running clock cannot be believed twice.
      const saved = store.snapshots.list().find(({ name }) => name === snapshot);
      if (saved && clock.mode === "frozen") clock.set({ mode: "frozen", at: saved.savedAt });
      reload();
      return true;
    },
    reseed(seed) {
      applySeed(emulator, runtime, store, seed);
      journal.clear();
      reload();
    },
    environment: () => emulator.environment(runtime, addresses),
    certificates,
    limits,
    probe: { egress, sender },
    observation,
  };
  const { control, guard } = createControl(emulator, runtime, lifecycle);
  const replays = tableReplays(store);
  const sites = emulator.http.map((surface) => surface.sites(runtime));
  const hosts = emulator.http.map((surface, index) =>
    createHost({
      runtime,
      sites: sites[index] ?? [],
      control,
      guard,
      refusal: (askedBy) => refusal(emulator.real, askedBy, options.processEnvironment ?? process.env),
      allowedHosts: settings.allowedHosts,
      gates: [
        { before: traffic.seen },
        limits.gate,
        createFaultGate(faults),
        createIdempotencyGate({ keeper: replays, clock, methods: providerMethods }),
        ...(surface.tagged ? [createEtagGate(settings.cacheResponses)] : []),
      ],
      controlGates: [
        createEtagGate(settings.cacheResponses),
        createIdempotencyGate({ keeper: replays, clock, methods: controlMethods }),
      ],
      tracer,
    }),
  );
  const closers: (() => Promise<void>)[] = [];
  const servers: Server[] = [];
  const upgrades = (host: Host, index: number): Upgrades => ({
    feed: feedUpgrades({
      ...observation,
      answersTo: host.answersTo,
      controlToken: settings.controlToken,
      corsOrigins: settings.corsOrigins,
    }),
    sites: siteSockets({ runtime, sites: sites[index] ?? [], answersTo: host.answersTo }),
  });
  const close = async () => {
    timers.stop();
    faults.close();
    observation.endFeeds();
    await Promise.all(closers.map((closer) => closer()));
    outbox.close();
    sender.close();
    await observation.close();
    store.close();
  };
  try {
    if (options.listen === false) addresses.push(...settledAddresses(emulator, settings));
    else await open(emulator, runtime, hosts, certificates, addresses, closers, servers, upgrades);
  } catch (cause) {
    await close();
    throw cause;
  }
  return {
    name: emulator.name,
    title: emulator.title,
    runtime,
    addresses,
    servers,
    fetch: (request) => {
      const host = hosts[0];
      if (!host) throw new Error(`${emulator.name} has no HTTP surface`);
      return host.fetch(request);
    },
    advance: lifecycle.advance,
    reset: lifecycle.reset,
    digest: () => store.digest(),
    environment: lifecycle.environment,
    close,
  };
}

/** What the clock shows at the start and after a reset. `frozen` without an instant stands still at the start. */
export function startingClock(settings: Settings, wallAnchor: Instant | undefined): ClockSetting {
  const parsed = parseClock(settings.clock) ?? { mode: "real" };
  if (parsed.mode === "real" || wallAnchor === undefined) return parsed;
  return { mode: parsed.mode, at: parsed.at ?? wallAnchor, anchor: wallAnchor };
}

/** Where it would be reached: for printing variables before anything runs. A free port (0) is not known yet. */
function settledAddresses<State, Seed>(emulator: Emulator<State, Seed>, settings: Settings): Address[] {
  const surfaces = emulator.http.flatMap(({ name, ports }) =>
    ports.map(({ setting, tls }) => ({ name, setting, scheme: tls ? ("https" as const) : ("http" as const) })),
  );
  const listeners = (emulator.listeners ?? []).map(({ name, setting }) => ({ name, setting, scheme: "tcp" as const }));
  return [...surfaces, ...listeners].flatMap(({ name, setting, scheme }) => {
    const port = settings[setting];
    return port === undefined || port === 0 ? [] : [{ name, scheme, host: reachableHost(settings.host), port }];
  });
}

/** Who answers requests to switch protocols. */
interface Upgrades {
  readonly feed: FeedUpgrades;
  readonly sites: SiteSockets;
}

async function open<State, Seed>(
  emulator: Emulator<State, Seed>,
  runtime: Runtime<State>,
  hosts: readonly Host[],
  certificates: () => Certificates,
  addresses: Address[],
  closers: (() => Promise<void>)[],
  servers: Server[],
  upgrades: (host: Host, index: number) => Upgrades,
): Promise<void> {
  const { settings } = runtime;
  for (const [index, surface] of emulator.http.entries()) {
    for (const { setting, tls } of surface.ports) {
      const port = settings[setting];
      const host = hosts[index];
      if (port === undefined || !host) continue;
      const { feed, sites } = upgrades(host, index);
      const served = await serve({
        host: settings.host,
        port,
        certificates: tls ? certificates() : undefined,
        handle: host.handle,
        setting: definitions[setting].env,
        switches: sites.wants,
      });
      servers.push(served.server);
      const detach = attachFeed(served.server, feed, sites);
      closers.push(() => {
        detach();
        return served.close(closeDeadlineMs);
      });
      addresses.push({
        name: surface.name,
        scheme: tls ? "https" : "http",
        host: reachableHost(settings.host),
        port: served.port,
      });
    }
  }
  for (const [index, surface] of emulator.http.entries()) {
    const host = hosts[index];
    if (!host) continue;
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
  }
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
    addresses.push({ name: listener.name, scheme: "tcp", host: reachableHost(settings.host), port: opened.port });
  }
}

const closeDeadlineMs = 1_000;
const mostAtOnce = 256;

/** Each timer is a change of its own: one that fails leaves the others alone and becomes an incident. */
function createFirer<State, Seed>(
  emulator: Emulator<State, Seed>,
  runtime: Runtime<State>,
  timers: TimerEngine,
  outbox: OutboxEngine,
  faults: FaultsEngine,
  tracer: Tracer,
): () => number {
  const { store, journal, log, clock, mode } = runtime;
  return () => {
    let fired = 0;
    while (mode.current === "mock") {
      const due = timers.takeDue(clock.now(), mostAtOnce);
      if (due.length === 0) break;
      for (const timer of due) {
        try {
          const work = () => {
            if (timer.kind === retryTimer) outbox.due(timer.subject);
            else if (timer.kind === delayTimer) faults.due(timer.subject);
            else emulator.timers?.[timer.kind]?.(runtime, timer);
          };
          tracer.run(timer.trace, () => store.write(work));
          fired += 1;
        } catch (cause) {
          journal.append("incident", timer.subject, { timer: timer.kind, cause: String(cause) });
          log.error(
            { timer: timer.kind, subject: timer.subject, cause: cause instanceof Error ? cause.stack : String(cause) },
            "a timer failed",
          );
        }
      }
    }
    return fired;
  };
}

async function advance(
  runtime: Runtime<unknown>,
  timers: TimerEngine,
  outbox: OutboxEngine,
  faults: FaultsEngine,
  fire: () => number,
  to: Instant,
): Promise<number> {
  let fired = 0;
  for (;;) {
    fired += fire();
    await faults.settled();
    await outbox.idle();
    const next = timers.nextDue();
    if (runtime.mode.current === "real" || next === undefined || next > to) break;
    runtime.clock.moveTo(next);
  }
  runtime.clock.moveTo(to);
  return fired;
}

function bind<State>(scheme: WebhookScheme<State>, runtime: () => Runtime<State>): BoundScheme {
  return {
    name: scheme.name,
    headers: scheme.headers,
    ordered: scheme.ordered ?? true,
    secretOf: (credential) => scheme.secretOf(runtime(), credential),
    sign: (request, secret) => scheme.sign(request, secret),
    address: (url) => scheme.address?.(url) ?? url,
    retryDelay: (url, attempts, outcome, last) => scheme.retryDelay(url, attempts, outcome, last, runtime()),
    describe: (next) => scheme.describe?.(next, runtime()) ?? {},
    accepts: (status) => scheme.accepts?.(status) ?? true,
    timeouts: (url) => ({ connectMs: 2_000, totalMs: 15_000, ...scheme.timeouts?.(url) }),
    concluded: (conclusion) => scheme.concluded?.(runtime(), conclusion),
  };
}

/** A data folder belongs to the seed it was made with: another seed would mix two worlds. */
function seedStore<State, Seed>(
  emulator: Emulator<State, Seed>,
  runtime: Runtime<State>,
  store: Store & { readonly fresh: boolean },
  seed: SeedText,
): void {
  const fingerprint = createHash("sha256").update(`${runtime.settings.seed}\u0000${seed.text}`).digest("hex");
  if (store.fresh) {
    applySeed(emulator, runtime, store, seed);
    store.meta.set("seed", JSON.stringify({ seed: runtime.settings.seed, fingerprint }));
    return;
  }
  const made = JSON.parse(store.meta.get("seed") ?? "{}") as { seed?: string; fingerprint?: string };
  if (made.fingerprint !== fingerprint && store.durable) {
    const what =
      made.seed === runtime.settings.seed
        ? `another version of ${seed.source}`
        : `the seed "${made.seed}", not "${runtime.settings.seed}"`;
    store.close();
    throw new Error(
      `${runtime.settings.dataDir} holds ${emulator.title} made from ${what}. Use that seed, another BACKLOT_DATA_DIR, or delete the folder.`,
    );
  }
}

function applySeed<State, Seed>(
  emulator: Emulator<State, Seed>,
  runtime: Runtime<State>,
  store: Store,
  text: SeedText,
): void {
  const seed = parseSeed(emulator.seed.schema, text);
  store.clear();
  store.write(() => emulator.seed.apply(seed, runtime));
  store.keepPristine();
}
