import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { costOn } from "../../emulators/azure-policyinsights/domain/costs.ts";
import { resourceId } from "../../emulators/azure-policyinsights/domain/fields.ts";
import { type ArmClient, startArm } from "./arm-client.ts";

let arm: ArmClient;
beforeAll(async () => {
  arm = await startArm();
});
afterAll(() => arm.emulator.close());

interface Result {
  readonly properties: {
    readonly columns: readonly { name: string; type: string }[];
    readonly rows: readonly (readonly (string | number)[])[];
    readonly nextLink: string | null;
  };
  readonly error: { readonly code: string; readonly message: string };
  readonly value: readonly { name: string; properties: { data: string[]; total: number } }[];
}

const version = "api-version=2022-10-01";
const query = (body: object, scope = arm.subscription, kind = "query", more = "") =>
  arm.call<Result>("POST", `${scope}/providers/Microsoft.CostManagement/${kind}?${version}${more}`, body);
const sum = { totalCost: { name: "PreTaxCost", function: "Sum" } };
const january = { from: "2025-01-01T00:00:00Z", to: "2025-01-14T23:59:59Z" };
const custom = { type: "ActualCost", timeframe: "Custom", timePeriod: january };
const by = (...names: string[]) => names.map((name) => ({ type: "Dimension", name }));
const total = (rows: Result["properties"]["rows"]) => rows.reduce((all, [cost]) => all + Number(cost), 0);

test("columns in Azure's order, a row a day and group, each the sum of what its resources cost", async () => {
  const { body } = await query(
    {
      ...custom,
      dataset: { granularity: "Daily", aggregation: sum, grouping: by("ResourceGroup", "ServiceName") },
    },
    arm.subscription,
    "query",
    "&$top=5000",
  );
  expect(body.properties.columns).toEqual([
    { name: "PreTaxCost", type: "Number" },
    { name: "UsageDate", type: "Number" },
    { name: "ResourceGroup", type: "String" },
    { name: "ServiceName", type: "String" },
    { name: "Currency", type: "String" },
  ]);
  const { estate } = arm.emulator.runtime.state.readings();
  const group = estate.groups[0] ?? expect.fail("no group");
  const day = Date.parse("2025-01-07") / 86_400_000;
  let expected = 0;
  for (let code = group.resources.first; code < group.resources.end; code += 1)
    if (estate.types[estate.resources.type[code] ?? 0]?.key === "vm")
      expected += costOn("vm", estate.resources.hash[code] ?? 0, day);
  const row = body.properties.rows.find(
    ([, date, name, service]) => date === 20250107 && name === group.name && service === "Virtual Machines",
  );
  expect(row?.[0]).toBeCloseTo(expected / 1_000_000, 6);
  expect(row?.at(-1)).toBe("USD");
});

test("whatever the grouping, the sum is the same; months, filters and scopes agree", async () => {
  const whole = total((await query({ ...custom, dataset: { aggregation: sum } })).body.properties.rows);
  for (const dataset of [
    { granularity: "Daily" },
    { granularity: "Monthly" },
    { grouping: by("ResourceId") },
    { grouping: [{ type: "TagKey", name: "costCenter" }] },
    { granularity: "Daily", grouping: by("ResourceLocation", "ResourceType") },
  ]) {
    const rows: (readonly (string | number)[])[] = [];
    let page = (await query({ ...custom, dataset: { ...dataset, aggregation: sum } })).body;
    for (;;) {
      rows.push(...page.properties.rows);
      if (page.properties.nextLink === null) break;
      page = (
        await arm.call<Result>("POST", page.properties.nextLink, {
          ...custom,
          dataset: { ...dataset, aggregation: sum },
        })
      ).body;
    }
    expect(total(rows)).toBeCloseTo(whole, 4);
  }
  const filtered = async (operator: "In" | "Not") => {
    const clause = { dimensions: { name: "ResourceLocation", operator: "In", values: ["WestEurope"] } };
    const filter = operator === "In" ? clause : { not: clause };
    return total((await query({ ...custom, dataset: { aggregation: sum, filter } })).body.properties.rows);
  };
  expect((await filtered("In")) + (await filtered("Not"))).toBeCloseTo(whole, 4);
  const groups = (await query({ ...custom, dataset: { aggregation: sum, grouping: by("ResourceGroupName") } })).body
    .properties.rows;
  const [cost, name] = groups[0] ?? [];
  const own = await query({ ...custom, dataset: { aggregation: sum } }, `${arm.subscription}/resourceGroups/${name}`);
  expect(total(own.body.properties.rows)).toBeCloseTo(Number(cost), 6);
  const { tenantId } = arm.emulator.runtime.state.tenant();
  const all = await query(
    { ...custom, dataset: { aggregation: sum, grouping: by("SubscriptionName") } },
    `/providers/Microsoft.Management/managementGroups/${tenantId}`,
  );
  expect(all.body.properties.rows).toHaveLength(3);
});

test("timeframes; today counts as far as it has passed; sorted; what a client made costs from its day on", async () => {
  const dataset = {
    granularity: "Daily",
    aggregation: sum,
    sorting: [{ direction: "descending", name: "PreTaxCost" }],
  };
  const days = async (timeframe: string) =>
    (await query({ type: "Usage", timeframe, dataset })).body.properties.rows.map((row) => Number(row[1]));
  expect((await days("MonthToDate")).toSorted()).toEqual(Array.from({ length: 15 }, (_, n) => 20250101 + n));
  expect(await days("TheLastMonth")).toHaveLength(31);
  expect((await days("WeekToDate")).toSorted()).toEqual([20250112, 20250113, 20250114, 20250115]);
  const month = (await query({ type: "Usage", timeframe: "MonthToDate", dataset })).body.properties.rows;
  expect(month.map(([cost]) => Number(cost))).toEqual(month.map(([cost]) => Number(cost)).toSorted((a, b) => b - a));
  expect(month.at(-1)?.[1]).toBe(20250115);
  const id = `${arm.subscription}/resourceGroups/rg-web-prod-01/providers/Microsoft.Cache/redis/mine`;
  await arm.call("PUT", id, { location: "westeurope" });
  const filter = { dimensions: { name: "ResourceId", operator: "In", values: [id] } };
  const mine = await query({ type: "Usage", timeframe: "MonthToDate", dataset: { ...dataset, filter } });
  expect(mine.body.properties.rows.map((row) => row[1])).toEqual([20250115]);
});

test("a forecast continues what was; dimensions list what there is", async () => {
  const period = { timeframe: "Custom", timePeriod: { from: "2025-01-10", to: "2025-01-20" } };
  const { body } = await query(
    { type: "ActualCost", ...period, dataset: { granularity: "Daily", aggregation: sum } },
    arm.subscription,
    "forecast",
  );
  const at = body.properties.columns.findIndex(({ name }) => name === "CostStatus");
  expect(body.properties.rows.map((row) => row[at])).toEqual([
    ...Array(5).fill("Actual"),
    ...Array(6).fill("Forecast"),
  ]);
  const listed = await arm.call<Result>(
    "GET",
    `${arm.subscription}/providers/Microsoft.CostManagement/dimensions?${version}&$expand=properties/data`,
  );
  expect(listed.body.value.find(({ name }) => name === "ResourceGroup")?.properties.total).toBe(21);
});

describe("what cannot be asked", () => {
  test.each([
    ["type", { type: "Nope", timeframe: "MonthToDate" }],
    ["timeframe", { type: "Usage", timeframe: "Never" }],
    ["period", { type: "Usage", timeframe: "Custom" }],
    ["grouping", { ...custom, dataset: { grouping: by("Weather") } }],
    ["three groupings", { ...custom, dataset: { grouping: by("ResourceId", "ServiceName", "ChargeType") } }],
    ["aggregation", { ...custom, dataset: { aggregation: { a: { name: "Cost", function: "Max" } } } }],
    ["sorting", { ...custom, dataset: { sorting: [{ name: "Nope" }] } }],
    ["filter", { ...custom, dataset: { filter: { and: [] } } }],
  ])("%s", async (_, body) => {
    const { status, body: answer } = await query(body);
    expect([status, answer.error.code]).toEqual([400, "BadRequest"]);
  });

  test("nothing there: 204", async () => {
    const { status } = await query({ ...custom, dataset: {} }, `${arm.subscription}/resourceGroups/none`);
    expect(status).toBe(204);
  });

  test("ids are those of the estate", async () => {
    const { rows } = (await query({ ...custom, dataset: { grouping: by("ResourceId") } })).body.properties;
    const { estate } = arm.emulator.runtime.state.readings();
    const ids = new Set(Array.from({ length: estate.resources.count }, (_, code) => resourceId(estate, code)));
    expect(rows.every((row) => ids.has(String(row[1])))).toBe(true);
  });
});
