import { expect, test } from "vitest";
import { createClock } from "../../emulators/kernel/clock.ts";
import { createJournal } from "../../emulators/kernel/journal.ts";
import { createMetrics, mergeMetrics } from "../../emulators/kernel/metrics.ts";
import { createMode } from "../../emulators/kernel/mode.ts";
import { settingsFrom } from "../../emulators/kernel/settings.ts";
import { startExample } from "../support/example.ts";

/** Samples by their text before the value; fails on lines that Prometheus would not read. */
function samples(page: string): Map<string, number> {
  const found = new Map<string, number>();
  const described = new Set<string>();
  for (const line of page.split("\n")) {
    if (line === "") continue;
    const about = /^# (HELP|TYPE) ([a-z_]+) .+$/.exec(line);
    if (about) {
      described.add(`${about[1]} ${about[2]}`);
      continue;
    }
    const sample = /^([a-z_]+)(\{(?:[a-z_]+="(?:[^"\\\n]|\\["\\n])*",?)*\}) (-?[0-9.e+-]+)$/.exec(line);
    if (!sample) throw new Error(`not a sample: ${line}`);
    const family = sample[1]?.replace(/_(bucket|sum|count)$/, "") ?? "";
    const known = [family, sample[1]].some((name) => described.has(`TYPE ${name}`));
    if (!known) throw new Error(`${sample[1]} is not described before its samples`);
    found.set(`${sample[1]}${sample[2]}`, Number(sample[3]));
  }
  return found;
}

test("requests, webhooks, journal, timers, mode and process are there and right", async () => {
  const { call, note, emulator } = await startExample();
  await call("POST", "/_backlot/webhooks/endpoints", { url: "http://192.0.2.1/x", events: ["note.created"] });
  await note("one");
  await call("GET", "/count");
  await call("GET", "/nope");
  await emulator.runtime.outbox.idle();
  const { body, headers } = await call("GET", "/_backlot/metrics");
  expect(headers.get("content-type")).toBe("text/plain; version=0.0.4; charset=utf-8");
  const found = samples(String(body));
  const of = (name: string) => found.get(name);
  expect(of('backlot_http_requests_total{emulator="notes",method="GET",status="200"}')).toBe(1);
  expect(of('backlot_http_requests_total{emulator="notes",method="GET",status="404"}')).toBe(1);
  expect(of('backlot_http_requests_total{emulator="notes",method="POST",status="201"}')).toBe(1);
  expect(of('backlot_http_request_duration_seconds_count{emulator="notes"}')).toBe(3);
  expect(of('backlot_http_request_duration_seconds_bucket{emulator="notes",le="+Inf"}')).toBe(3);
  expect(of('backlot_webhook_deliveries{emulator="notes",state="dead"}')).toBe(1);
  expect(of('backlot_webhook_attempts_total{emulator="notes",outcome="egress"}')).toBe(1);
  expect(of('backlot_egress_refused_total{emulator="notes"}')).toBe(1);
  expect(of('backlot_journal_entries_total{emulator="notes",kind="request"}')).toBe(3);
  expect(of('backlot_journal_dropped_total{emulator="notes"}')).toBe(0);
  expect(of('backlot_timers_pending{emulator="notes"}')).toBe(1);
  expect(of('backlot_mode{emulator="notes",mode="mock"}')).toBe(1);
  expect(of('backlot_mode{emulator="notes",mode="real"}')).toBe(0);
  expect(of('backlot_webhook_in_flight{emulator="notes"}')).toBe(0);
  expect(of('backlot_commits_total{emulator="notes"}')).toBeGreaterThan(0);
  expect(of('backlot_clock_ahead_seconds{emulator="notes"}')).toBeLessThan(0);
  expect(of('process_resident_memory_bytes{emulator="notes"}')).toBeGreaterThan(1e6);
});

function counted() {
  const clock = createClock({ mode: "real" }, 1);
  const journal = createJournal("notes", clock, { size: 100, bytes: 2 ** 20 });
  const metrics = createMetrics({
    emulator: "notes",
    journal,
    clock,
    mode: createMode(settingsFrom({})),
    timers: { size: 0 },
    outbox: {
      counts: () => ({ waiting: 0, delivered: 0, dead: 0, discarded: 0, inFlight: 0, ready: 0, forgotten: 0 }),
    },
    store: { commits: 0 },
    viewers: () => 0,
  });
  return { journal, metrics };
}

test("buckets are cumulative and end with the count", () => {
  const { journal, metrics } = counted();
  for (const wallMs of [0.05, 0.2, 0.2, 3, 700, 60_000])
    journal.append("request", undefined, { method: "GET", status: 200, wallMs });
  const found = [...samples(metrics.text())].filter(([name]) => name.includes("_bucket"));
  const values = found.map(([, value]) => value);
  expect(values).toEqual([...values].sort((a, b) => a - b));
  expect(values[0]).toBe(1);
  expect(values.at(-2)).toBe(5);
  expect(values.at(-1)).toBe(6);
});

test("names that clients choose neither break the page nor fill the memory", () => {
  const { journal, metrics } = counted();
  for (let n = 0; n < 5_000; n += 1)
    journal.append("request", undefined, {
      method: n % 2 ? "BREW" : "GET",
      status: 200,
      operation: `a"b\\c\n${n}`,
      wallMs: 1,
    });
  const found = [...samples(metrics.text())].filter(([name]) => name.startsWith("backlot_http_requests_total"));
  expect(found.length).toBeLessThan(1_010);
  expect(found.reduce((sum, [, value]) => sum + value, 0)).toBe(5_000);
  expect(found.some(([name]) => name.includes('operation="other"'))).toBe(true);
});

test("pages are merged with each family described once", () => {
  const page = (emulator: string) =>
    `# HELP a_total A.\n# TYPE a_total counter\na_total{emulator="${emulator}"} 1\n# HELP b B.\n# TYPE b gauge\nb{emulator="${emulator}"} 2\n`;
  const merged = mergeMetrics([page("x"), page("y")]);
  expect(samples(merged).size).toBe(4);
  expect(merged.match(/# TYPE a_total/g)).toHaveLength(1);
  expect(merged.indexOf('a_total{emulator="y"}')).toBeLessThan(merged.indexOf("# HELP b"));
});
