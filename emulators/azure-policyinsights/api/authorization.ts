/** Policy definitions, initiatives and assignments: what is built in, what the estate has, and what clients write. */
import type { Context, Hono } from "hono";
import type { KernelEnv, Runtime } from "../../kernel/emulator.ts";
import { answerArm } from "../arm.ts";
import { type Json, member, record, text } from "../domain/json.ts";
import { catalogueOf } from "../domain/structure.ts";
import { reject } from "../errors.ts";
import type { AzureState } from "../store.ts";
import { renderAssignment } from "../wire/authorization.ts";
import { bodyOf } from "./body.ts";
import {
  asked,
  type CatalogueKind,
  catalogueAt,
  checked,
  collections,
  provider,
  putInCatalogue,
  rowsOfCustom,
  rowsOfPolicies,
  scopeOf,
} from "./catalogue.ts";
import { announceGone, evaluateRows } from "./evaluating.ts";
import { idOf } from "./scopes.ts";

const subscription = "/subscriptions/:subscription";
const managementGroup = "/providers/microsoft.management/managementgroups/:managementGroup";
const group = `${subscription}/resourcegroups/:group`;
/** Also of a definition or an assignment that was there: the specification has no 200 for them, and clients refuse one. */
const created = 201;

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

function listCatalogue(c: Context<KernelEnv>, runtime: Runtime<AzureState>, kind: CatalogueKind): Response {
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

function readCatalogue(c: Context<KernelEnv>, runtime: Runtime<AzureState>, kind: CatalogueKind): Response {
  const request = asked(c, runtime);
  const scope = scopeOf(request.segments, 4);
  const id = idOf(request.segments).toLowerCase();
  const found = catalogueAt(runtime.state, kind, scope).find((each) => each.id === id);
  if (!found) return reject(collections[kind].missing, request.segments.at(-1) ?? "");
  return answerArm(c.env.exchange, found.body);
}

function writeCatalogue(c: Context<KernelEnv>, runtime: Runtime<AzureState>, kind: CatalogueKind): Response {
  const { exchange } = c.env;
  const request = asked(c, runtime);
  const given = checked(kind, bodyOf(exchange).properties);
  const name = request.segments.at(-1) ?? "";
  const id = `${scopeOf(request.segments, 4)}/providers/Microsoft.Authorization/${collections[kind].name}/${name}`;
  const known = runtime.state.documents.find(kind, id)?.body;
  runtime.store.write(() => putInCatalogue(runtime, kind, id, given));
  const made = catalogueAt(runtime.state, kind, scopeOf(request.segments, 4)).find(
    (each) => each.id === id.toLowerCase(),
  );
  const isNew = known === undefined || known === null;
  return answerArm(exchange, made?.body, isNew || kind === "definition" ? created : 200);
}

function removeCatalogue(c: Context<KernelEnv>, runtime: Runtime<AzureState>, kind: CatalogueKind): Response {
  const { exchange } = c.env;
  const request = asked(c, runtime);
  const id = idOf(request.segments).toLowerCase();
  const { documents } = runtime.state;
  const known = documents.find(kind, id)?.body;
  if (known === undefined || known === null) return answerArm(exchange, undefined, 204);
  const before = runtime.state.readings();
  const own = rowsOfCustom(runtime);
  const gone = { body: null, made: true, at: runtime.clock.now() };
  runtime.store.write(() => {
    documents.put(kind, { id, ...gone });
    for (const version of documents.list(collections[kind].versions))
      if (version.body !== null && version.id.startsWith(`${id}/versions/`))
        documents.put(collections[kind].versions, { id: version.id, ...gone });
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
  if (definition === "") reject("InvalidRequestContent", "'properties.policyDefinitionId' is missing");
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
  return answerArm(exchange, made ? renderAssignment(made, JSON.parse(JSON.stringify(body))) : body, created);
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
