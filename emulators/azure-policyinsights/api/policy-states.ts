/** `policyStates`: pages of states and their summary, at every scope that queries have. */
import type { Hono } from "hono";
import type { KernelEnv, Runtime } from "../../kernel/emulator.ts";
import { answer, type Exchange } from "../../kernel/exchange.ts";
import { armHeaders } from "../arm.ts";
import type { Estate } from "../domain/estate.ts";
import { type Page, readPage } from "../domain/page.ts";
import type { Readings } from "../domain/readings.ts";
import { resolveScope, type ScopeName } from "../domain/scope.ts";
import { summarize } from "../domain/summary.ts";
import type { Question } from "../domain/walk.ts";
import { reject } from "../errors.ts";
import { compileFilter, onPolicies } from "../odata/filter-compiler.ts";
import { type Options, optionTexts, readOptions, readTop, readWindow, refuseUnsupported } from "../odata/options.ts";
import { readSkipToken, type SkipToken, writeSkipToken } from "../odata/skip-token.ts";
import type { AzureState } from "../store.ts";
import { renderPage, type StateWriter, stateWriter } from "../wire/policy-state.ts";
import { renderSummary } from "../wire/summary.ts";
import { type ArmRequest, policyStateVersions, readRequest, subscriptionOf } from "./request.ts";

const pageSize = 1000;
const provider = "providers/microsoft.policyinsights/policystates";
/** Paths are routed in lower case; scopes of resources are any length. */
const scopes: readonly { readonly path: string; nameOf(segments: readonly string[]): ScopeName }[] = [
  {
    path: "/providers/microsoft.management/managementgroups/:managementGroup",
    nameOf: (segments) => ({ tag: "managementGroup", name: segments[3] ?? "" }),
  },
  { path: "/subscriptions/:subscription", nameOf: () => ({ tag: "subscription" }) },
  {
    path: "/subscriptions/:subscription/resourcegroups/:group",
    nameOf: (segments) => ({ tag: "group", name: segments[3] ?? "" }),
  },
  {
    path: "/subscriptions/:subscription/providers/microsoft.authorization/policyassignments/:assignment",
    nameOf: (segments) => ({ tag: "assignment", id: idOf(segments) }),
  },
  {
    path: "/subscriptions/:subscription/resourcegroups/:group/providers/microsoft.authorization/policyassignments/:assignment",
    nameOf: (segments) => ({ tag: "assignment", id: idOf(segments) }),
  },
  {
    path: "/subscriptions/:subscription/resourcegroups/:group/providers/:resource{.+}",
    nameOf: (segments) => ({ tag: "resource", id: idOf(segments) }),
  },
];

export function policyStates(app: Hono<KernelEnv>, runtime: Runtime<AzureState>): void {
  const writers = keptWriters();
  for (const { path, nameOf } of scopes) {
    for (const set of ["latest", "default"] as const)
      app.on(["GET", "POST"], `${path}/${provider}/${set}/queryresults`, (c) => {
        const { exchange } = c.env;
        const request = readRequest(exchange, runtime, policyStateVersions);
        // Azure takes only POST, but the JavaScript client follows nextLink by GET; a first page by GET is refused as there.
        if (exchange.method === "GET" && !request.query.has("$skiptoken"))
          reject("ResourceTypeNotSupported", "Microsoft.PolicyInsights/policyStates/queryResults");
        const plan = planQuery(request, runtime, nameOf, set === "latest");
        return answerPage(exchange, request, plan, set, writers);
      });
    app.post(`${path}/${provider}/latest/summarize`, (c) => {
      const { exchange } = c.env;
      const request = readRequest(exchange, runtime, policyStateVersions);
      const { filter, token, question, readings } = planQuery(request, runtime, nameOf, true);
      exchange.note("operation", "policyStates.summarize");
      const body = renderSummary(
        readings.estate,
        summarize(readings, question),
        {
          context: `${addressOf(exchange, request)}/$metadata#summary`,
          queryResults: `${addressOf(exchange, request)}/latest/queryResults`,
          apiVersion: request.apiVersion,
          window: token,
          filter,
        },
        readTop(request.query),
      );
      return answerQuery(exchange, JSON.stringify(body));
    });
  }
}

interface Plan {
  readonly readings: Readings;
  readonly question: Question;
  readonly options: Options;
  readonly filter: string | undefined;
  /** What the request, or the page before, asked for. */
  readonly token: SkipToken;
}

function planQuery(
  request: ArmRequest,
  { state, clock }: Runtime<AzureState>,
  nameOf: (segments: readonly string[]) => ScopeName,
  latestOnly: boolean,
): Plan {
  const readings = state.readings();
  const scopeSegments = request.segments.slice(0, -5);
  const subscription = scopeSegments[0]?.toLowerCase() === "subscriptions" ? subscriptionOf(request, state) : -1;
  const given = request.query.get("$skiptoken");
  if (given === undefined) refuseUnsupported(request.query);
  const token: SkipToken =
    given === undefined
      ? { ...optionTexts(request.query), left: readTop(request.query), ...readWindow(request.query, clock.now()) }
      : readSkipToken(given);
  const options = readOptions(token);
  const scope = resolveScope(readings, subscription, nameOf(scopeSegments));
  const tests = [
    ...(scope.policies ? [onPolicies(readings.estate, scope.policies)] : []),
    ...(options.filter ? [compileFilter(options.filter, readings)] : []),
  ];
  return {
    readings,
    question: { ranges: scope.ranges, window: token, latestOnly, tests },
    options,
    filter: token.filter,
    token,
  };
}

function answerPage(
  exchange: Exchange,
  request: ArmRequest,
  { readings, question, options, token }: Plan,
  set: "latest" | "default",
  writers: (estate: Estate) => StateWriter,
): Response {
  exchange.note("operation", "policyStates.queryResults");
  const { estate } = readings;
  const write = options.select ? stateWriter(estate, options.select) : writers(estate);
  const records: string[] = [];
  const size = Math.min(pageSize, token.left ?? pageSize);
  const after = token.row === undefined || token.day === undefined ? undefined : { row: token.row, day: token.day };
  const page = readPage(
    readings,
    { question, orderBy: options.orderBy, size, after, shown: token.shown ?? 0 },
    (row, compliance, scan) => records.push(write(row, compliance, scan)),
  );
  const context = `${addressOf(exchange, request)}/$metadata#${set}`;
  return answerQuery(exchange, renderPage(context, records, nextLink(exchange, request, token, page, records.length)));
}

function nextLink(
  exchange: Exchange,
  request: ArmRequest,
  token: SkipToken,
  page: Page,
  count: number,
): string | undefined {
  const left = token.left === undefined ? undefined : token.left - count;
  if (!page.more || left === 0) return undefined;
  const next = writeSkipToken({ ...token, ...page.last, shown: page.shown, left });
  const path = exchange.target.slice(0, exchange.target.indexOf("?"));
  return `${exchange.base}${path}?api-version=${request.apiVersion}&$skiptoken=${next}`;
}

function answerQuery(exchange: Exchange, body: string): Response {
  return answer(exchange, 200, body, {
    ...armHeaders(exchange),
    "x-ms-ratelimit-remaining-policy-insights-requests": "149",
  });
}

/** Address of `policyStates` at the scope, which keeps the case in which the request named it. */
function addressOf(exchange: Exchange, { segments }: ArmRequest): string {
  return `${exchange.base}${idOf(segments.slice(0, -5))}/providers/Microsoft.PolicyInsights/policyStates`;
}

function idOf(segments: readonly string[]): string {
  return `/${segments.join("/")}`;
}

/** The writer of whole records is kept with its texts for as long as the estate is the same. */
function keptWriters(): (estate: Estate) => StateWriter {
  const kept = new WeakMap<Estate, StateWriter>();
  return (estate) => {
    const writer = kept.get(estate) ?? stateWriter(estate, undefined);
    kept.set(estate, writer);
    return writer;
  };
}
