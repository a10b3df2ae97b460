/** Capacity and interruptions: as often as the Spot Advisor says, whenever and however they are asked for. */
import fc from "fast-check";
import { expect, test } from "vitest";
import {
  bucketOf,
  capacityOf,
  interruptedAt,
  monthlyRates,
  type PoolName,
  placementScore,
} from "../../emulators/ec2-spot/domain/capacity.ts";
import { createCatalogue } from "../../emulators/ec2-spot/domain/catalogue.ts";
import { createMarket } from "../../emulators/ec2-spot/domain/market.ts";
import { nextLook, place } from "../../emulators/ec2-spot/domain/placement.ts";
import { regionNamed } from "../../emulators/ec2-spot/domain/regions.ts";
import type { LaunchPlan } from "../../emulators/ec2-spot/domain/resources.ts";

const seed = [11, 22, 33, 44] as const;
const from = Date.UTC(2026, 10, 1);
const month = 720 * 3_600_000;
const pool = (type: string, zone = "use1-az1"): PoolName => ({
  region: "us-east-1",
  family: type.split(".")[0] ?? "",
  type,
  zone,
  windows: false,
});

test("a thousand instance-months in each bucket are interrupted as often as it says", () => {
  const catalogue = createCatalogue();
  const counts = monthlyRates.map(() => ({ lived: 0, taken: 0 }));
  for (const type of catalogue.types)
    for (const zone of ["use1-az1", "use1-az2"]) {
      const name = pool(type.name, zone);
      const count = counts[bucketOf(seed, name)];
      if (!count || count.lived >= 1000) continue;
      for (let index = 0; index < 10; index += 1) {
        const luck = (index + ((type.vcpu * 7919 + type.memoryMib) % 997) / 997) / 10;
        const start = from + index * month;
        count.lived += 1;
        if (interruptedAt(seed, name, { from: start, to: start + month, luck }).at !== undefined) count.taken += 1;
      }
    }
  counts.forEach(({ lived, taken }, bucket) => {
    expect(lived).toBeGreaterThan(500);
    const rate = taken / lived;
    const told = monthlyRates[bucket] ?? 0;
    // Three deviations of a draw of this size, and what capacity's own weather adds.
    expect(Math.abs(rate - told), `bucket ${bucket}: ${rate}`).toBeLessThan(
      3 * Math.sqrt((told * (1 - told)) / lived) + 0.25 * told,
    );
  });
});

test("capacity is between 0 and 1 and depends on nothing but pool and instant", () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 0, max: 2 ** 41 }),
      fc.constantFrom("m5.large", "p5.48xlarge", "t3.nano"),
      (at, type) => {
        const capacity = capacityOf(seed, pool(type), 2, at);
        expect(capacity).toBeGreaterThan(0);
        expect(capacity).toBeLessThan(1);
        expect(capacityOf(seed, pool(type), 2, at)).toBe(capacity);
      },
    ),
  );
});

test("looking ahead in steps finds the same interruption as looking once", () => {
  for (let index = 0; index < 40; index += 1) {
    const name = pool("z1d.large", `zone-${index}`);
    const luck = index / 40;
    const whole = interruptedAt(seed, name, { from, to: from + 2 * month, luck });
    const first = interruptedAt(seed, name, { from, to: from + month, luck });
    const second =
      first.at === undefined
        ? interruptedAt(seed, name, { from: from + month, to: from + 2 * month, luck, spent: first.spent })
        : first;
    expect(second.at).toBe(whole.at);
  }
});

test("a request is placed in the cheapest zone that has capacity, and is looked at again when that changes", () => {
  const region = regionNamed("us-east-1");
  if (!region) throw new Error("no region");
  const market = createMarket(createCatalogue(), region, seed);
  const plan: LaunchPlan = {
    image: "ami-0",
    type: "m5.large",
    product: 0,
    tenancy: "default",
    architecture: "x86_64",
    groups: [],
    monitoring: false,
    ebsOptimized: false,
    devices: [],
    rootDevice: "/dev/xvda",
    publicIp: true,
    tokensRequired: false,
    metadataTags: false,
    instanceTags: [],
    volumeTags: [],
  };
  const verdict = place(market, plan, 10_000, from);
  if (verdict.tag !== "placed") throw new Error(`not placed: ${verdict.tag}`);
  const prices = region.zones.flatMap((_, zone) => market.priceAt("m5.large", zone, 0, from / 1000) ?? []);
  expect(verdict.offer.ticks).toBe(Math.min(...prices));
  const held = place(market, plan, 1, from);
  expect(held).toEqual({ tag: "price", least: Math.min(...prices) });
  const then = nextLook(market, plan, 1, from);
  expect(then - from).toBeLessThanOrEqual(86_400_000);
  expect((then - from) % 60_000).toBe(0);
});

test("few types score low whatever the capacity; more capacity never scores less", () => {
  expect(placementScore([0.99, 0.99], 1)).toBeLessThanOrEqual(3);
  expect(placementScore([], 1)).toBe(1);
  expect(placementScore([0.99, 0.98, 0.97], 1)).toBeGreaterThanOrEqual(9);
  expect(placementScore([0.9, 0.9, 0.9], 10_000)).toBeLessThan(placementScore([0.9, 0.9, 0.9], 1));
});
