/** Which pools a fleet launches from, without a market: prices, capacities and priorities are given. */
import { expect, test } from "vitest";
import {
  allot,
  type Candidate,
  protectedPrices,
  type Wanted,
} from "../../emulators/ec2-spot/domain/fleet-allocation.ts";
import type { LaunchPlan } from "../../emulators/ec2-spot/domain/resources.ts";

function candidate(type: string, facts: Partial<Candidate> & { readonly priority?: number } = {}): Candidate {
  const { priority, ...rest } = facts;
  // Only the type of a plan is looked at.
  const plan = { type } as LaunchPlan;
  const pool = { plan, weight: 1, ...(priority === undefined ? {} : { priority }) };
  return { index: 0, pool, plan, weight: 1, zone: 0, ticks: 100, capacity: 0.9, vcpus: 2, standing: 0, ...rest };
}

const pools = [
  candidate("dear", { index: 0, ticks: 300, capacity: 0.95, priority: 2 }),
  candidate("cheap", { index: 1, ticks: 100, capacity: 0.2, priority: 1 }),
  candidate("middle", { index: 2, ticks: 200, capacity: 0.8, priority: 3, zone: 1 }),
];
const endless = { instances: Number.POSITIVE_INFINITY, vcpus: Number.POSITIVE_INFINITY };
const chosen = (wanted: Partial<Wanted>, found: readonly Candidate[] = pools) =>
  allot(found, {
    strategy: "lowest-price",
    capacity: 3,
    spentTicks: 0,
    singleType: false,
    singleZone: false,
    room: endless,
    ...wanted,
  }).chosen.map(({ plan }) => plan.type);

test.each([
  ["lowest-price", ["cheap", "cheap", "cheap"]],
  ["diversified", ["dear", "cheap", "middle"]],
  ["capacity-optimized", ["dear", "dear", "dear"]],
  // The first priority has no capacity to speak of.
  ["capacity-optimized-prioritized", ["dear", "dear", "dear"]],
  ["price-capacity-optimized", ["middle", "middle", "middle"]],
  ["prioritized", ["cheap", "cheap", "cheap"]],
] as const)("%s", (strategy, types) => {
  expect(chosen({ strategy })).toEqual(types);
});

test("the cheapest is told by weight, and pools to use are taken in turn", () => {
  const heavy = candidate("heavy", { index: 3, ticks: 350, weight: 4 });
  expect(chosen({ capacity: 8 }, [...pools, heavy])).toEqual(["heavy", "heavy"]);
  expect(chosen({ poolsToUse: 2 })).toEqual(["cheap", "middle", "cheap"]);
});

test("a diversified fleet makes up where it has least", () => {
  const standing = pools.map((pool, index) => ({ ...pool, standing: [2, 1, 0][index] ?? 0 }));
  expect(chosen({ strategy: "diversified", capacity: 1 }, standing)).toEqual(["middle"]);
});

test("one type or one zone: the others are left alone", () => {
  expect(chosen({ strategy: "diversified", singleZone: true })).toEqual(["dear", "cheap", "dear"]);
  expect(chosen({ strategy: "diversified", singleType: true })).toEqual(["dear", "dear", "dear"]);
});

test("a total price and a quota end it; a least capacity makes it all or nothing", () => {
  expect(chosen({ maxTotalTicks: 250 })).toEqual(["cheap", "cheap"]);
  expect(chosen({ maxTotalTicks: 250, spentTicks: 100 })).toEqual(["cheap"]);
  expect(chosen({ maxTotalTicks: 250, minTarget: 3 })).toEqual([]);
  expect(chosen({ room: { instances: 10, vcpus: 4 } })).toEqual(["cheap", "cheap"]);
  expect(chosen({ room: { instances: 1, vcpus: 400 } })).toEqual(["cheap"]);
  expect(chosen({}, [])).toEqual([]);
});

test("prices are protected by the cheapest of the common families, else of all", () => {
  const names = (found: readonly Candidate[]) => protectedPrices(found, 100).map(({ plan }) => plan.type);
  const common = [candidate("m5.large", { ticks: 100 }), candidate("c5.large", { ticks: 201 })];
  expect(names([...common, candidate("t3.large", { ticks: 20 })])).toEqual(["m5.large", "t3.large"]);
  expect(names([candidate("g5.xlarge", { ticks: 100 }), candidate("p3.2xlarge", { ticks: 200 })])).toEqual([
    "g5.xlarge",
    "p3.2xlarge",
  ]);
});
