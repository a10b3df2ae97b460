/** Health checks and their history. Runs are recorded whenever health is asked for, and every 30 s. */
import { type Clock, everyReal, type Instant, isoMilliseconds, stopwatch } from "./clock.ts";

export interface CheckHistory {
  /** Machine time of the last run. */
  readonly last_run: string;
  readonly successes: number;
  readonly failures: number;
  readonly avg_ms: number;
  /** Percent of the observed minutes of the last 24 hours of machine time; a minute counts by its share of good runs. */
  readonly uptime_24h: number;
}

export interface CheckResult extends CheckHistory {
  readonly status: "healthy" | "unhealthy";
  readonly latency_ms: number;
  readonly error?: string;
  readonly hint?: string;
}

export interface Checks {
  /** Runs every check; callers at the same time share one run. */
  run(): Promise<Readonly<Record<string, CheckResult>>>;
  close(): void;
}

export interface Check {
  readonly name: string;
  /** Throws when unhealthy. */
  run(): unknown;
  readonly hint: string;
}

export const healthEveryMs = 30_000;

export function createChecks(checks: readonly Check[], clock: Clock, everyMs = healthEveryMs): Checks {
  const histories = new Map(checks.map(({ name }) => [name, createHistory()]));
  let running: Promise<Readonly<Record<string, CheckResult>>> | undefined;
  const one = async ({ name, run, hint }: Check): Promise<readonly [string, CheckResult]> => {
    const elapsed = stopwatch();
    let error: string | undefined;
    try {
      await run();
    } catch (cause) {
      error = cause instanceof Error ? cause.message : String(cause);
    }
    const tookMs = elapsed();
    const history = histories.get(name) ?? createHistory();
    history.record(clock.wall(), error === undefined, tookMs);
    return [
      name,
      {
        status: error === undefined ? "healthy" : "unhealthy",
        latency_ms: thousandths(tookMs),
        ...(error === undefined ? {} : { error, hint }),
        ...history.show(clock.wall()),
      },
    ];
  };
  const all = async () => {
    try {
      return Object.fromEntries(await Promise.all(checks.map(one)));
    } finally {
      running = undefined;
    }
  };
  const run = () => {
    running ??= all();
    return running;
  };
  // A failing check is a result; only a defect in the checking itself could reject, and the next who asks is told of it.
  const stop = everyReal(everyMs, () => void run().catch(() => {}));
  return { run, close: stop };
}

const minuteMs = 60_000;
const minutesOfDay = 1_440;

/** Counts of one check, and the good and bad runs of each minute of the last day. */
export function createHistory() {
  const minutes = new Float64Array(minutesOfDay).fill(-1);
  const good = new Uint32Array(minutesOfDay);
  const bad = new Uint32Array(minutesOfDay);
  let [successes, failures, sumMs, last] = [0, 0, 0, 0];
  return {
    record(wall: Instant, healthy: boolean, tookMs: number): void {
      const minute = Math.floor(wall / minuteMs);
      const slot = minute % minutesOfDay;
      if (minutes[slot] !== minute) {
        minutes[slot] = minute;
        good[slot] = 0;
        bad[slot] = 0;
      }
      const counts = healthy ? good : bad;
      counts[slot] = (counts[slot] ?? 0) + 1;
      if (healthy) successes += 1;
      else failures += 1;
      sumMs += tookMs;
      last = wall;
    },
    show(wall: Instant): CheckHistory {
      const oldest = Math.floor(wall / minuteMs) - minutesOfDay;
      let [observed, up] = [0, 0];
      for (let slot = 0; slot < minutesOfDay; slot += 1) {
        if ((minutes[slot] ?? -1) <= oldest) continue;
        observed += 1;
        up += (good[slot] ?? 0) / ((good[slot] ?? 0) + (bad[slot] ?? 0));
      }
      const runs = successes + failures;
      return {
        last_run: isoMilliseconds(last),
        successes,
        failures,
        avg_ms: runs === 0 ? 0 : thousandths(sumMs / runs),
        uptime_24h: observed === 0 ? 0 : Math.round((10_000 * up) / observed) / 100,
      };
    },
  };
}

const thousandths = (milliseconds: number) => Math.round(milliseconds * 1000) / 1000;
