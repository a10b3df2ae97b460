/** The parts of one emulator that hold its state and move it: all but sockets, routes and what watches it. */
import type { ClockSetting } from "./clock.ts";
import { createClock } from "./clock.ts";
import { createSender, type Sender } from "./delivery.ts";
import { createEgress, type Egress } from "./egress.ts";
import type { Emulator, Runtime } from "./emulator.ts";
import { createFaults, type FaultsEngine } from "./faults.ts";
import { createIds } from "./ids.ts";
import { createLimits, type Limits } from "./limits.ts";
import type { Log } from "./log.ts";
import { createMode } from "./mode.ts";
import { openJournal, runName } from "./observation.ts";
import { createOutbox, type OutboxEngine } from "./outbox.ts";
import { createTraffic, type Traffic } from "./outbox-pace.ts";
import { parseRateLimit } from "./rate-limit.ts";
import type { SeedDocument } from "./seed.ts";
import { seedStore } from "./seeding.ts";
import type { Settings } from "./settings.ts";
import { openStore } from "./state.ts";
import { createTimers, type TimerEngine } from "./timers.ts";
import { createTracer, type Tracer } from "./tracing.ts";
import { bindScheme } from "./webhook.ts";

export interface Engine<State, Seed> {
  readonly emulator: Emulator<State, Seed>;
  /** What the emulator itself sees of it. */
  readonly runtime: Runtime<State>;
  readonly timers: TimerEngine;
  readonly outbox: OutboxEngine;
  readonly faults: FaultsEngine;
  readonly limits: Limits;
  readonly tracer: Tracer;
  readonly traffic: Traffic;
  readonly egress: Egress;
  readonly sender: Sender;
}

export function createEngine<State, Seed>(
  emulator: Emulator<State, Seed>,
  settings: Settings,
  log: Log,
  initial: ClockSetting,
  seed: SeedDocument<Seed>,
): Engine<State, Seed> {
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
  const [sender, egress, traffic] = [createSender(), createEgress(settings.webhookAllow), createTraffic()];
  const outbox = createOutbox({
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
    schemes: (emulator.webhooks ?? []).map((scheme) => bindScheme(scheme, () => runtime)),
    signed: settings.webhookSignatures,
    capacity: settings.webhookQueue,
    keep: settings.webhookKeep,
    traffic,
    tracer,
  });
  const faults = createFaults({ emulator: emulator.name, store, clock, timers, ids, journal });
  const configured = parseRateLimit(settings.requestLimit) ?? [];
  const limits = createLimits({ store, clock, configured, enabled: settings.rateLimit });
  const state = emulator.open(store.db, store);
  const { name } = emulator;
  const runtime: Runtime<State> = {
    name,
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
  seedStore(emulator, runtime, store, seed);
  return { emulator, runtime, timers, outbox, faults, limits, tracer, traffic, egress, sender };
}
