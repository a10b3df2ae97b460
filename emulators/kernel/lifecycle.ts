/** What may be done to an instance as a whole: moved in time, reset, restored, seeded anew. */
import type { Certificates } from "./certificates.ts";
import { type ClockSetting, type Instant, parseClock } from "./clock.ts";
import type { ProbeLine } from "./control-probe.ts";
import type { Engine } from "./engine.ts";
import type { Limits } from "./limits.ts";
import type { Observation } from "./observation.ts";
import { parseSeed } from "./seed.ts";
import { applySeed } from "./seeding.ts";
import type { Settings } from "./settings.ts";

/** What the control API is given. */
export interface Lifecycle extends Changes {
  advance(to: Instant): Promise<number>;
  environment(): Readonly<Record<string, string>>;
  certificates(): Certificates;
  readonly limits: Limits;
  readonly probe: ProbeLine;
  readonly observation: Observation;
}

/** Changes of everything at once. */
interface Changes {
  reset(): void;
  /** False when there is no snapshot of this name. */
  restore(snapshot: string): boolean;
  /** From a text as the seed's file could be; `source` says in errors where it came from. */
  reseed(source: string, text: string): Promise<void>;
}

/** What the clock shows at the start and after a reset. `frozen` without an instant stands still at the start. */
export function startingClock(settings: Settings, wallAnchor: Instant | undefined): ClockSetting {
  const parsed = parseClock(settings.clock) ?? { mode: "real" };
  if (parsed.mode === "real" || wallAnchor === undefined) return parsed;
  return { mode: parsed.mode, at: parsed.at ?? wallAnchor, anchor: wallAnchor };
}

export function createChanges<State, Seed>(engine: Engine<State, Seed>, initial: ClockSetting): Changes {
  const { emulator, runtime, faults, limits, outbox } = engine;
  const { clock, store, journal } = runtime;
  /** What keeps rows in memory reads them again. */
  const reload = () => {
    faults.load();
    limits.load();
    outbox.load();
  };
  return {
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
    async reseed(source, text) {
      const { seed } = await parseSeed(source, text, emulator.seed);
      applySeed(emulator, runtime, store, seed);
      journal.clear();
      reload();
    },
  };
}
