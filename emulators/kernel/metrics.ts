/**
 * Counts and gauges as Prometheus reads them (text format 0.0.4). Counted from the journal, so that what is measured is
 * what happened; a request costs three look-ups and no memory.
 */
import type { Clock } from "./clock.ts";
import type { EntryKind } from "./entry-kinds.ts";
import type { Journal } from "./journal.ts";
import type { JournalEntry } from "./journal-entry.ts";
import type { Mode } from "./mode.ts";
import type { Outbox } from "./outbox.ts";
import type { Store } from "./state.ts";
import type { Timers } from "./timers.ts";

export interface MetricsOptions {
  readonly emulator: string;
  readonly journal: Journal;
  readonly clock: Clock;
  readonly mode: Mode;
  readonly timers: Pick<Timers, "size">;
  readonly outbox: Pick<Outbox, "counts">;
  readonly store: Pick<Store, "commits">;
  readonly viewers: () => number;
}

export interface Metrics {
  /** The page at /_backlot/metrics. */
  text(): string;
}

export const metricsType = "text/plain; version=0.0.4; charset=utf-8";

/** Upper bounds in seconds: answers take tens of microseconds, a planned delay takes seconds. */
const bounds = [0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];
const methods = new Set(["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]);
/** Names that clients can choose must not fill the memory: what comes after so many series is counted as `other`. */
const mostSeries = 1_000;

interface Series {
  readonly method: string;
  readonly status: number;
  readonly operation: string;
  count: number;
}

export function createMetrics(options: MetricsOptions): Metrics {
  const { emulator, journal } = options;
  const requests = createRequestCounts();
  const buckets = new Float64Array(bounds.length + 1);
  let seconds = 0;
  const entries = new Map<EntryKind, number>();
  const attempts = new Map<string, number>();

  journal.onAppend((entry: JournalEntry) => {
    entries.set(entry.kind, (entries.get(entry.kind) ?? 0) + 1);
    const { data } = entry;
    if (entry.kind === "request") {
      requests.add(data.method, data.status, data.operation);
      const took = typeof data.wallMs === "number" ? data.wallMs / 1000 : 0;
      seconds += took;
      let bucket = 0;
      while (bucket < bounds.length && took > (bounds[bucket] ?? 0)) bucket += 1;
      buckets[bucket] = (buckets[bucket] ?? 0) + 1;
    } else if (entry.kind === "delivery") {
      const outcome = String(data.outcome);
      attempts.set(outcome, (attempts.get(outcome) ?? 0) + 1);
    }
  });

  return {
    text() {
      const page = createPage({ emulator });
      page.family("backlot_http_requests_total", "counter", "Requests to provider operations, by answer.");
      for (const { method, status, operation, count } of requests.all())
        page.sample("backlot_http_requests_total", count, {
          method,
          status: String(status),
          ...(operation === "" ? {} : { operation }),
        });
      histogram(page, buckets, seconds);
      gauges(page, options);
      page.family("backlot_webhook_attempts_total", "counter", "Tries to deliver a webhook, by outcome.");
      for (const [outcome, count] of attempts) page.sample("backlot_webhook_attempts_total", count, { outcome });
      page.family("backlot_egress_refused_total", "counter", "Calls out of the machine that were refused.");
      page.sample("backlot_egress_refused_total", entries.get("egress") ?? 0);
      page.family("backlot_journal_entries_total", "counter", "Journal entries written, by kind.");
      for (const [kind, count] of entries) page.sample("backlot_journal_entries_total", count, { kind });
      processMetrics(page, options.clock);
      return page.text();
    },
  };
}

/** Counts by method, status and operation without making a key of them: one look-up each. */
function createRequestCounts() {
  const byMethod = new Map<unknown, Map<unknown, Map<unknown, Series>>>();
  let size = 0;
  const found = (method: unknown, status: unknown, operation: unknown) =>
    byMethod.get(method)?.get(status)?.get(operation);
  const make = (method: string, status: number, operation: string): Series => {
    size += 1;
    const series: Series = { method, status, operation, count: 0 };
    const statuses = byMethod.get(method) ?? new Map<unknown, Map<unknown, Series>>();
    const operations = statuses.get(status) ?? new Map<unknown, Series>();
    byMethod.set(method, statuses.set(status, operations.set(operation, series)));
    return series;
  };
  return {
    add(method: unknown, status: unknown, operation: unknown) {
      let series = found(method, status, operation ?? "");
      if (!series) {
        const known = methods.has(String(method)) ? String(method) : "other";
        const code = typeof status === "number" ? status : 0;
        const name = size < mostSeries ? String(operation ?? "") : "other";
        series = found(known, code, name) ?? make(known, code, name);
      }
      series.count += 1;
    },
    *all(): Generator<Series> {
      for (const statuses of byMethod.values()) for (const operations of statuses.values()) yield* operations.values();
    },
  };
}

function histogram(page: Page, buckets: Float64Array, seconds: number): void {
  const name = "backlot_http_request_duration_seconds";
  page.family(name, "histogram", "Time from a whole request head to its answer.");
  let below = 0;
  for (const [index, bound] of bounds.entries()) {
    below += buckets[index] ?? 0;
    page.sample(`${name}_bucket`, below, { le: String(bound) });
  }
  below += buckets[bounds.length] ?? 0;
  page.sample(`${name}_bucket`, below, { le: "+Inf" });
  page.sample(`${name}_sum`, seconds);
  page.sample(`${name}_count`, below);
}

function gauges(page: Page, { journal, clock, mode, timers, outbox, store, viewers }: MetricsOptions): void {
  const { inFlight, ready: _, forgotten, ...states } = outbox.counts();
  page.family("backlot_timers_pending", "gauge", "Timers waiting on the virtual clock.");
  page.sample("backlot_timers_pending", timers.size);
  page.family("backlot_webhook_deliveries", "gauge", "Webhook deliveries by state.");
  for (const [state, count] of Object.entries(states)) page.sample("backlot_webhook_deliveries", count, { state });
  page.family("backlot_webhook_in_flight", "gauge", "Webhook deliveries under way.");
  page.sample("backlot_webhook_in_flight", inFlight);
  page.family(
    "backlot_webhook_forgotten_total",
    "counter",
    "Finished webhook deliveries that are no longer kept, since the last reset.",
  );
  page.sample("backlot_webhook_forgotten_total", forgotten);
  page.family("backlot_commits_total", "counter", "Transactions committed.");
  page.sample("backlot_commits_total", store.commits);
  page.family(
    "backlot_journal_dropped_total",
    "counter",
    "Journal entries dropped to stay within its bounds, since the last reset.",
  );
  page.sample("backlot_journal_dropped_total", journal.dropped);
  page.family("backlot_feed_viewers", "gauge", "Viewers of the live journal.");
  page.sample("backlot_feed_viewers", viewers());
  page.family("backlot_mode", "gauge", "1 for the mode that holds.");
  for (const name of ["mock", "real"]) page.sample("backlot_mode", mode.current === name ? 1 : 0, { mode: name });
  page.family("backlot_clock_ahead_seconds", "gauge", "How far virtual time is ahead of the machine's.");
  page.sample("backlot_clock_ahead_seconds", (clock.now() - clock.wall()) / 1000);
}

/** Of the process: emulators that share one show the same figures. */
function processMetrics(page: Page, clock: Clock): void {
  const memory = process.memoryUsage();
  const { user, system } = process.cpuUsage();
  page.family("process_resident_memory_bytes", "gauge", "Resident memory of the process.");
  page.sample("process_resident_memory_bytes", memory.rss);
  page.family("process_cpu_seconds_total", "counter", "Processor time of the process.");
  page.sample("process_cpu_seconds_total", (user + system) / 1e6);
  page.family("process_start_time_seconds", "gauge", "Start of the process, seconds since 1970.");
  page.sample("process_start_time_seconds", Math.round(clock.wall() / 1000 - process.uptime()));
  page.family("nodejs_heap_size_used_bytes", "gauge", "Heap in use.");
  page.sample("nodejs_heap_size_used_bytes", memory.heapUsed);
}

type Page = ReturnType<typeof createPage>;

export function createPage(common: Readonly<Record<string, string>>) {
  const lines: string[] = [];
  return {
    family: (name: string, type: string, help: string) =>
      lines.push(`# HELP ${name} ${help}`, `# TYPE ${name} ${type}`),
    sample(name: string, value: number, labels: Readonly<Record<string, string>> = {}) {
      const pairs = Object.entries({ ...common, ...labels }).map(([label, text]) => `${label}="${escaped(text)}"`);
      lines.push(`${name}{${pairs.join(",")}} ${value}`);
    },
    text: () => `${lines.join("\n")}\n`,
  };
}

const escaped = (text: string) => text.replace(/[\\"\n]/g, (found) => (found === "\n" ? "\\n" : `\\${found}`));

/** Several pages as one: each family is described once and holds the samples of all. */
export function mergeMetrics(pages: readonly string[]): string {
  const families = new Map<string, { readonly about: string[]; readonly samples: string[] }>();
  for (const page of pages) {
    let family: { about: string[]; samples: string[] } | undefined;
    for (const line of page.split("\n")) {
      const described = /^# (HELP|TYPE) (\S+)/.exec(line);
      if (described?.[2] !== undefined) {
        family = families.get(described[2]) ?? { about: [], samples: [] };
        families.set(described[2], family);
        if (!family.about.includes(line)) family.about.push(line);
      } else if (line !== "") family?.samples.push(line);
    }
  }
  return [...families.values()].flatMap(({ about, samples }) => [...about, ...samples, ""]).join("\n");
}
