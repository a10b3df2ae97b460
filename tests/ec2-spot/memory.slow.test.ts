/** What the market keeps in memory does not grow with how much of its history is read. */
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { expect, test } from "vitest";
import { createCatalogue } from "../../emulators/ec2-spot/domain/catalogue.ts";
import { createMarket } from "../../emulators/ec2-spot/domain/market.ts";
import { type Cursor, createHistory } from "../../emulators/ec2-spot/domain/price-history.ts";
import { regionNamed } from "../../emulators/ec2-spot/domain/regions.ts";

setFlagsFromString("--expose-gc");
const collect = runInNewContext("gc") as () => void;
const daySeconds = 86_400;
const now = Date.parse("2026-11-20T10:00:00Z") / 1_000;

test("a whole region page by page, from now back through 30 days and through 90", () => {
  const region = regionNamed("us-east-1");
  if (!region) throw new Error("no us-east-1");
  const market = createMarket(createCatalogue(), region, [1, 2, 3, 4]);
  const history = createHistory(market);
  let records = 0;
  let after: Cursor | undefined;
  const walkTo = (start: number) => {
    do {
      after = history.page({
        start: now - 90 * daySeconds,
        end: now,
        after,
        limit: 1_000,
        selection: { series: market.series, products: [true, true, true, true] },
        take: () => {
          records += 1;
        },
      });
    } while (after && after.at > start);
    collect();
    const { arrayBuffers, heapUsed } = process.memoryUsage();
    return (arrayBuffers + heapUsed) / 2 ** 20;
  };
  const month = walkTo(now - 30 * daySeconds);
  const read = records;
  const quarter = walkTo(0);
  console.log(`${read} records: ${month.toFixed(0)} MB; ${records} records: ${quarter.toFixed(0)} MB`);
  expect(records).toBeGreaterThan(2.5 * read);
  // A million and a half records more, kept in the least room, would be 18 MB; caches that are not full yet take some.
  expect(quarter - month).toBeLessThan(16);
});
