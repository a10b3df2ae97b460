/** Policy definitions, initiatives and assignments: what is built in, what the estate has, and what clients write. */
import type { Context, Hono } from "hono";
import type { KernelEnv, Runtime } from "../../kernel/emulator.ts";
import { answerArm } from "../arm.ts";
import { builtIns, cisFoundations, cloudSecurityBenchmark } from "../domain/built-ins.ts";
import { type Json, list, member, record, text } from "../domain/json.ts";
import { catalogueOf } from "../domain/structure.ts";
import { reject } from "../errors.ts";
import type { AzureState } from "../store.ts";
import { renderAssignment, renderDefinition, renderInitiative } from "../wire/authorization.ts";
import { bodyOf } from "./body.ts";
import { announceGone, evaluateRows } from "./evaluating.ts";
import { type ArmRequest, authorizationVersions, readRequest, subscriptionOf } from "./request.ts";
import { idOf } from "./scopes.ts";

const provider = "providers/microsoft.authorization";
const subscription = "/subscriptions/:subscription";
const managementGroup = "/providers/microsoft.management/managementgroups/:managementGroup";
const group = `${subscription}/resourcegroups/:group`;

type Kind = "definition" | "set";
const collections = {
  definition: { path: "policydefinitions", name: "policyDefinitions", missing: "PolicyDefinitionNotFound" },
  set: { path: "policysetdefinitions", name: "policySetDefinitions", missing: "PolicySetDefinitionNotFound" },
} as const;

export function authorization(app: Hono<KernelEnv>, runtime: Runtime<AzureState>): void {
  for (const kind of ["definition", "set"] as const) {
    const { path } = collections[kind];
    for (const scope of ["", subscription, managementGroup]) {
      app.get(`${scope}/${provider}/${path}`, (c) => listCatalogue(c, runtime, kind));
      app.get(`${scope}/${provider}/${path}/:name`, (c) => readCatalogue(c, runtime, kind));
      if (scope === "") continue;
      app.put(`${scope}/${provider}/${path}/:name`, (c) => writeCatalogue(c, runtime, kind));
      app.delete(`${scope}/${provider}/${path}/:name`, (c) => removeCatalogue(c, runtime, kind));
    }
  }
  for (const scope of [managementGroup, subscription, group]) {
    const path = `${scope}/${provider}/policyassignments`;
    app.get(path, (c) => listAssignments(c, runtime));
    app.get(`${path}/:name`, (c) => readAssignment(c, runtime));
    app.put(`${path}/:name`, (c) => writeAssignment(c, runtime));
    app.patch(`${path}/:name`, (c) => patchAssignment(c, runtime));
    app.delete(`${path}/:name`, (c) => removeAssignment(c, runtime));
  }
  // Nothing is assigned to a single resource: it lists what reaches it from above.
  for (const scope of [group, subscription])
    app.get(`${scope}/providers/:resource{.+}/${provider}/policyassignments`, (c) => listAssignments(c, runtime));
}

function asked(c: Context<KernelEnv>, runtime: Runtime<AzureState>): ArmRequest {
  const request = readRequest(c.env.exchange, runtime, authorizationVersions);
  if (request.segments[0]?.toLowerCase() === "subscriptions") subscriptionOf(request, runtime.state);
  return request;
}

/** Everything a scope lists: its own and what is built in. */
function catalogueAt({ documents }: AzureState, kind: Kind, scope: string): readonly { id: string; body: Json }[] {
  const builtIn =
    kind === "definition"
      ? builtIns.map(renderDefinition)
      : [cloudSecurityBenchmark, cisFoundations].map(renderInitiative);
  const own = documents.list(kind).flatMap(({ id, body }) => {
    if (body === null || !id.startsWith(`${scope.toLowerCase()}/${provider}/`)) return [];
    return [JSON.parse(body) as { id: string }];
  });
  return [...own, ...builtIn].map((body) => ({ id: body.id.toLowerCase(), body: body as Json }));
}

function listCatalogue(c: Context<KernelEnv>, runtime: Runtime<AzureState>, kind: Kind): Response {
  const request = asked(c, runtime);
  const found = catalogueAt(runtime.state, kind, scopeOf(request.segments, 3));
  const test = filterOf(request.query.get("$filter") ?? "");
  const top = Number(request.query.get("$top") ?? Number.POSITIVE_INFINITY);
  const value = found.map(({ body }) => body).filter((body) => test(member(body, "properties")));
  return answerArm(c.env.exchange, { value: value.slice(0, Number.isNaN(top) ? undefined : top) });
}

/** `policyType eq 'BuiltIn'` and `category eq 'SQL'`, the two that Azure knows. */
function filterOf(filter: string): (properties: Json) => boolean {
  const [, name = "", value = ""] = /^\s*(policyType|category)\s+eq\s+'([^']*)'\s*$/i.exec(filter) ?? [];
  if (name === "") return () => true;
  const wanted = value.toLowerCase();
  return (properties) =>
    text(name.toLowerCase() === "category" ? member(properties, "metadata") : properties, name).toLowerCase() ===
    wanted;
}

function readCatalogue(c: Context<KernelEnv>, runtime: Runtime<AzureState>, kind: Kind): Response {
  const request = asked(c, runtime);
  const scope = scopeOf(request.segments, 4);
  const id = idOf(request.segments).toLowerCase();
  const found = catalogueAt(runtime.state, kind, scope).find((each) => each.id === id);
  if (!found) return reject(collections[kind].missing, request.segments.at(-1) ?? "");
  return answerArm(c.env.exchange, found.body);
}

function writeCatalogue(c: Context<KernelEnv>, runtime: Runtime<AzureState>, kind: Kind): Response {
  const { exchange } = c.env;
  const request = asked(c, runtime);
  const given = record(bodyOf(exchange).properties);
  if (kind === "definition" && member(given, "policyRule") === undefined)
    reject("InvalidRequestContent", "'properties.policyRule' is missing");
  if (kind === "set" && list(member(given, "policyDefinitions")).length === 0)
    reject("InvalidRequestContent", "'properties.policyDefinitions' is missing or empty");
  const name = request.segments.at(-1) ?? "";
  const id = `${scopeOf(request.segments, 4)}/providers/Microsoft.Authorization/${collections[kind].name}/${name}`;
  const type = `Microsoft.Authorization/${collections[kind].name}`;
  const properties = { mode: kind === "definition" ? "All" : undefined, ...given, policyType: "Custom" };
  const body = { properties, id, type, name };
  const { documents } = runtime.state;
  const known = documents.find(kind, id)?.body;
  const before = runtime.state.readings();
  const own = rowsOfCustom(runtime);
  runtime.store.write(() => {
    documents.put(kind, { id: id.toLowerCase(), body: JSON.stringify(body), made: true, at: runtime.clock.now() });
    announceGone(runtime, before, own);
    evaluateRows(runtime, rowsOfCustom(runtime));
  });
  return answerArm(exchange, body, known === undefined || known === null ? 201 : 200);
}

function removeCatalogue(c: Context<KernelEnv>, runtime: Runtime<AzureState>, kind: Kind): Response {
  const { exchange } = c.env;
  const request = asked(c, runtime);
  const id = idOf(request.segments).toLowerCase();
  const known = runtime.state.documents.find(kind, id)?.body;
  if (known === undefined || known === null) return answerArm(exchange, undefined, 204);
  const before = runtime.state.readings();
  const own = rowsOfCustom(runtime);
  runtime.store.write(() => {
    runtime.state.documents.put(kind, { id, body: null, made: true, at: runtime.clock.now() });
    announceGone(runtime, before, own);
  });
  return answerArm(exchange, JSON.parse(known));
}

function listAssignments(c: Context<KernelEnv>, runtime: Runtime<AzureState>): Response {
  const request = asked(c, runtime);
  const scope = scopeOf(request.segments, 3).toLowerCase();
  const exact = /atExactScope\(\)/i.test(request.query.get("$filter") ?? "");
  const { estate } = runtime.state.readings();
  const above = ancestorsOf(runtime.state, scope);
  const value = estate.assignments.flatMap((assignment) => {
    const own = assignment.scope.toLowerCase();
    const seen = own === scope || (!exact && (above.includes(own) || own.startsWith(`${scope}/`)));
    return seen ? [renderAssignment(assignment, storedBody(runtime.state, assignment.id))] : [];
  });
  return answerArm(c.env.exchange, { value });
}

/** Scopes that reach down to this one. */
function ancestorsOf(state: AzureState, scope: string): readonly string[] {
  const { estate } = state.readings();
  const [, first, id, third, group] = scope.split("/");
  if (first !== "subscriptions") return [];
  const groups = estate.subscriptions.find((each) => each.id === id)?.managementGroups ?? [];
  const names = groups.map((name) => `/providers/microsoft.management/managementgroups/${name}`.toLowerCase());
  const own = third === "resourcegroups" ? [`/subscriptions/${id}/resourcegroups/${group}`] : [];
  return [...names, `/subscriptions/${id}`, ...own];
}

function storedBody(state: AzureState, id: string): Json {
  const body = state.documents.find("assignment", id)?.body;
  return body === undefined || body === null ? undefined : JSON.parse(body);
}

function readAssignment(c: Context<KernelEnv>, runtime: Runtime<AzureState>): Response {
  const request = asked(c, runtime);
  const id = idOf(request.segments).toLowerCase();
  const found = runtime.state.readings().estate.assignments.find((each) => each.id === id);
  if (!found) return reject("PolicyAssignmentNotFound", request.segments.at(-1) ?? "");
  return answerArm(c.env.exchange, renderAssignment(found, storedBody(runtime.state, id)));
}

function writeAssignment(c: Context<KernelEnv>, runtime: Runtime<AzureState>): Response {
  const { exchange } = c.env;
  const { state, store, clock } = runtime;
  const request = asked(c, runtime);
  const given = bodyOf(exchange);
  const properties = record(given.properties);
  const definition = text(properties, "policyDefinitionId");
  const catalogue = catalogueOf(state.documents.structure(Number.MAX_SAFE_INTEGER));
  if (!catalogue.definition(definition) && !catalogue.initiative(definition))
    reject(
      /policySetDefinitions/i.test(definition) ? "PolicySetDefinitionNotFound" : "PolicyDefinitionNotFound",
      definition,
    );
  const scope = scopeOf(request.segments, 4);
  const name = request.segments.at(-1) ?? "";
  const id = `${scope}/providers/Microsoft.Authorization/policyAssignments/${name}`;
  const known = state.readings().estate.assignments.some((each) => each.id === id.toLowerCase());
  const body = {
    identity: given.identity,
    location: given.location,
    properties: { enforcementMode: "Default", notScopes: [], ...properties, scope },
    id,
    type: "Microsoft.Authorization/policyAssignments",
    name,
  };
  const before = state.readings();
  const own = known ? rowsOfAssignment(runtime, id.toLowerCase()) : [];
  store.write(() => {
    state.documents.put("assignment", {
      id: id.toLowerCase(),
      body: JSON.stringify(body),
      made: true,
      at: clock.now(),
    });
    announceGone(runtime, before, own);
    evaluateRows(runtime, rowsOfAssignment(runtime, id.toLowerCase()));
  });
  const made = state.readings().estate.assignments.find((each) => each.id === id.toLowerCase());
  return answerArm(exchange, made ? renderAssignment(made, JSON.parse(JSON.stringify(body))) : body, known ? 200 : 201);
}

/** Location, identity, resource selectors and overrides are what PATCH may change. */
function patchAssignment(c: Context<KernelEnv>, runtime: Runtime<AzureState>): Response {
  const { exchange } = c.env;
  const { state, store, clock } = runtime;
  const request = asked(c, runtime);
  const id = idOf(request.segments).toLowerCase();
  const found = state.readings().estate.assignments.find((each) => each.id === id);
  if (!found) return reject("PolicyAssignmentNotFound", request.segments.at(-1) ?? "");
  const given = bodyOf(exchange);
  const before = record(renderAssignment(found, storedBody(state, id)) as Json);
  const properties = record(given.properties);
  const body = {
    ...before,
    location: given.location ?? before.location,
    identity: given.identity ?? before.identity,
    properties: {
      ...record(before.properties),
      ...(properties.resourceSelectors === undefined ? {} : { resourceSelectors: properties.resourceSelectors }),
      ...(properties.overrides === undefined ? {} : { overrides: properties.overrides }),
    },
  };
  // None of these decides which rows there are: a seeded assignment stays one.
  const document = { id, body: JSON.stringify(body), made: !found.seeded, at: clock.now() };
  store.write(() => state.documents.put("assignment", document));
  return answerArm(exchange, renderAssignment(found, JSON.parse(document.body)));
}

function removeAssignment(c: Context<KernelEnv>, runtime: Runtime<AzureState>): Response {
  const { exchange } = c.env;
  const { state, store, clock } = runtime;
  const request = asked(c, runtime);
  const id = idOf(request.segments).toLowerCase();
  const found = state.readings().estate.assignments.find((each) => each.id === id);
  if (!found) return answerArm(exchange, undefined, 204);
  const body = renderAssignment(found, storedBody(state, id));
  const before = state.readings();
  const own = rowsOfAssignment(runtime, id);
  store.write(() => {
    state.documents.put("assignment", { id, body: null, made: !found.seeded, at: clock.now() });
    announceGone(runtime, before, own);
  });
  return answerArm(exchange, body);
}

export function rowsOfAssignment({ state }: Runtime<AzureState>, id: string): readonly number[] {
  const { estate } = state.readings();
  const code = estate.assignments.findIndex((each) => each.id === id);
  return rowsOfPolicies(state, (policy) => estate.policies[policy]?.assignment === code);
}

/** Rows of what clients define themselves. */
function rowsOfCustom({ state }: Runtime<AzureState>): readonly number[] {
  const { policies, assignments } = state.readings().estate;
  return rowsOfPolicies(state, (code) => {
    const policy = policies[code];
    return (
      policy?.definition.scope !== undefined || assignments[policy?.assignment ?? -1]?.initiative?.scope !== undefined
    );
  });
}

function rowsOfPolicies(state: AzureState, test: (policy: number) => boolean): readonly number[] {
  const { policies, rows } = state.readings().estate;
  const bits = policies.map((_, code) => test(code));
  const found: number[] = [];
  if (!bits.includes(true)) return found;
  for (let row = 0; row < rows.count; row += 1) if (bits[rows.policy[row] ?? 0]) found.push(row);
  return found;
}

function scopeOf(segments: readonly string[], tail: number): string {
  const scope = segments.slice(0, -tail);
  return scope.length === 0 ? "" : idOf(scope);
}
