import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { type Example, startExample } from "../support/example.ts";
import { type Seen, type Viewer, watch, watchSocket } from "../support/viewer.ts";

const rate = 10_000;
const seconds = 10;
const total = rate * seconds;
/** Makes entries large enough that a sleeping reader's socket buffers do not hold seconds of them. */
const text = "x".repeat(500);
const sequencesOf = (seen: readonly Seen[]) =>
  seen.flatMap(({ data }) => (data.sequence === undefined ? [] : [Number(data.sequence)]));

/** Appends `count` entries at the rate, whatever the machine's hiccups; entry n says so. */
async function produce(example: Example, from: number, count: number): Promise<void> {
  const { journal } = example.emulator.runtime;
  const started = performance.now();
  for (let made = 0; made < count; ) {
    const due = Math.min(count, Math.floor(((performance.now() - started) / 1000) * rate));
    for (; made < due; made += 1)
      journal.append("change", `n${from + made}`, { state: "changed", n: from + made, text });
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
}

/** Every number once, in order, except the ranges that were told as missed. Answers how many were missed. */
function account(seen: readonly Seen[], last: number): number {
  let next = 1;
  let missed = 0;
  for (const { event, data } of seen) {
    if (event === "missed") {
      expect(data.from).toBe(next);
      missed += Number(data.count);
      next = Number(data.to) + 1;
    } else if (data.sequence !== undefined) {
      expect(data.sequence).toBe(next);
      next += 1;
    }
  }
  expect(next).toBe(last + 1);
  return missed;
}

const ways: readonly [string, (url: string, lastId?: string) => Promise<Viewer>][] = [
  ["SSE", (url, lastId) => watch(`${url}?since=0`, lastId === undefined ? {} : { "last-event-id": lastId })],
  ["WebSocket", (url, lastId) => watchSocket(`${url}?since=${lastId ?? 0}`)],
];

test.each(
  ways,
)("%s: 10,000 events a second for 10 s, a reader that sleeps, a restart: no gap, none twice", async (_, view) => {
  const folder = mkdtempSync(join(tmpdir(), "backlot-feed-slow-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const environment = { BACKLOT_DATA_DIR: folder };
  const before = await startExample(environment);
  const open = (example: Example, lastId?: string) => view(`${example.url}/_backlot/events`, lastId);
  const live = [await open(before)];
  const sleepy = [await open(before)];
  const latest = (viewers: Viewer[]) => viewers.at(-1) as Viewer;
  await latest(live).until(() => latest(live).lastId !== "");

  const base = process.memoryUsage().rss;
  await produce(before, 0, total / 4);
  latest(sleepy).pause();
  await produce(before, total / 4, total / 4);
  // Longer than the ring holds: this reader must be told of what it missed, the live one must miss nothing.
  await produce(before, total / 2, total / 4);
  expect(process.memoryUsage().rss - base).toBeLessThan(400 * 2 ** 20);
  latest(sleepy).resume();
  const resumeLive = latest(live).lastId;
  latest(live).close();
  const seenLive = latest(live).seen.length;
  await latest(sleepy).until((seen) => seen.some(({ data }) => data.sequence === (3 * total) / 4), 30_000);
  await before.emulator.close();

  const after = await startExample(environment);
  live.push(await open(after, resumeLive));
  sleepy.push(await open(after, latest(sleepy).lastId));
  await produce(after, (3 * total) / 4, total / 4);
  for (const viewers of [live, sleepy])
    await latest(viewers).until((seen) => seen.at(-1)?.data.sequence === total, 30_000);

  const all = (viewers: readonly Viewer[]) => viewers.flatMap(({ seen }) => seen);
  expect(account([...(live[0]?.seen.slice(0, seenLive) ?? []), ...latest(live).seen], total)).toBe(0);
  expect(account(all(sleepy), total)).toBeGreaterThan(0);
  expect(new Set(sequencesOf(all(sleepy))).size).toBe(sequencesOf(all(sleepy)).length);
});
