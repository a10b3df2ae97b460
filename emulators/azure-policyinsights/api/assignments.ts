/** Policy assignments: those of the estate, and what clients write. */
import type { Context, Hono } from "hono";
import type { KernelEnv, Runtime } from "../../kernel/emulator.ts";
import { answerArm } from "../arm.ts";
import type { BuiltIn, Initiative } from "../domain/built-ins.ts";
import { type Json, member, record, text } from "../domain/json.ts";
import { catalogueOf } from "../domain/structure.ts";
import { isVersionPattern } from "../domain/versions.ts";
import { reject } from "../errors.ts";
import { readListFilter } from "../odata/list-filter.ts";
import { readTop } from "../odata/options.ts";
import type { AzureState } from "../store.ts";
import { renderAssignment } from "../wire/authorization.ts";
import { systemData } from "../wire/system-data.ts";
import { bodyOf } from "./body.ts";
import { asked, provider, rowsOfPolicies, scopeOf } from "./catalogue.ts";
import { checkAssignment } from "./checks.ts";
import { announceGone, evaluateRows } from "./evaluating.ts";
import { authorOf } from "./request.ts";
import { idOf } from "./scopes.ts";

const subscription = "/subscriptions/:subscription";
const managementGroup = "/providers/microsoft.management/managementgroups/:managementGroup";
const group = `${subscription}/resourcegroups/:group`;

export function assignments(app: Hono<KernelEnv>, runtime: Runtime<AzureState>): void {
  for (const scope of [managementGroup, subscription, group]) {
    const path = `${scope}/${provider}/policyassignments`;
    app.get(path, (c) => listAll(c, runtime));
    app.get(`${path}/:name`, (c) => read(c, runtime));
    app.put(`${path}/:name`, (c) => write(c, runtime));
    app.patch(`${path}/:name`, (c) => patch(c, runtime));
    app.delete(`${path}/:name`, (c) => remove(c, runtime));
  }
  // Nothing is assigned to a single resource: it lists what reaches it from above.
  for (const scope of [group, subscription])
    app.get(`${scope}/providers/:resource{.+}/${provider}/policyassignments`, (c) => listAll(c, runtime));
}

function listAll(c: Context<KernelEnv>, runtime: Runtime<AzureState>): Response {
  const { state } = runtime;
  const request = asked(c, runtime);
  const filter = readListFilter(request.query, {
    functions: ["atScope", "atExactScope"],
    names: ["policyDefinitionId"],
  });
  const scope = scopeOf(request.segments, 3).toLowerCase();
  const above = filter.calls("atExactScope") ? [] : ancestorsOf(state, scope);
  const below = !filter.calls("atExactScope") && !filter.calls("atScope");
  const definition = filter.valueOf("policyDefinitionId");
  const value = state.readings().estate.assignments.flatMap((assignment) => {
    const own = assignment.scope.toLowerCase();
    if (own !== scope && !above.includes(own) && !(below && own.startsWith(`${scope}/`))) return [];
    const rendered = renderAssignment(assignment, state.documents.body("assignment", assignment.id));
    const matches =
      definition === undefined || text(rendered.properties, "policyDefinitionId").toLowerCase() === definition;
    return matches ? [rendered] : [];
  });
  return answerArm(c.env.exchange, { value: value.slice(0, readTop(request.query)) });
}

/** Scopes that reach down to this one. */
function ancestorsOf(state: AzureState, scope: string): readonly string[] {
  const { subscriptions } = state.readings().estate;
  const [, first, id, third = "", name] = scope.split("/");
  const idOfGroup = (each: string) => `/providers/microsoft.management/managementgroups/${each}`.toLowerCase();
  if (first !== "subscriptions") {
    const chains = subscriptions.map(({ managementGroups }) => managementGroups.map((each) => each.toLowerCase()));
    const chain = chains.find((each) => each.includes(name ?? "")) ?? [];
    return chain.slice(chain.indexOf(name ?? "") + 1).map(idOfGroup);
  }
  const groups = subscriptions.find((each) => each.id === id)?.managementGroups ?? [];
  const own = third === "resourcegroups" ? [`/subscriptions/${id}/resourcegroups/${name}`] : [];
  return [...groups.map(idOfGroup), `/subscriptions/${id}`, ...own];
}

/** The assignment that a path names. @throws ArmError 404 */
function found(c: Context<KernelEnv>, runtime: Runtime<AzureState>) {
  const request = asked(c, runtime);
  const id = idOf(request.segments).toLowerCase();
  const assignment = runtime.state.readings().estate.assignments.find((each) => each.id === id);
  if (!assignment) return reject("PolicyAssignmentNotFound", request.segments.at(-1) ?? "");
  return { id, assignment, body: renderAssignment(assignment, runtime.state.documents.body("assignment", id)) };
}

function read(c: Context<KernelEnv>, runtime: Runtime<AzureState>): Response {
  return answerArm(c.env.exchange, found(c, runtime).body);
}

function write(c: Context<KernelEnv>, runtime: Runtime<AzureState>): Response {
  const { exchange } = c.env;
  const { state, clock } = runtime;
  const request = asked(c, runtime);
  const scope = scopeOf(request.segments, 4);
  const name = request.segments.at(-1) ?? "";
  const given = bodyOf(exchange);
  const properties = record(given.properties);
  const of = assigned(state, properties);
  checkAssignment(name, given, of);
  const id = `${scope}/providers/Microsoft.Authorization/policyAssignments/${name}`;
  const body = {
    identity: identityOf(runtime, id, given.identity),
    location: given.location,
    properties: { enforcementMode: "Default", notScopes: [], ...properties, scope },
    id,
    type: "Microsoft.Authorization/policyAssignments",
    name,
    systemData: systemData(authorOf(exchange), clock.now(), state.documents.body("assignment", id)),
  };
  const made = keep(runtime, id, body, true);
  // Also of one that was there: the specification has no 200 for it, and clients refuse one.
  return answerArm(exchange, made, 201);
}

/** What an assignment asks for. @throws ArmError 400 or 404 */
function assigned({ documents }: AzureState, properties: Json): BuiltIn | Initiative {
  const id = text(properties, "policyDefinitionId");
  if (id === "") reject("InvalidRequestContent", "'properties.policyDefinitionId' is missing");
  const catalogue = catalogueOf(documents.structure(Number.MAX_SAFE_INTEGER));
  if (!catalogue.definition(id) && !catalogue.initiative(id))
    reject(/policySetDefinitions/i.test(id) ? "PolicySetDefinitionNotFound" : "PolicyDefinitionNotFound", id);
  const pattern = text(properties, "definitionVersion");
  if (pattern !== "" && !isVersionPattern(pattern))
    reject(
      "InvalidRequestContent",
      `'definitionVersion' must be a version or a pattern such as 1.*.*, not '${pattern}'`,
    );
  return (
    catalogue.definition(id, pattern) ??
    catalogue.initiative(id, pattern) ??
    reject("PolicyDefinitionVersionNotFound", id, pattern)
  );
}

/** A managed identity is made with the assignment that asks for one, and stays the same for as long as it does. */
function identityOf({ ids, state }: Runtime<AzureState>, id: string, given: Json): Json {
  const type = text(given, "type");
  const uuid = (what: string, owner: string) => ids.fixed(`azure.${what}`, [owner.toLowerCase()]).uuid();
  if (type.toLowerCase() === "systemassigned")
    return { type: "SystemAssigned", principalId: uuid("principal", id), tenantId: state.tenant().tenantId };
  if (type.toLowerCase() !== "userassigned") return given;
  const identities = Object.keys(record(member(given, "userAssignedIdentities"))).map((each) => [
    each,
    { principalId: uuid("principal", each), clientId: uuid("client", each) },
  ]);
  return { type: "UserAssigned", userAssignedIdentities: Object.fromEntries(identities) };
}

/** Location, identity, resource selectors and overrides are what PATCH may change. */
function patch(c: Context<KernelEnv>, runtime: Runtime<AzureState>): Response {
  const { exchange } = c.env;
  const { id, assignment, body: before } = found(c, runtime);
  const given = bodyOf(exchange);
  const properties = record(given.properties);
  const body = {
    ...before,
    location: given.location ?? before.location,
    identity: given.identity === undefined ? before.identity : identityOf(runtime, id, given.identity),
    properties: {
      ...before.properties,
      ...(properties.resourceSelectors === undefined ? {} : { resourceSelectors: properties.resourceSelectors }),
      ...(properties.overrides === undefined ? {} : { overrides: properties.overrides }),
    },
    systemData: systemData(authorOf(exchange), runtime.clock.now(), runtime.state.documents.body("assignment", id)),
  };
  return answerArm(exchange, keep(runtime, id, body, !assignment.seeded));
}

/** Keeps an assignment, evaluates what it reaches and renders it. A seeded one that is only patched stays one. */
function keep(runtime: Runtime<AzureState>, id: string, body: object, made: boolean) {
  const { state, store, clock } = runtime;
  const key = id.toLowerCase();
  store.write(() => {
    const before = state.readings();
    const own = rowsOfAssignment(state, key);
    state.documents.put("assignment", { id: key, body: JSON.stringify(body), made, at: clock.now() });
    if (!made) return;
    announceGone(runtime, before, own);
    evaluateRows(runtime, rowsOfAssignment(state, key));
  });
  const kept = state.readings().estate.assignments.find((each) => each.id === key);
  return kept ? renderAssignment(kept, state.documents.body("assignment", key)) : body;
}

function remove(c: Context<KernelEnv>, runtime: Runtime<AzureState>): Response {
  const { exchange } = c.env;
  const { state, store, clock } = runtime;
  const request = asked(c, runtime);
  const id = idOf(request.segments).toLowerCase();
  const known = state.readings().estate.assignments.find((each) => each.id === id);
  if (!known) return answerArm(exchange, undefined, 204);
  const body = renderAssignment(known, state.documents.body("assignment", id));
  const before = state.readings();
  const own = rowsOfAssignment(state, id);
  store.write(() => {
    state.documents.put("assignment", { id, body: null, made: !known.seeded, at: clock.now() });
    announceGone(runtime, before, own);
  });
  return answerArm(exchange, body);
}

function rowsOfAssignment(state: AzureState, id: string): readonly number[] {
  const { estate } = state.readings();
  const code = estate.assignments.findIndex((each) => each.id === id);
  return code < 0 ? [] : rowsOfPolicies(state, (policy) => estate.policies[policy]?.assignment === code);
}
