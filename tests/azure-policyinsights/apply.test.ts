import fc from "fast-check";
import { expect, test } from "vitest";
import { createReadings } from "../../emulators/azure-policyinsights/domain/readings.ts";
import { applySteps, narrowed } from "../../emulators/azure-policyinsights/odata/apply.ts";
import { parseApply } from "../../emulators/azure-policyinsights/odata/apply-parser.ts";
import { ODataProblem } from "../../emulators/azure-policyinsights/odata/problem.ts";
import { timestampWriter } from "../../emulators/azure-policyinsights/wire/timestamp.ts";
import { everything, recordsOf, smallEstate } from "./estates.ts";

const readings = createReadings(smallEstate("apply"));
const write = timestampWriter();

/** A record as a user sees it: names to values. */
type Row = Readonly<Record<string, string | number>>;
const names = [
  "resourceId",
  "resourceGroup",
  "resourceType",
  "resourceLocation",
  "complianceState",
  "policyAssignmentName",
];
const records: readonly Row[] = recordsOf(readings).map((record) => ({
  resourceId: record.resourceId,
  resourceGroup: record.resourceGroup,
  resourceType: record.resourceType,
  resourceLocation: record.resourceLocation,
  complianceState: record.complianceState,
  policyAssignmentName: record.assignment,
}));

function run(text: string): readonly Row[] {
  const table = applySteps(readings, everything(readings.estate), parseApply(text), write) ?? expect.fail("no groups");
  return Array.from({ length: table.size }, (_, row) =>
    Object.fromEntries(
      table.columns.map((column) => [column.name, column.valueOf(column.codes[row] ?? 0) as string | number]),
    ),
  );
}

interface Aggregate {
  readonly method: "count" | "min" | "max" | "countdistinct" | "sum" | "average";
  readonly of: string;
  readonly alias: string;
}

/** The slow and obvious way. */
function grouped(rows: readonly Row[], by: readonly string[], aggregates: readonly Aggregate[]): readonly Row[] {
  const groups = new Map<string, Row[]>(by.length === 0 ? [["", []]] : []);
  for (const row of rows) {
    const key = by.map((name) => row[name]).join("|");
    groups.set(key, [...(groups.get(key) ?? []), row]);
  }
  return [...groups.values()].map((members) => ({
    ...Object.fromEntries(by.map((name) => [name, members[0]?.[name] ?? ""])),
    ...Object.fromEntries(aggregates.map((each) => [each.alias, aggregate(members, each)])),
  }));
}

function aggregate(rows: readonly Row[], { method, of }: Aggregate): string | number {
  const values = rows.map((row) => row[of] ?? "");
  const order = [...values].sort((left, right) =>
    typeof left === "number" && typeof right === "number" ? left - right : String(left) < String(right) ? -1 : 1,
  );
  const sum = values.reduce<number>((total, value) => total + Number(value), 0);
  switch (method) {
    case "count":
      return rows.length;
    case "countdistinct":
      return new Set(values).size;
    case "min":
      return order[0] ?? "";
    case "max":
      return order.at(-1) ?? "";
    case "sum":
      return sum;
    case "average":
      return rows.length === 0 ? 0 : sum / rows.length;
  }
}

function asText(by: readonly string[], aggregates: readonly Aggregate[]): string {
  const inner = aggregates.map(({ method, of, alias }) =>
    method === "count" ? `$count as ${alias}` : `${of} with ${method} as ${alias}`,
  );
  if (by.length === 0) return `aggregate(${inner.join(", ")})`;
  return inner.length === 0
    ? `groupby((${by.join(",")}))`
    : `groupby((${by.join(", ")}), aggregate(${inner.join(", ")}))`;
}

const sorted = (rows: readonly Row[]) => rows.map((row) => JSON.stringify(row)).toSorted();

const properties = fc.uniqueArray(fc.constantFrom(...names), { maxLength: 3 });
const aggregates = fc.uniqueArray(
  fc.record({
    method: fc.constantFrom("count" as const, "min" as const, "max" as const, "countdistinct" as const),
    of: fc.constantFrom("resourceId", "resourceGroup", "resourceLocation"),
    alias: fc.constantFrom("a", "b", "c"),
  }),
  { selector: ({ alias }) => alias, maxLength: 3 },
);

test("groups and aggregates are the naive ones", () => {
  fc.assert(
    fc.property(properties, aggregates, (by, wanted) => {
      fc.pre(by.length + wanted.length > 0);
      expect(sorted(run(asText(by, wanted)))).toEqual(sorted(grouped(records, by, wanted)));
    }),
    { numRuns: 40, seed: 7 },
  );
});

test("chained steps work on the results of those before", () => {
  const numbers = ["sum", "average", "min", "max", "countdistinct"] as const;
  fc.assert(
    fc.property(
      fc.uniqueArray(fc.constantFrom(...names), { minLength: 2, maxLength: 4 }),
      fc.constantFrom(...numbers),
      fc.nat(30),
      (by, method, least) => {
        const count = [{ method: "count", of: "", alias: "n" }] as const;
        const next = [
          { method, of: "n", alias: "m" },
          { method: "count", of: "", alias: "groups" },
        ] as const;
        const text = `${asText(by, count)}/filter(n ge ${least})/${asText(by.slice(1), next)}`;
        const first = grouped(records, by, count).filter(({ n }) => Number(n) >= least);
        expect(sorted(run(text))).toEqual(sorted(grouped(first, by.slice(1), next)));
      },
    ),
    { numRuns: 30, seed: 11 },
  );
});

test("a filter in front narrows what is grouped; alone it leaves records", () => {
  const wanted = records.filter(({ complianceState }) => complianceState === "NonCompliant");
  expect(run("filter(isCompliant eq false)/aggregate($count as n)")).toEqual([{ n: wanted.length }]);
  const alone = parseApply("filter(isCompliant eq false)");
  expect(applySteps(readings, everything(readings.estate), alone, write)).toBeUndefined();
  expect(narrowed(readings, everything(readings.estate), alone).mask.compliance).toBeDefined();
});

test("times group exactly", () => {
  const rows = run("groupby((timestamp, resourceId), aggregate($count as n))/aggregate(n with sum as n)");
  expect(rows).toEqual([{ n: records.length }]);
  expect(run("aggregate(timestamp with max as newest)")[0]?.newest).toMatch(/^2025-01-1\dT[\d:]{8}\.\d{7}Z$/);
});

test.each([
  ["", 0],
  ["nonsense", 0],
  ["groupby", 7],
  ["groupby((nope))", 9],
  ["groupby((resourceId, resourceId))", 21],
  ["aggregate($count n)", 17],
  ["aggregate(resourceId with sum as n)", 10],
  ["aggregate(resourceId with nope as n)", 26],
  ["aggregate($count as n, $count as N)", 23],
  ["aggregate($count as n)/filter(resourceId eq 'x')", 30],
  ["aggregate($count as n) and more", 23],
])("%s fails at %i", (text, at) => {
  expect(() => parseApply(text)).toThrow(ODataProblem);
  try {
    parseApply(text);
  } catch (cause) {
    expect((cause as ODataProblem).at).toBe(at);
  }
});

test("any text is read or refused in its place, and soon", () => {
  const words = [
    "groupby",
    "aggregate",
    "filter",
    "(",
    ")",
    ",",
    "/",
    " with ",
    " as ",
    "$count",
    "resourceId",
    "n",
    " eq ",
    "'x'",
    "5",
    " and ",
    "not ",
  ];
  fc.assert(
    fc.property(
      fc.array(fc.oneof(fc.constantFrom(...words), fc.string({ maxLength: 3 })), { maxLength: 400 }),
      (parts) => {
        const text = parts.join("").slice(0, 4096);
        const before = process.hrtime.bigint();
        try {
          parseApply(text);
        } catch (cause) {
          expect(cause).toBeInstanceOf(ODataProblem);
        }
        expect(Number(process.hrtime.bigint() - before) / 1e6).toBeLessThan(50);
      },
    ),
    { numRuns: 300, seed: 3 },
  );
});
