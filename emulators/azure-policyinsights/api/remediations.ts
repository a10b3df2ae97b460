/** Remediations: 6 verbs at 4 scopes. Each lives on the clock: Accepted, Running, then Succeeded; or Canceled. */
import type { Context, Hono } from "hono";
import type { KernelEnv, Runtime } from "../../kernel/emulator.ts";
import type { Timer } from "../../kernel/timers.ts";
import { answerArm } from "../arm.ts";
import { nonCompliant } from "../domain/compliance.ts";
import { currentOf } from "../domain/current.ts";
import type { Estate } from "../domain/estate.ts";
import { factFor } from "../domain/facts.ts";
import { resourceId } from "../domain/fields.ts";
import { type Json, list, member, record, text } from "../domain/json.ts";
import { changed, withMember } from "../domain/on-write.ts";
import { policyKey } from "../domain/placing.ts";
import type { Policy } from "../domain/policies.ts";
import { type Deployment, isOver, type Remediation } from "../domain/remediation.ts";
import { armId, subjectOf } from "../domain/resource-body.ts";
import { ruleOf, type Subject } from "../domain/rules.ts";
import { armError, reject } from "../errors.ts";
import { readListFilter } from "../odata/list-filter.ts";
import { readTop } from "../odata/options.ts";
import type { AzureState } from "../store.ts";
import { renderDeployment, renderRemediation } from "../wire/remediation.ts";
import { bodyOf } from "./body.ts";
import { readRequest, remediationVersions } from "./request.ts";
import { evaluateResource, keep, wholeOf } from "./resources.ts";
import { idOf, type Placed, placeOf, rowsOf, type ScopePath, scopePaths } from "./scopes.ts";

const stepMs = 16_000;
const cancelMs = 60_000;
export const remediationTimer = "azure.remediation";

export function remediations(app: Hono<KernelEnv>, runtime: Runtime<AzureState>): void {
  for (const scope of scopePaths("managementGroup", "subscription", "group", "resource")) {
    const path = `${scope.path}/providers/microsoft.policyinsights/remediations`;
    app.get(path, (c) => listAll(c, runtime, scope));
    app.put(`${path}/:name`, (c) => create(c, runtime, scope));
    app.get(`${path}/:name`, (c) =>
      answerArm(c.env.exchange, renderRemediation(found(c, runtime, scope, 4).remediation)),
    );
    app.delete(`${path}/:name`, (c) => remove(c, runtime, scope));
    app.post(`${path}/:name/cancel`, (c) => cancel(c, runtime, scope));
    app.post(`${path}/:name/listdeployments`, (c) => listDeployments(c, runtime, scope));
  }
}

function asked(c: Context<KernelEnv>, runtime: Runtime<AzureState>, scope: ScopePath, tail: number) {
  const request = readRequest(c.env.exchange, runtime, remediationVersions);
  c.env.exchange.note("operation", "remediations");
  return { request, place: placeOf(request, runtime.state, scope, tail) };
}

function load({ state }: Runtime<AzureState>, id: string): Remediation | undefined {
  const body = state.documents.find("remediation", id)?.body;
  return body === undefined || body === null ? undefined : (JSON.parse(body) as Remediation);
}

function save({ state, clock }: Runtime<AzureState>, remediation: Remediation): void {
  const body = JSON.stringify(remediation);
  state.documents.put("remediation", { id: remediation.id.toLowerCase(), body, made: true, at: clock.now() });
}

function found(c: Context<KernelEnv>, runtime: Runtime<AzureState>, scope: ScopePath, tail: number) {
  const { request, place } = asked(c, runtime, scope, tail);
  const name = request.segments.at(tail === 4 ? -1 : -2) ?? "";
  const id = remediationId(place, name);
  const remediation = load(runtime, id);
  if (!remediation) return reject("ResourceNotFound", `Microsoft.PolicyInsights/remediations/${name}`);
  return { request, remediation };
}

/** Azure writes these two segments in lower case. */
function remediationId({ segments }: Placed, name: string): string {
  const scope = idOf(segments).replace(/\/resourcegroups\//i, "/resourcegroups/");
  return `${scope}/providers/microsoft.policyinsights/remediations/${name}`;
}

/** What was made at the scope and below it. */
function listAll(c: Context<KernelEnv>, runtime: Runtime<AzureState>, scope: ScopePath): Response {
  const { request, place } = asked(c, runtime, scope, 3);
  const within = `${idOf(place.segments).toLowerCase()}/`;
  const filter = readListFilter(request.query, { names: ["policyAssignmentId", "policyDefinitionReferenceId"] });
  const wanted = (name: string, value: string) => (filter.valueOf(name) ?? value.toLowerCase()) === value.toLowerCase();
  const value = runtime.state.documents.list("remediation").flatMap(({ id, body }) => {
    if (body === null || !id.startsWith(within)) return [];
    const remediation = JSON.parse(body) as Remediation;
    const { policyAssignmentId, policyDefinitionReferenceId } = remediation;
    return wanted("policyAssignmentId", policyAssignmentId) &&
      wanted("policyDefinitionReferenceId", policyDefinitionReferenceId)
      ? [renderRemediation(remediation)]
      : [];
  });
  return answerArm(c.env.exchange, { value: value.slice(0, readTop(request.query)) });
}

function create(c: Context<KernelEnv>, runtime: Runtime<AzureState>, scope: ScopePath): Response {
  const { exchange } = c.env;
  const { state, store, clock, ids, timers } = runtime;
  const { request, place } = asked(c, runtime, scope, 4);
  const properties = record(bodyOf(exchange).properties);
  const policyAssignmentId = text(properties, "policyAssignmentId").toLowerCase();
  const reference = text(properties, "policyDefinitionReferenceId");
  check(state, policyAssignmentId, reference, properties);
  const name = request.segments.at(-1) ?? "";
  const id = remediationId(place, name);
  const before = load(runtime, id);
  const now = clock.now();
  const count = Number(member(properties, "resourceCount") ?? 500);
  const remediation: Remediation = {
    id,
    name,
    policyAssignmentId,
    policyDefinitionReferenceId: reference,
    provisioningState: "Accepted",
    createdOn: before?.createdOn ?? now,
    lastUpdatedOn: now,
    createdBy: exchange.notes.account === undefined ? "" : String(exchange.notes.account),
    filters: properties.filters,
    resourceDiscoveryMode: text(properties, "resourceDiscoveryMode") || "ExistingNonCompliant",
    correlationId: ids.fixed("azure.remediation", [id, now]).uuid(),
    resourceCount: Number.isInteger(count) && count > 0 ? count : 500,
    parallelDeployments: Number(member(properties, "parallelDeployments") ?? 10),
    failureThreshold: properties.failureThreshold,
    scope: place,
    deployments: [],
  };
  const targets = targetsOf(state, remediation, now);
  const done = targets.length === 0;
  const kept: Remediation = done ? { ...remediation, provisioningState: "Succeeded" } : remediation;
  store.write(() => {
    save(runtime, kept);
    if (!done) timers.schedule({ kind: remediationTimer, subject: id.toLowerCase(), due: plus(runtime, stepMs) });
  });
  return answerArm(exchange, renderRemediation(kept), before ? 200 : 201);
}

function plus({ clock }: Runtime<AzureState>, ms: number) {
  return (clock.now() + clock.paced(ms)) as ReturnType<typeof clock.now>;
}

function check(state: AzureState, assignmentId: string, reference: string, properties: Json): void {
  if (assignmentId === "") reject("InvalidCreateRemediationRequest", "'policyAssignmentId' is missing");
  const { estate } = state.readings();
  const assignment = estate.assignments.find((each) => each.id === assignmentId);
  if (!assignment) throw armError("PolicyAssignmentNotFound", {}, assignmentId);
  if (assignment.initiative && reference === "")
    reject(
      "InvalidCreateRemediationRequest",
      "'policyDefinitionReferenceId' is required for the assignment of an initiative",
    );
  const policies = estate.policies.slice(assignment.first, assignment.end);
  const fits = policies.some(
    (policy) =>
      (!assignment.initiative || policy.reference === reference.toLowerCase()) &&
      ["deployifnotexists", "modify"].includes(policy.definition.effect.toLowerCase()),
  );
  if (!fits) reject("InvalidCreateRemediationRequest", "the policy's effect is not 'deployIfNotExists' or 'modify'");
  checkBounds(properties);
  const resourceIds = list(member(member(properties, "filters"), "resourceIds"));
  if (resourceIds.length > 100) reject("InvalidCreateRemediationRequest", "'resourceIds' has more than 100 entries");
  if (resourceIds.length > 0 && text(properties, "resourceDiscoveryMode") === "ReEvaluateCompliance")
    reject("InvalidCreateRemediationRequest", "'resourceIds' cannot be given with ReEvaluateCompliance");
}

/** How much at a time, and when to stop. https://learn.microsoft.com/azure/governance/policy/how-to/remediate-resources */
function checkBounds(properties: Json): void {
  const bounds = [
    ["resourceCount", member(properties, "resourceCount"), 1, 50_000],
    ["parallelDeployments", member(properties, "parallelDeployments"), 1, 30],
    ["failureThreshold.percentage", member(member(properties, "failureThreshold"), "percentage"), 0, 1],
  ] as const;
  for (const [name, value, least, most] of bounds)
    if (value !== undefined && value !== null && !(typeof value === "number" && value >= least && value <= most))
      reject("InvalidCreateRemediationRequest", `'${name}' must be from ${least} to ${most}`);
  const mode = member(properties, "resourceDiscoveryMode") ?? "ExistingNonCompliant";
  if (mode !== "ExistingNonCompliant" && mode !== "ReEvaluateCompliance")
    reject(
      "InvalidCreateRemediationRequest",
      "'resourceDiscoveryMode' must be ExistingNonCompliant or ReEvaluateCompliance",
    );
}

/** Rows to remediate, at most as many as were asked for. */
function targetsOf(state: AzureState, remediation: Remediation, now: number): readonly number[] {
  const readings = state.readings();
  const { estate } = readings;
  const assignment = estate.assignments.find(({ id }) => id === remediation.policyAssignmentId);
  if (!assignment) return [];
  const reference = remediation.policyDefinitionReferenceId.toLowerCase();
  const ids = list(member(remediation.filters, "resourceIds")).map((each) => String(each).toLowerCase());
  const places = list(member(remediation.filters, "locations")).map((each) => String(each).toLowerCase());
  const found: number[] = [];
  for (const { first, end } of rowsOf(readings, remediation.scope, false).ranges)
    for (let row = first; row < end && found.length < remediation.resourceCount; row += 1) {
      const policy = estate.rows.policy[row] ?? 0;
      if (policy < assignment.first || policy >= assignment.end) continue;
      if (reference !== "" && estate.policies[policy]?.reference !== reference) continue;
      if (currentOf(readings, row, now).compliance !== nonCompliant) continue;
      const code = estate.rows.resource[row] ?? 0;
      if (ids.length > 0 && !ids.includes(resourceId(estate, code))) continue;
      const location = estate.locations[estate.resources.location[code] ?? 0] ?? "";
      if (places.length > 0 && !places.includes(location)) continue;
      found.push(row);
    }
  return found;
}

/** The next step of a remediation's life. Runs inside one write. */
export function advanceRemediation(runtime: Runtime<AzureState>, { subject, due }: Timer): void {
  const remediation = load(runtime, subject);
  if (!remediation) return;
  const { provisioningState: state } = remediation;
  if (state === "Accepted") {
    const { estate } = runtime.state.readings();
    const deployments = targetsOf(runtime.state, remediation, due).map((row): Deployment => {
      const code = estate.rows.resource[row] ?? 0;
      return {
        remediatedResourceId: armId(estate, code),
        policy: keyOfRow(estate, row),
        status: "Running",
        resourceLocation: estate.locations[estate.resources.location[code] ?? 0] ?? "",
        createdOn: due,
        lastUpdatedOn: due,
      };
    });
    save(runtime, { ...remediation, provisioningState: "Running", lastUpdatedOn: due, deployments });
    runtime.timers.schedule({ kind: remediationTimer, subject, due: plus(runtime, stepMs) });
    return;
  }
  const status = state === "Cancelling" ? "Canceled" : "Succeeded";
  if (state !== "Running" && state !== "Cancelling") return;
  if (status === "Succeeded") for (const deployment of remediation.deployments) deploy(runtime, deployment);
  const deployments = remediation.deployments.map((each) => ({ ...each, status, lastUpdatedOn: due }) as const);
  save(runtime, { ...remediation, provisioningState: status, lastUpdatedOn: due, deployments });
}

function keyOfRow(estate: Estate, row: number): string {
  const policy = estate.policies[estate.rows.policy[row] ?? 0];
  return policy ? policyKey(estate, policy) : "";
}

/** What the policy would have deployed: the resource gets what its definition looks for, and is evaluated. */
function deploy(runtime: Runtime<AzureState>, { remediatedResourceId, policy: key }: Deployment): void {
  const { state, clock } = runtime;
  const readings = state.readings();
  const { estate } = readings;
  const code = readings.resourceCode(remediatedResourceId);
  const policy = estate.policies.find((each) => policyKey(estate, each) === key);
  if (code === undefined || !policy) return;
  const whole = wholeOf(runtime, code);
  const { related } = ruleOf(policy.definition);
  if (related !== undefined) {
    const counts = { ...whole.related, [related]: Math.max(1, whole.related[related] ?? 0) };
    keep(runtime, remediatedResourceId, code, { body: whole.body, related: counts });
  } else
    keep(runtime, remediatedResourceId, code, {
      body: modified(policy, subjectOf(estate, code, clock.now(), whole)),
      related: whole.related,
    });
  evaluateResource(runtime, remediatedResourceId);
}

/** As a client's definition says, or with the member that a built-in one looks at put right. */
function modified(policy: Policy, subject: Subject): Json {
  const fact = factFor(policy.definition);
  if (!fact) return changed(policy, subject);
  const tag = policy.parameters.tagName;
  const path = fact.path.startsWith("tags.") && typeof tag === "string" ? ["tags", tag] : fact.path.split(".");
  return withMember(subject.body, path, fact.good as Json);
}

function remove(c: Context<KernelEnv>, runtime: Runtime<AzureState>, scope: ScopePath): Response {
  const { request, place } = asked(c, runtime, scope, 4);
  const id = remediationId(place, request.segments.at(-1) ?? "").toLowerCase();
  const remediation = load(runtime, id);
  if (!remediation) return answerArm(c.env.exchange, undefined, 204);
  runtime.store.write(() => {
    runtime.state.documents.put("remediation", { id, body: null, made: true, at: runtime.clock.now() });
    runtime.timers.cancel(remediationTimer, id);
  });
  return answerArm(c.env.exchange, renderRemediation(remediation));
}

function cancel(c: Context<KernelEnv>, runtime: Runtime<AzureState>, scope: ScopePath): Response {
  const { remediation } = found(c, runtime, scope, 5);
  if (isOver(remediation.provisioningState)) return reject("InvalidCancelRemediationRequest", remediation.name);
  const cancelling: Remediation = {
    ...remediation,
    provisioningState: "Cancelling",
    lastUpdatedOn: runtime.clock.now(),
  };
  runtime.store.write(() => {
    save(runtime, cancelling);
    const subject = remediation.id.toLowerCase();
    runtime.timers.schedule({ kind: remediationTimer, subject, due: plus(runtime, cancelMs) });
  });
  return answerArm(c.env.exchange, renderRemediation(cancelling));
}

function listDeployments(c: Context<KernelEnv>, runtime: Runtime<AzureState>, scope: ScopePath): Response {
  const { request, remediation } = found(c, runtime, scope, 5);
  const value = remediation.deployments.map((each) => renderDeployment(each, remediation));
  return answerArm(c.env.exchange, { value: value.slice(0, readTop(request.query)) });
}
