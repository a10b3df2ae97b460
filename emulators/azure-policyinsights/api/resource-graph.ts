/** Resource Graph: Kusto queries over the estate. https://learn.microsoft.com/azure/governance/resource-graph/ */
import type { Context, Hono } from "hono";
import type { KernelEnv, Runtime } from "../../kernel/emulator.ts";
import { answerArm, remainingOf } from "../arm.ts";
import { type Json, list, member, text } from "../domain/json.ts";
import { reject } from "../errors.ts";
import { compile } from "../kql/compile.ts";
import { KqlProblem } from "../kql/problem.ts";
import { parseAlone, parseQuery } from "../kql/query-parser.ts";
import { type Flow, run } from "../kql/run.ts";
import { keyOf, type Row, shown, type Value } from "../kql/values.ts";
import type { AzureState } from "../store.ts";
import { bodyOf } from "./body.ts";
import { graphTable, type Within } from "./graph-tables.ts";
import { graphVersions, readRequest } from "./request.ts";

const mostRows = 1000;
/** Longer queries are refused before they are read. */
const mostText = 64 * 1024;

export function resourceGraph(app: Hono<KernelEnv>, runtime: Runtime<AzureState>): void {
  app.post("/providers/microsoft.resourcegraph/resources", (c) => query(c, runtime));
  app.get("/providers/microsoft.resourcegraph/operations", (c) => {
    readRequest(c.env.exchange, runtime, graphVersions);
    const display = { provider: "Microsoft Resource Graph", resource: "Resources", operation: "Query resources" };
    return answerArm(c.env.exchange, { value: [{ name: "Microsoft.ResourceGraph/resources/read", display }] });
  });
}

function query(c: Context<KernelEnv>, runtime: Runtime<AzureState>): Response {
  const { exchange } = c.env;
  readRequest(exchange, runtime, graphVersions);
  exchange.note("operation", "resourceGraph.resources");
  const given = bodyOf(exchange);
  const asked = text(given, "query");
  if (asked.trim() === "") return reject("BadRequest", "The request's 'query' is missing");
  if (asked.length > mostText) return reject("BadRequest", `A query has at most ${mostText} characters`);
  const options = member(given, "options");
  const within = subscriptionsOf(runtime.state, given);
  const now = runtime.clock.now();
  const flow = run(parseQuery(asked), {
    tables: (name, wanted) => graphTable(runtime, within, name, wanted),
    now,
  });
  const rows = [...flow.rows];
  const skip = skipOf(options);
  const top = Math.min(mostRows, Math.max(1, numberAt(options, "$top") ?? mostRows));
  const page = rows.slice(skip, skip + top);
  const more = skip + page.length < rows.length;
  const facets = list(member(given, "facets")).map((facet) => facetOf({ columns: flow.columns, rows }, facet, now));
  const body = {
    totalRecords: rows.length,
    count: page.length,
    resultTruncated: more ? "true" : "false",
    ...(more ? { $skipToken: Buffer.from(JSON.stringify({ skip: skip + page.length })).toString("base64url") } : {}),
    data:
      text(options, "resultFormat").toLowerCase() === "table"
        ? asTable(flow.columns, page)
        : asObjects(flow.columns, page),
    facets,
  };
  return answerArm(exchange, body, 200, {
    "x-ms-user-quota-remaining": remainingOf(exchange, "queries"),
    "x-ms-user-quota-resets-after": "00:00:05",
  });
}

/** Codes of what the request is about: everything when it says nothing. @throws ArmError 400 */
function subscriptionsOf(state: AzureState, given: Json): Within {
  const { subscriptions } = state.readings().estate;
  const ids = list(member(given, "subscriptions")).map((each) => String(each).toLowerCase());
  const groups = list(member(given, "managementGroups")).map((each) => String(each).toLowerCase());
  const named = (id: string) => subscriptions.some((each) => each.id === id);
  const unknown = ids.find((id) => !named(id));
  if (unknown !== undefined && !ids.some(named))
    return reject("BadRequest", `The subscriptions that the query is about were not found: ${unknown}`);
  const all = ids.length === 0 && groups.length === 0;
  return new Set(
    subscriptions.flatMap(({ id, managementGroups }, code) =>
      all || ids.includes(id) || managementGroups.some((each) => groups.includes(each.toLowerCase())) ? [code] : [],
    ),
  );
}

function numberAt(options: Json, name: string): number | undefined {
  const found = member(options, name);
  return typeof found === "number" && Number.isInteger(found) && found >= 0 ? found : undefined;
}

function skipOf(options: Json): number {
  const token = text(options, "$skipToken");
  if (token === "") return numberAt(options, "$skip") ?? 0;
  const found = /^\{"skip":(\d{1,9})\}$/.exec(Buffer.from(token, "base64url").toString("utf8"))?.[1];
  return found === undefined ? reject("BadRequest", "The $skipToken is invalid") : Number(found);
}

function asObjects(columns: readonly string[], rows: readonly Row[]): readonly object[] {
  return rows.map((row) => Object.fromEntries(columns.map((name, at) => [name, shown(row[at] ?? null)])));
}

function asTable(columns: readonly string[], rows: readonly Row[]): object {
  return {
    columns: columns.map((name, at) => ({
      name,
      type: typeOf(rows.find((row) => (row[at] ?? null) !== null)?.[at] ?? ""),
    })),
    rows: rows.map((row) => columns.map((_, at) => shown(row[at] ?? null))),
  };
}

/** As the specification calls types of columns. */
function typeOf(value: Value): "string" | "integer" | "number" | "boolean" | "object" {
  switch (typeof value) {
    case "number":
      return Number.isInteger(value) ? "integer" : "number";
    case "boolean":
      return "boolean";
    case "object":
      return value instanceof Date ? "string" : "object";
    default:
      return "string";
  }
}

/** How often each value of an expression comes among the results. */
function facetOf({ columns, rows }: Flow & { rows: readonly Row[] }, facet: Json, now: number): object {
  const expression = text(facet, "expression");
  try {
    const read = compile(parseAlone(expression), { columns, now });
    const options = member(facet, "options");
    const counts = new Map<string, { readonly value: Value; n: number }>();
    for (const row of rows) {
      const value = read(row);
      const known = counts.get(keyOf(value));
      if (known) known.n += 1;
      else counts.set(keyOf(value), { value, n: 1 });
    }
    const sign = text(options, "sortOrder").toLowerCase() === "asc" ? 1 : -1;
    const sorted = [...counts.values()].sort((left, right) => sign * (left.n - right.n));
    const top = sorted.slice(0, Math.min(mostRows, numberAt(options, "$top") ?? 10));
    const data = top.map(({ value, n }) => ({ [expression]: shown(value), count: n }));
    return { resultType: "FacetResult", expression, totalRecords: sorted.length, count: data.length, data };
  } catch (cause) {
    if (!(cause instanceof KqlProblem)) throw cause;
    return { resultType: "FacetError", expression, errors: [{ code: cause.kind, message: cause.message }] };
  }
}
