/** Cost Management's query over the estate: days, groups and sums. */
import { costOn, isBilled, serviceOf } from "./costs.ts";
import type { Estate, Range } from "./estate.ts";
import { resourceId } from "./fields.ts";
import { hashText } from "./hash.ts";
import { dayMs } from "./scans.ts";

export type Granularity = "None" | "Daily" | "Monthly";

export type Condition =
  | { readonly tag: "and" | "or"; readonly parts: readonly Condition[] }
  | { readonly tag: "not"; readonly part: Condition }
  | { readonly tag: "in"; readonly by: Grouping; readonly values: readonly string[] };

export type Grouping =
  | { readonly kind: "dimension"; readonly name: string }
  | { readonly kind: "tag"; readonly name: string };

export interface CostQuery {
  readonly ranges: readonly Range[];
  /** Days since 1970-01-01, both included. */
  readonly first: number;
  readonly last: number;
  readonly granularity: Granularity;
  /** Names of the amounts, each a column: PreTaxCost, Cost, CostUSD, PreTaxCostUSD. */
  readonly amounts: readonly string[];
  readonly groupings: readonly Grouping[];
  readonly condition: Condition | undefined;
}

export interface CostWorld {
  readonly estate: Estate;
  readonly now: number;
  /** The day a client made a resource; undefined for a seeded one. */
  madeOn(code: number): number | undefined;
  tagsOf(code: number): Readonly<Record<string, string>>;
}

export interface CostColumn {
  readonly name: string;
  readonly type: "Number" | "String" | "Datetime";
}

export type CostRow = readonly (string | number)[];

type Reading = (world: CostWorld, code: number) => string;

const groupOf: Reading = ({ estate }, code) => estate.groups[estate.resources.group[code] ?? 0]?.name ?? "";
const subscriptionOf = ({ estate }: CostWorld, code: number) =>
  estate.subscriptions[estate.resources.subscription[code] ?? 0];
const keyOf = ({ types, resources }: Estate, code: number) => types[resources.type[code] ?? 0]?.key ?? "";
const typeOf: Reading = ({ estate }, code) =>
  (estate.types[estate.resources.type[code] ?? 0]?.type ?? "").toLowerCase();
const constant =
  (value: string): Reading =>
  () =>
    value;

const dimensions: Readonly<Record<string, Reading>> = {
  ResourceGroup: groupOf,
  ResourceGroupName: groupOf,
  ResourceId: ({ estate }, code) => resourceId(estate, code),
  ResourceType: typeOf,
  ResourceLocation: ({ estate }, code) => estate.locations[estate.resources.location[code] ?? 0] ?? "",
  ServiceName: ({ estate }, code) => serviceOf(keyOf(estate, code)),
  MeterCategory: ({ estate }, code) => serviceOf(keyOf(estate, code)),
  ConsumedService: (world, code) => typeOf(world, code).split("/")[0] ?? "",
  SubscriptionId: (world, code) => subscriptionOf(world, code)?.id ?? "",
  SubscriptionName: (world, code) => subscriptionOf(world, code)?.name ?? "",
  ChargeType: constant("Usage"),
  PublisherType: constant("Azure"),
  PricingModel: constant("OnDemand"),
};
const byName = new Map(Object.keys(dimensions).map((name) => [name.toLowerCase(), name]));

/** Names in requests are case-insensitive; the answer has them as Azure writes them. */
export function dimensionNamed(name: string): string | undefined {
  return byName.get(name.toLowerCase());
}
export const dimensionNames: readonly string[] = Object.keys(dimensions);

export function dimensionValue(world: CostWorld, name: string, code: number): string {
  return dimensions[name]?.(world, code) ?? "";
}

function valuesOf(world: CostWorld, by: Grouping, code: number): readonly string[] {
  if (by.kind === "dimension") return [dimensionValue(world, by.name, code)];
  const tags = world.tagsOf(code);
  const own = Object.keys(tags).find((name) => name.toLowerCase() === by.name.toLowerCase());
  return [by.name.toLowerCase(), own === undefined ? "" : (tags[own] ?? "")];
}

export function columnsOf({ amounts, granularity, groupings }: CostQuery): readonly CostColumn[] {
  const date: readonly CostColumn[] =
    granularity === "None"
      ? []
      : granularity === "Daily"
        ? [{ name: "UsageDate", type: "Number" }]
        : [{ name: "BillingMonth", type: "Datetime" }];
  return [
    ...amounts.map((name) => ({ name, type: "Number" as const })),
    ...date,
    ...groupings.flatMap((by) =>
      (by.kind === "tag" ? ["TagKey", "TagValue"] : [by.name]).map((name) => ({ name, type: "String" as const })),
    ),
    { name: "Currency", type: "String" },
  ];
}

/** One row for each period and group that cost anything, by period and then by group. */
export function costRows(world: CostWorld, query: CostQuery): readonly CostRow[] {
  const days = Math.max(0, query.last - query.first + 1);
  const periods = periodsOf(query);
  const groups = new Map<string, { readonly values: readonly string[]; readonly sums: Float64Array }>();
  for (const range of query.ranges)
    for (let code = range.first; code < range.end; code += 1) {
      const key = keyOf(world.estate, code);
      if (!isBilled(key) || !holds(world, query.condition, code)) continue;
      const values = query.groupings.flatMap((by) => valuesOf(world, by, code));
      const name = values.join("\u0000").toLowerCase();
      const group = groups.get(name) ?? { values, sums: new Float64Array(periods.length) };
      groups.set(name, group);
      addCosts(world, query.first, days, { code, key, sums: group.sums, periods });
    }
  const sorted = [...groups].sort(([left], [right]) => (left < right ? -1 : 1));
  return periods.flatMap(({ label }, period) =>
    sorted.flatMap(([, { values, sums }]) => {
      const cost = (sums[period] ?? 0) / 1_000_000;
      if (cost === 0) return [];
      return [[...query.amounts.map(() => cost), ...(label === undefined ? [] : [label]), ...values, "USD"]];
    }),
  );
}

interface Period {
  readonly label: string | number | undefined;
  readonly first: number;
}

function periodsOf({ first, last, granularity }: CostQuery): readonly Period[] {
  if (granularity === "None") return [{ label: undefined, first }];
  const periods: Period[] = [];
  for (let day = first; day <= last; day += 1) {
    const [year = "", month = "", date = ""] = new Date(day * dayMs).toISOString().slice(0, 10).split("-");
    if (granularity === "Daily") periods.push({ label: Number(year + month + date), first: day });
    else if (date === "01" || day === first) periods.push({ label: `${year}-${month}-01T00:00:00`, first: day });
  }
  return periods;
}

function addCosts(
  world: CostWorld,
  first: number,
  days: number,
  into: {
    readonly code: number;
    readonly key: string;
    readonly sums: Float64Array;
    readonly periods: readonly Period[];
  },
): void {
  const { estate, now } = world;
  const { code, key, sums, periods } = into;
  const hash = estate.resources.hash[code] || hashText(resourceId(estate, code));
  const since = estate.resources.hash[code] === 0 ? (world.madeOn(code) ?? first) : first;
  const today = Math.floor(now / dayMs);
  let period = 0;
  for (let day = first; day < first + days; day += 1) {
    while (period + 1 < periods.length && (periods[period + 1]?.first ?? 0) <= day) period += 1;
    if (day < since) continue;
    // Of today only what has passed.
    const passed = day === today ? (now - today * dayMs) / dayMs : 1;
    sums[period] = (sums[period] ?? 0) + Math.round(costOn(key, hash, day) * passed);
  }
}

function holds(world: CostWorld, condition: Condition | undefined, code: number): boolean {
  if (!condition) return true;
  switch (condition.tag) {
    case "and":
      return condition.parts.every((part) => holds(world, part, code));
    case "or":
      return condition.parts.some((part) => holds(world, part, code));
    case "not":
      return !holds(world, condition.part, code);
    case "in": {
      const value = (valuesOf(world, condition.by, code).at(-1) ?? "").toLowerCase();
      return condition.values.some((each) => each.toLowerCase() === value);
    }
  }
}
