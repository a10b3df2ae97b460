/** The generator against what was measured on recorded spot prices. */
import { expect, test } from "vitest";
import { createCatalogue } from "../../emulators/ec2-spot/domain/catalogue.ts";
import type { SeedWords } from "../../emulators/ec2-spot/domain/hash.ts";
import { createMarket, type Market } from "../../emulators/ec2-spot/domain/market.ts";
import { segmentSeconds } from "../../emulators/ec2-spot/domain/price-path.ts";
import { regionNamed } from "../../emulators/ec2-spot/domain/regions.ts";

const day = 86_400;
const end = Date.parse("2026-11-20T00:00:00Z") / 1000;
const start = end - 30 * day;
const catalogue = createCatalogue();

function market(region: string, seed: SeedWords = [11, 22, 33, 44]): Market {
  const found = regionNamed(region);
  if (!found) throw new Error(`no region ${region}`);
  return createMarket(catalogue, found, seed);
}

function records(of: Market, series: number): { at: number; ticks: number }[] {
  const found: { at: number; ticks: number }[] = [];
  const { times, ticks } = of.segments.records;
  for (let at = start - segmentSeconds; at < end; ) {
    const first = of.segments.at(series, at);
    for (let place = first; place < of.segments.end(first); place += 1) {
      const time = times[place] ?? 0;
      if (time > start && time <= end) found.push({ at: time, ticks: ticks[place] ?? 0 });
    }
    at = (times[first] ?? 0) + segmentSeconds;
  }
  return found;
}

function quantile(values: readonly number[], part: number): number {
  const sorted = [...values].sort((left, right) => left - right);
  return sorted[Math.min(sorted.length - 1, Math.floor(part * sorted.length))] ?? Number.NaN;
}

const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;

function correlation(left: readonly number[], right: readonly number[]): number {
  const [a, b] = [mean(left), mean(right)];
  let [both, one, other] = [0, 0, 0];
  left.forEach((value, index) => {
    const second = (right[index] ?? 0) - b;
    both += (value - a) * second;
    one += (value - a) ** 2;
    other += second ** 2;
  });
  return both / Math.sqrt(one * other);
}

function sample() {
  const ratios: number[] = [];
  const spreads: number[] = [];
  const perDay: number[] = [];
  const gaps: number[] = [];
  const steps: number[] = [];
  const same: number[] = [];
  const correlations: number[] = [];
  const repeats: number[] = [];
  let outside = 0;
  for (const name of ["us-east-1", "us-west-2", "eu-central-1", "ap-south-1", "sa-east-1"]) {
    const of = market(name);
    for (let type = 0; type < of.types.length; type += 7) {
      const prices: number[] = [];
      const returns: number[][] = [];
      of.region.zones.forEach((_, zone) => {
        const series = of.seriesOf(type, zone, 0);
        if (!of.has(series)) return;
        const cap = of.onDemand(type, 0);
        const found = records(of, series);
        perDay.push(found.length / 30);
        prices.push(mean(found.map(({ ticks }) => ticks)));
        ratios.push(mean(found.map(({ ticks }) => ticks / cap)));
        let unchanged = 0;
        let direction = 0;
        found.forEach(({ at, ticks }, index) => {
          if (ticks > cap || ticks < Math.max(1, Math.round(cap / 10))) outside += 1;
          const before = found[index - 1];
          if (!before) return;
          gaps.push(at - before.at);
          const step = ticks - before.ticks;
          if (step === 0) unchanged += 1;
          else {
            if (Math.abs(step) > 1) steps.push(Math.abs(step) / before.ticks);
            if (direction !== 0) same.push(Math.sign(step) === direction ? 1 : 0);
            direction = Math.sign(step);
          }
        });
        repeats.push(unchanged / found.length);
        const daily = Array.from({ length: 30 }, (_none, index) =>
          Math.log(of.priceAt(of.types[type]?.name ?? "", zone, 0, start + index * day) ?? 1),
        );
        returns.push(daily.slice(1).map((value, index) => value - (daily[index] ?? 0)));
      });
      if (prices.length > 1) spreads.push(Math.max(...prices) / Math.min(...prices) - 1);
      const [one, other] = returns;
      if (one && other) {
        const shared = correlation(one, other);
        if (!Number.isNaN(shared)) correlations.push(shared);
      }
    }
  }
  return { ratios, spreads, perDay, gaps, steps, same, correlations, repeats, outside };
}

test("thirty days of prices have the statistics of recorded ones", () => {
  const found = sample();
  expect(found.outside).toBe(0);
  expect(quantile(found.ratios, 0.5)).toBeGreaterThan(0.3);
  expect(quantile(found.ratios, 0.5)).toBeLessThan(0.42);
  expect(quantile(found.ratios, 0.05)).toBeGreaterThan(0.1);
  expect(quantile(found.ratios, 0.05)).toBeLessThan(0.27);
  expect(quantile(found.ratios, 0.95)).toBeGreaterThan(0.45);
  expect(quantile(found.ratios, 0.95)).toBeLessThan(0.85);
  expect(quantile(found.spreads, 0.5)).toBeGreaterThan(0.08);
  expect(quantile(found.spreads, 0.5)).toBeLessThan(0.25);
  expect(quantile(found.perDay, 0.5)).toBeGreaterThan(1.2);
  expect(quantile(found.perDay, 0.5)).toBeLessThan(3);
  expect(Math.max(...found.gaps)).toBeLessThanOrEqual(day + 5);
  // Only a repeat just before a keyframe may come closer than eight minutes.
  expect(found.gaps.filter((gap) => gap < 480).length / found.gaps.length).toBeLessThan(0.005);
  expect(quantile(found.repeats, 0.5)).toBeGreaterThan(0.05);
  expect(quantile(found.repeats, 0.5)).toBeLessThan(0.65);
  expect(quantile(found.steps, 0.95)).toBeLessThanOrEqual(0.01);
  expect(mean(found.same)).toBeGreaterThan(0.5);
  expect(mean(found.same)).toBeLessThan(0.9);
  expect(mean(found.correlations)).toBeGreaterThan(0);
  expect(mean(found.correlations)).toBeLessThan(0.6);
});

test("a price does not depend on what was asked before", () => {
  const cold = market("us-east-1");
  const warm = market("us-east-1");
  for (const series of warm.series.slice(0, 200)) warm.segments.at(series, end - 400 * day);
  for (const series of cold.series.slice(0, 200)) expect(records(warm, series)).toEqual(records(cold, series));
});

test("another seed gives another market", () => {
  const here = market("us-east-1");
  const there = market("us-east-1", [11, 22, 33, 45]);
  const differs = [...here.series.slice(0, 100)].filter(
    (series) => JSON.stringify(records(here, series)) !== JSON.stringify(records(there, series)),
  );
  expect(differs).toHaveLength(100);
});

test("Red Hat and SUSE move with Linux at a constant distance; Windows is a market of its own", () => {
  const of = market("us-east-1");
  const at = (product: number, when: number) => of.priceAt("m5.4xlarge", 0, product, when) ?? 0;
  const distances = Array.from({ length: 20 }, (_, index) => at(1, end - index * day) - at(0, end - index * day));
  expect(new Set(distances).size).toBe(1);
  expect(at(2, end) - at(0, end)).toBe(1250);
  const type = of.types.findIndex(({ name }) => name === "m5.4xlarge");
  const linux = records(of, of.seriesOf(type, 0, 0)).map((record) => record.at);
  const windows = records(of, of.seriesOf(type, 0, 3)).map((record) => record.at);
  expect(windows.filter((when) => linux.includes(when)).length).toBeLessThan(3);
  expect(of.priceAt("m6g.large", 0, 3, end)).toBeUndefined();
});
