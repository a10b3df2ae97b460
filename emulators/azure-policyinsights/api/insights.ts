/** The smaller operations of Microsoft.PolicyInsights: operations, metadata, tracked resources, components, restrictions. */
import type { Context, Hono } from "hono";
import type { KernelEnv, Runtime } from "../../kernel/emulator.ts";
import { answerArm } from "../arm.ts";
import { cisFoundations, cloudSecurityBenchmark, membersOf } from "../domain/built-ins.ts";
import { componentsOf } from "../domain/components.ts";
import { type Json, record, text } from "../domain/json.ts";
import { restrictionsFor } from "../domain/restrictions.ts";
import { eachSeen, see } from "../domain/sight.ts";
import { reject } from "../errors.ts";
import { holdsFor } from "../odata/apply.ts";
import { parseFilter } from "../odata/filter-parser.ts";
import { readTop } from "../odata/options.ts";
import { ODataProblem } from "../odata/problem.ts";
import type { AzureState } from "../store.ts";
import { operations, renderComponentState, renderMetadata, renderTracked, trackedSchema } from "../wire/insights.ts";
import { bodyOf } from "./body.ts";
import { addressOf, planQuery } from "./query.ts";
import {
  componentVersions,
  metadataVersions,
  operationVersions,
  readRequest,
  restrictionVersions,
  trackedVersions,
} from "./request.ts";
import { placeOf, rowsOf, type ScopePath, scopePaths } from "./scopes.ts";

const provider = "providers/microsoft.policyinsights";

export function insights(app: Hono<KernelEnv>, runtime: Runtime<AzureState>): void {
  app.get(`/${provider}/operations`, (c) => {
    readRequest(c.env.exchange, runtime, operationVersions);
    return answerArm(c.env.exchange, { "@odata.count": operations.length, value: operations });
  });
  app.get(`/${provider}/policymetadata`, (c) => {
    const request = readRequest(c.env.exchange, runtime, metadataVersions);
    const value = metadataNames().map((name) => renderMetadata(name, false));
    return answerArm(c.env.exchange, { value: value.slice(0, readTop(request.query)) });
  });
  app.get(`/${provider}/policymetadata/:name`, (c) => {
    const request = readRequest(c.env.exchange, runtime, metadataVersions);
    const wanted = (request.segments.at(-1) ?? "").toLowerCase();
    const name = metadataNames().find((each) => each.toLowerCase() === wanted);
    return name === undefined
      ? reject("PolicyMetadataNotFound", request.segments.at(-1) ?? "")
      : answerArm(c.env.exchange, renderMetadata(name, true));
  });
  for (const scope of scopePaths("managementGroup", "subscription", "group", "resource"))
    app.post(`${scope.path}/${provider}/policytrackedresources/default/queryresults`, (c) =>
      tracked(c, runtime, scope),
    );
  for (const scope of scopePaths("subscription", "group", "resource", "definition", "assignment", "groupAssignment"))
    app.post(`${scope.path}/${provider}/componentpolicystates/latest/queryresults`, (c) =>
      components(c, runtime, scope),
    );
  for (const scope of scopePaths("managementGroup", "subscription", "group"))
    app.post(`${scope.path}/${provider}/checkpolicyrestrictions`, (c) => restrictions(c, runtime, scope));
}

/** What the groups of initiatives refer to. */
export function metadataNames(): readonly string[] {
  const groups = [cloudSecurityBenchmark, cisFoundations].flatMap((initiative) =>
    membersOf(initiative).flatMap((each) => each.groups),
  );
  return [...new Set(groups)].sort();
}

/** What remediations deployed: resources that a policy keeps track of. */
function tracked(c: Context<KernelEnv>, runtime: Runtime<AzureState>, scope: ScopePath): Response {
  const { exchange } = c.env;
  const request = readRequest(exchange, runtime, trackedVersions);
  const { state } = runtime;
  const place = placeOf(request, state, scope, 5);
  exchange.note("operation", "policyTrackedResources.queryResults");
  const readings = state.readings();
  const { ranges } = rowsOf(readings, place, false);
  const filter = request.query.get("$filter")?.trim();
  const condition = filter ? parseFilter(filter, trackedSchema) : undefined;
  const found = state.documents.list("remediation").flatMap(({ body }) => (body === null ? [] : [JSON.parse(body)]));
  const value = found
    .flatMap((remediation) => renderTracked(readings.estate, remediation))
    .filter(({ trackedResourceId }) => {
      const code = readings.resourceCode(trackedResourceId);
      const row = readings.estate.resources.firstRow[code ?? -1] ?? -1;
      return ranges.some(({ first, end }) => row >= first && row < end);
    })
    .filter((item) => !condition || holdsFor(condition, (name) => trackedValue(item, name)));
  return answerArm(exchange, { value: value.slice(0, readTop(request.query)) });
}

function trackedValue(item: ReturnType<typeof renderTracked>[number], name: string): string {
  return text(item, name) || text(item.policyDetails, name);
}

function components(c: Context<KernelEnv>, runtime: Runtime<AzureState>, scope: ScopePath): Response {
  const { exchange } = c.env;
  const request = readRequest(exchange, runtime, componentVersions);
  exchange.note("operation", "componentPolicyStates.queryResults");
  const plan = planQuery(request, runtime, scope, { kind: "states", set: "latest" });
  const { readings, question, place } = plan;
  if (plan.options.apply?.columns) throw new ODataProblem("$apply", "Component states cannot be grouped here");
  const context = `${addressOf(exchange, place, "componentPolicyStates")}/$metadata#latest`;
  const value: Json[] = [];
  const { estate } = readings;
  for (const sight of see(readings, question).sights)
    eachSeen(readings, sight, (row, code) => {
      const policy = estate.policies[estate.rows.policy[row] ?? 0];
      const resource = estate.rows.resource[row] ?? 0;
      if (!policy) return;
      for (const component of componentsOf(estate, resource, policy, code))
        value.push(renderComponentState(estate, { row, instant: sight.instantOf(row), component, context }));
    });
  const shown = value.slice(0, plan.token.left);
  return answerArm(exchange, { "@odata.context": context, "@odata.count": shown.length, value: shown });
}

function restrictions(c: Context<KernelEnv>, runtime: Runtime<AzureState>, scope: ScopePath): Response {
  const { exchange } = c.env;
  const request = readRequest(exchange, runtime, restrictionVersions);
  exchange.note("operation", "policyRestrictions.check");
  const place = placeOf(request, runtime.state, scope, 3);
  const body = bodyOf(exchange);
  if (scope.kind !== "managementGroup" && record(body.resourceDetails).resourceContent === undefined)
    return reject("InvalidRequestContent", "'resourceDetails.resourceContent' is missing");
  return answerArm(exchange, restrictionsFor(runtime.state.readings(), place, body));
}
