/** Cost Management: query, forecast and dimensions at management groups, subscriptions and resource groups. */
import type { Context, Hono } from "hono";
import type { KernelEnv, Runtime } from "../../kernel/emulator.ts";
import { answerArm } from "../arm.ts";
import {
  type Condition,
  type CostColumn,
  type CostQuery,
  type CostRow,
  type CostWorld,
  columnsOf,
  costRows,
  dimensionNamed,
  dimensionNames,
  dimensionValue,
  type Granularity,
  type Grouping,
} from "../domain/cost-query.ts";
import type { Range } from "../domain/estate.ts";
import { resourceId } from "../domain/fields.ts";
import { type Json, list, member, record, text } from "../domain/json.ts";
import { dayMs } from "../domain/scans.ts";
import { reject } from "../errors.ts";
import type { AzureState } from "../store.ts";
import { bodyOf } from "./body.ts";
import { type ArmRequest, costVersions, readRequest } from "./request.ts";
import { wholeOf } from "./resources.ts";
import { idOf, type Placed, placeOf, type ScopePath, scopePaths } from "./scopes.ts";

const provider = "providers/microsoft.costmanagement";
const pageSize = 1000;
/** The longest time a query may span. */
const mostDays = 366 * 3;

export function costs(app: Hono<KernelEnv>, runtime: Runtime<AzureState>): void {
  for (const scope of scopePaths("managementGroup", "subscription", "group")) {
    app.post(`${scope.path}/${provider}/query`, (c) => query(c, runtime, scope));
    app.post(`${scope.path}/${provider}/forecast`, (c) => forecast(c, runtime, scope));
    app.get(`${scope.path}/${provider}/dimensions`, (c) => dimensions(c, runtime, scope));
  }
}

interface Asked {
  readonly request: ArmRequest;
  readonly place: Placed;
  readonly ranges: readonly Range[];
  readonly world: CostWorld;
}

function asked(c: Context<KernelEnv>, runtime: Runtime<AzureState>, scope: ScopePath, operation: string): Asked {
  const request = readRequest(c.env.exchange, runtime, costVersions);
  c.env.exchange.note("operation", `costManagement.${operation}`);
  const { state, clock } = runtime;
  const place = placeOf(request, state, scope, 3);
  const { estate } = state.readings();
  const world: CostWorld = {
    estate,
    now: clock.now(),
    madeOn(code) {
      const since = state.documents.since("resource", resourceId(estate, code));
      return since === undefined ? undefined : Math.floor(since / dayMs);
    },
    tagsOf: (code) => record(member(wholeOf(runtime, code).body, "tags")) as Readonly<Record<string, string>>,
  };
  return { request, place, ranges: rangesOf(world, place), world };
}

function rangesOf({ estate }: CostWorld, { name, subscription }: Placed): readonly Range[] {
  if (name.tag === "managementGroup") {
    const wanted = name.name.toLowerCase();
    return estate.subscriptions.flatMap(({ managementGroups, resources }) =>
      managementGroups.some((each) => each.toLowerCase() === wanted) ? [resources] : [],
    );
  }
  if (name.tag === "group") {
    const wanted = name.name.toLowerCase();
    return estate.groups.flatMap((group) =>
      group.subscription === subscription && group.name.toLowerCase() === wanted ? [group.resources] : [],
    );
  }
  const whole = estate.subscriptions[subscription];
  return whole ? [whole.resources] : [];
}

function query(c: Context<KernelEnv>, runtime: Runtime<AzureState>, scope: ScopePath): Response {
  const { request, place, ranges, world } = asked(c, runtime, scope, "query");
  const given = bodyOf(c.env.exchange);
  const today = Math.floor(world.now / dayMs);
  const wanted = readQuery(given, ranges, world.now);
  const bounded: CostQuery = { ...wanted, last: Math.min(wanted.last, today) };
  const columns = columnsOf(bounded);
  const rows = sorted(costRows(world, bounded), columns, member(given, "dataset"));
  return answerRows(c, request, place, columns, rows);
}

/** Days that have passed are what they cost; the others are what they will, which nobody but an emulator knows. */
function forecast(c: Context<KernelEnv>, runtime: Runtime<AzureState>, scope: ScopePath): Response {
  const { request, place, ranges, world } = asked(c, runtime, scope, "forecast");
  const given = bodyOf(c.env.exchange);
  const today = Math.floor(world.now / dayMs);
  const wanted = readQuery(given, ranges, world.now);
  const actual = member(given, "includeActualCost") !== false;
  const parts = [
    { status: "Actual", query: { ...wanted, last: Math.min(wanted.last, today - 1) }, shown: actual },
    { status: "Forecast", query: { ...wanted, first: Math.max(wanted.first, today) }, shown: true },
  ];
  const whole = { ...world, now: (today + 1) * dayMs - 1 };
  const rows = parts.flatMap(({ status, query: part, shown }) =>
    shown && part.first <= part.last
      ? costRows({ ...whole, now: status === "Actual" ? world.now : whole.now }, part).map((row) => [
          ...row.slice(0, -1),
          status,
          row.at(-1) ?? "",
        ])
      : [],
  );
  const columns = columnsOf(wanted).flatMap((column): readonly CostColumn[] =>
    column.name === "Currency" ? [{ name: "CostStatus", type: "String" }, column] : [column],
  );
  return answerRows(c, request, place, columns, rows);
}

function dimensions(c: Context<KernelEnv>, runtime: Runtime<AzureState>, scope: ScopePath): Response {
  const { request, place, ranges, world } = asked(c, runtime, scope, "dimensions");
  const withData = /properties\/data/i.test(request.query.get("$expand") ?? "");
  const top = Number(request.query.get("$top") ?? pageSize);
  const month = new Date(world.now).toISOString().slice(0, 7);
  const value = dimensionNames.map((name) => {
    const values = new Set<string>();
    if (withData)
      for (const { first, end } of ranges)
        for (let code = first; code < end; code += 1) values.add(dimensionValue(world, name, code));
    return {
      id: `${idOf(place.segments)}/providers/Microsoft.CostManagement/dimensions/${name}`,
      name,
      type: "Microsoft.CostManagement/dimensions",
      properties: {
        category: name,
        usageStart: `${month}-01T00:00:00Z`,
        usageEnd: new Date(world.now).toISOString(),
        filterEnabled: true,
        groupingEnabled: true,
        total: values.size,
        data: [...values].sort().slice(0, Number.isNaN(top) ? pageSize : top),
      },
    };
  });
  return answerArm(c.env.exchange, { value });
}

function answerRows(
  c: Context<KernelEnv>,
  request: ArmRequest,
  place: Placed,
  columns: readonly CostColumn[],
  rows: readonly CostRow[],
): Response {
  const { exchange } = c.env;
  if (rows.length === 0) return answerArm(exchange, undefined, 204);
  const given = Number(request.query.get("$top") ?? pageSize);
  const size = Number.isInteger(given) && given > 0 ? Math.min(given, 5000) : pageSize;
  const from = readSkip(request.query.get("$skiptoken"));
  const path = exchange.target.slice(0, exchange.target.indexOf("?"));
  const token = Buffer.from(`row:${from + size}`).toString("base64url");
  const more = from + size < rows.length;
  const nextLink = more
    ? `${exchange.base}${path}?api-version=${request.apiVersion}&$top=${size}&$skiptoken=${token}`
    : null;
  const name = `${exchange.id.slice(0, 8)}-${exchange.id.slice(8, 12)}-${exchange.id.slice(12, 16)}-${exchange.id.slice(16, 20)}-${exchange.id.slice(20)}`;
  return answerArm(exchange, {
    id: `${idOf(place.segments).slice(1)}/providers/Microsoft.CostManagement/query/${name}`,
    name,
    type: "Microsoft.CostManagement/query",
    location: null,
    sku: null,
    eTag: null,
    properties: { nextLink, columns, rows: rows.slice(from, from + size) },
  });
}

function readSkip(token: string | undefined): number {
  if (token === undefined) return 0;
  const found = /^row:(\d{1,9})$/.exec(Buffer.from(token, "base64url").toString("utf8"))?.[1];
  return found === undefined ? reject("BadRequest", "Invalid $skiptoken") : Number(found);
}

/** @throws ArmError 400 */
function readQuery(given: { readonly [name: string]: Json }, ranges: readonly Range[], now: number): CostQuery {
  const type = text(given, "type");
  if (!["usage", "actualcost", "amortizedcost"].includes(type.toLowerCase()))
    reject(
      "BadRequest",
      `Invalid query definition, Invalid 'type' value '${type}'; valid values: 'Usage','ActualCost','AmortizedCost'`,
    );
  const dataset = member(given, "dataset");
  const { first, last } = period(given, now);
  if (last < first || last - first > mostDays) reject("BadRequest", "Invalid query definition, Invalid time period");
  const aggregation = Object.values(record(member(dataset, "aggregation")));
  const groupings = list(member(dataset, "grouping")).map(readGrouping);
  if (aggregation.length > 2) reject("BadRequest", "Invalid query definition, Only two aggregations are allowed");
  if (groupings.length > 2) reject("BadRequest", "Invalid query definition, Only two groupings are allowed");
  const filter = member(dataset, "filter");
  return {
    ranges,
    first,
    last,
    granularity: readGranularity(text(dataset, "granularity")),
    amounts: aggregation.length === 0 ? ["PreTaxCost"] : aggregation.map(readAmount),
    groupings,
    condition: filter === undefined || filter === null ? undefined : readCondition(filter, 0),
  };
}

function readGranularity(name: string): Granularity {
  const known = (["None", "Daily", "Monthly"] as const).find((each) => each.toLowerCase() === name.toLowerCase());
  return (
    known ??
    (name === ""
      ? "None"
      : reject("BadRequest", `Invalid dataset granularity '${name}'; valid values: 'Daily','Monthly'`))
  );
}

function readAmount(given: Json): string {
  const name = text(given, "name");
  const known = ["PreTaxCost", "PreTaxCostUSD", "Cost", "CostUSD"].find(
    (each) => each.toLowerCase() === name.toLowerCase(),
  );
  if (text(given, "function").toLowerCase() !== "sum")
    reject("BadRequest", "Invalid dataset aggregation: the function must be 'Sum'");
  return (
    known ??
    reject(
      "BadRequest",
      `Invalid dataset aggregation '${name}'; valid values: 'PreTaxCost','PreTaxCostUSD','Cost','CostUSD'`,
    )
  );
}

function readGrouping(given: Json): Grouping {
  const name = text(given, "name");
  const type = text(given, "type").toLowerCase();
  if (type === "tagkey" || type === "tag") return { kind: "tag", name };
  if (type !== "dimension")
    reject("BadRequest", `Invalid dataset grouping type '${text(given, "type")}'; valid values: 'Dimension','TagKey'`);
  return { kind: "dimension", name: dimension(name) };
}

function dimension(name: string): string {
  return (
    dimensionNamed(name) ??
    reject(
      "BadRequest",
      `Invalid dataset grouping: '${name}'; valid values: ${dimensionNames.map((each) => `'${each}'`).join(",")}`,
    )
  );
}

function readCondition(given: Json, depth: number): Condition {
  if (depth > 20) return reject("BadRequest", "Invalid dataset filter; it is nested too deeply");
  const below = (each: Json) => readCondition(each, depth + 1);
  for (const tag of ["and", "or"] as const) {
    const parts = member(given, tag);
    if (parts === undefined) continue;
    if (list(parts).length < 2)
      reject("BadRequest", `Invalid dataset filter; '${tag}' must have at least two operands`);
    return { tag, parts: list(parts).map(below) };
  }
  if (member(given, "not") !== undefined) return { tag: "not", part: below(member(given, "not")) };
  const dimensions = member(given, "dimensions") ?? member(given, "dimension");
  const tags = member(given, "tags") ?? member(given, "tag");
  const named = dimensions ?? tags;
  const operator = text(named, "operator");
  const values = list(member(named, "values")).flatMap((each) => (typeof each === "string" ? each : []));
  if (named === undefined || operator.toLowerCase() !== "in" || values.length === 0)
    return reject(
      "BadRequest",
      "Invalid dataset filter; it needs 'and', 'or', 'dimensions' or 'tags' with the operator 'In' and values",
    );
  const name = text(named, "name");
  return {
    tag: "in",
    values,
    by: dimensions === undefined ? { kind: "tag", name } : { kind: "dimension", name: dimension(name) },
  };
}

/** Days of a timeframe. @throws ArmError 400 */
function period(given: Json, now: number): { first: number; last: number } {
  const today = Math.floor(now / dayMs);
  const date = new Date(now);
  const startOf = (months: number) =>
    Math.floor(Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + months, 1) / dayMs);
  const timeframe = text(given, "timeframe");
  switch (timeframe.toLowerCase()) {
    case "monthtodate":
    case "billingmonthtodate":
      return { first: startOf(0), last: today };
    case "thelastmonth":
    case "thelastbillingmonth":
      return { first: startOf(-1), last: startOf(0) - 1 };
    case "weektodate":
      return { first: today - date.getUTCDay(), last: today };
    case "custom": {
      const [from, to] = ["from", "to"].map((name) => Date.parse(text(member(given, "timePeriod"), name)));
      if (from === undefined || to === undefined || Number.isNaN(from) || Number.isNaN(to))
        return reject("BadRequest", "Invalid query definition, 'timePeriod' must be given with a custom timeframe");
      return { first: Math.floor(from / dayMs), last: Math.floor(to / dayMs) };
    }
    default:
      return reject(
        "BadRequest",
        `Invalid query definition, Invalid 'timeframe' value '${timeframe}'; valid values: 'MonthToDate','BillingMonthToDate','TheLastMonth','TheLastBillingMonth','WeekToDate','Custom'`,
      );
  }
}

function sorted(rows: readonly CostRow[], columns: readonly CostColumn[], dataset: Json): readonly CostRow[] {
  const orders = list(member(dataset, "sorting")).flatMap((each) => {
    const name = text(each, "name");
    const at = columns.findIndex((column) => column.name.toLowerCase() === name.toLowerCase());
    if (at < 0) return reject("BadRequest", `Invalid dataset sorting: '${name}' is no column of the result`);
    return [{ at, sign: /^desc/i.test(text(each, "direction")) ? -1 : 1 }];
  });
  if (orders.length === 0) return rows;
  return rows.toSorted((left, right) => {
    for (const { at, sign } of orders) {
      const [a, b] = [left[at] ?? "", right[at] ?? ""];
      if (a !== b) return a < b ? -sign : sign;
    }
    return 0;
  });
}
