/** Paging: any page size gives the same records in the same order. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { createCatalogue } from "../../emulators/ec2-spot/domain/catalogue.ts";
import { createMarket } from "../../emulators/ec2-spot/domain/market.ts";
import { type Cursor, createHistory, type Selection } from "../../emulators/ec2-spot/domain/price-history.ts";
import { regionNamed } from "../../emulators/ec2-spot/domain/regions.ts";

interface Found {
  readonly pool: string;
  readonly ticks: number;
  readonly at: number;
}

const region = regionNamed("us-east-1");
if (!region) throw new Error("no us-east-1");
const catalogue = createCatalogue();
const market = createMarket(catalogue, region, [1, 2, 3, 4]);
const now = Date.parse("2026-11-20T10:00:00Z") / 1000;
const everything = [true, true, true, true];

function seriesOf(names: readonly string[]): Uint32Array {
  const found = names.flatMap((name) => {
    const type = market.types.findIndex((candidate) => candidate.name === name);
    return [0, 1, 2, 3, 4, 5].flatMap((zone) => [0, 3].map((product) => market.seriesOf(type, zone, product)));
  });
  return Uint32Array.from(found.filter((series) => market.has(series))).sort();
}

function walk(selection: Selection, start: number, end: number, limit: number): Found[] {
  const history = createHistory(market);
  const found: Found[] = [];
  let after: Cursor | undefined;
  do {
    const before = found.length;
    after = history.page({
      start,
      end,
      after,
      limit,
      selection,
      take: (type, zone, product, ticks, at) => found.push({ pool: `${type}/${zone}/${product}`, ticks, at }),
    });
    expect(found.length - before).toBeLessThanOrEqual(limit);
  } while (after);
  return found;
}

const types = ["m5.large", "c5.xlarge", "r6g.large", "t3.micro"];
const few: Selection = { series: seriesOf(types), products: everything };

test("pages of any size join to the same list, newest first", () => {
  const whole = walk(few, now - 7 * 86_400, now, 100_000);
  expect(whole.length).toBeGreaterThan(500);
  expect(whole.every(({ at }, index) => index === 0 || at <= (whole[index - 1]?.at ?? 0))).toBe(true);
  fc.assert(
    fc.property(fc.integer({ min: 7, max: 900 }), (limit) => {
      expect(walk(few, now - 7 * 86_400, now, limit)).toEqual(whole);
    }),
    { numRuns: 20 },
  );
});

test("of each pool exactly one record is at or before the start, and it is the last one", () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 80 * 86_400 }), fc.integer({ min: 0, max: 5 * 86_400 }), (ago, length) => {
      const start = now - ago - length;
      const found = walk(few, start, now - ago, 100_000);
      const before = found.filter(({ at }) => at <= start);
      expect(new Set(before.map(({ pool }) => pool)).size).toBe(before.length);
      expect(new Set(found.map(({ pool }) => pool)).size).toBe(before.length);
      expect(Math.max(...found.map(({ at }) => at))).toBeLessThanOrEqual(now - ago);
      expect(Math.min(...before.map(({ at }) => at))).toBeGreaterThanOrEqual(start - 86_405);
    }),
    { numRuns: 25 },
  );
});

test("overlapping windows agree", () => {
  const inner = walk(few, now - 3 * 86_400, now, 100_000).filter(({ at }) => at > now - 3 * 86_400);
  const outer = walk(few, now - 30 * 86_400, now, 100_000).filter(({ at }) => at > now - 3 * 86_400);
  expect(outer).toEqual(inner);
});

test("a whole region at one instant is one record a pool, the same as asking each pool", () => {
  const found = walk({ series: market.series, products: everything }, now, now, 1000);
  expect(new Set(found.map(({ pool }) => pool)).size).toBe(found.length);
  let pools = 0;
  for (const series of market.series) pools += market.isWindows(series) ? 1 : 3;
  expect(found.length).toBe(pools);
  for (const { pool, ticks } of found.filter((_, index) => index % 97 === 0)) {
    const [type = 0, zone = 0, product = 0] = pool.split("/").map(Number);
    expect(market.priceAt(market.types[type]?.name ?? "", zone, product, now)).toBe(ticks);
  }
});

test("a large part of a region goes through the shared slices and gives what single types give", () => {
  const linux = {
    series: market.series.filter((series) => !market.isWindows(series)),
    products: [true, false, false, false],
  };
  const found = walk(linux, now - 3600, now, 1000);
  const type = market.types.findIndex(({ name }) => name === "m5.large");
  const single = walk({ series: seriesOf(["m5.large"]), products: linux.products }, now - 3600, now, 1000);
  expect(found.filter(({ pool }) => pool.startsWith(`${type}/`))).toEqual(single);
});
