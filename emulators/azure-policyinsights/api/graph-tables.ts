/** The tables of Resource Graph, made from the same estate as everything else: resources, containers, policy resources. */
import type { Runtime } from "../../kernel/emulator.ts";
import { builtIns, cisFoundations, cloudSecurityBenchmark } from "../domain/built-ins.ts";
import { complianceStates, nothing } from "../domain/compliance.ts";
import type { Estate } from "../domain/estate.ts";
import { type Field, fields, resourceId } from "../domain/fields.ts";
import { groupRecords } from "../domain/groups.ts";
import { hashText, mix } from "../domain/hash.ts";
import { type Json, member, record, text } from "../domain/json.ts";
import { groupTree } from "../domain/management-groups.ts";
import type { Question } from "../domain/question.ts";
import { groupType, subscriptionType } from "../domain/resource-types.ts";
import { dayMs } from "../domain/scans.ts";
import { see } from "../domain/sight.ts";
import { weightColumn } from "../kql/reads.ts";
import type { Flow, Wanted } from "../kql/run.ts";
import type { Lazy, Row, Value } from "../kql/values.ts";
import type { AzureState } from "../store.ts";
import { renderAssignment, renderDefinition, renderInitiative } from "../wire/authorization.ts";
import { renderMetadata } from "../wire/insights.ts";
import { exemptionsAt } from "./exemptions.ts";
import { metadataNames } from "./insights.ts";
import { wholeOf } from "./resources.ts";

const columns = [
  "id",
  "name",
  "type",
  "tenantId",
  "kind",
  "location",
  "resourceGroup",
  "subscriptionId",
  "managedBy",
  "sku",
  "plan",
  "properties",
  "tags",
  "identity",
  "zones",
  "extendedLocation",
] as const;

/** Codes of the subscriptions that are asked about. */
export type Within = ReadonlySet<number>;

type Asked = (type: string) => boolean;

/** A table by its name in lower case. */
export function graphTable(
  runtime: Runtime<AzureState>,
  within: Within,
  name: string,
  { types, reads }: Wanted,
): Flow | undefined {
  const wanted: Asked = (type) => types?.has(type) ?? true;
  switch (name) {
    case "resources":
      return { columns, rows: resources(runtime, within, wanted) };
    case "resourcecontainers":
      return { columns, rows: containers(runtime, within, wanted) };
    case "policyresources": {
      const groups = reads && fieldsRead(reads);
      const rows = policyResources(runtime, within, wanted, groups);
      return { columns: groups ? [...columns, weightColumn] : columns, rows };
    }
    default:
      return undefined;
  }
}

interface Cells {
  readonly id: string;
  readonly name: string;
  readonly type: string;
  readonly tenantId: string;
  readonly kind?: string;
  readonly location?: string;
  readonly resourceGroup?: string;
  readonly subscriptionId?: string;
  readonly sku?: Value;
  readonly properties?: Value;
  readonly tags?: Value;
  readonly identity?: Value;
}

function row(cells: Cells): Row {
  return [
    cells.id,
    cells.name,
    cells.type,
    cells.tenantId,
    cells.kind ?? "",
    cells.location ?? "",
    cells.resourceGroup ?? "",
    cells.subscriptionId ?? "",
    "",
    cells.sku ?? null,
    null,
    cells.properties ?? null,
    cells.tags ?? null,
    cells.identity ?? null,
    null,
    null,
  ];
}

/** Bodies come as JSON, where nothing is undefined. */
const value = (json: Json): Value => (json ?? null) as Value;

function* resources(runtime: Runtime<AzureState>, within: Within, wanted: Asked): Iterable<Row> {
  const { estate } = runtime.state.readings();
  for (const subscription of within) {
    const range = estate.subscriptions[subscription]?.resources ?? { first: 0, end: 0 };
    for (let code = range.first; code < range.end; code += 1) {
      const type = estate.resources.type[code] ?? 0;
      const named = (estate.types[type]?.type ?? "").toLowerCase();
      if (type === subscriptionType || type === groupType || !wanted(named)) continue;
      const { body } = wholeOf(runtime, code);
      yield row({
        ...placeOf(estate, code),
        id: text(body, "id"),
        name: text(body, "name"),
        type: named,
        kind: text(body, "kind").toLowerCase(),
        location: text(body, "location"),
        sku: value(member(body, "sku")),
        properties: value(member(body, "properties")),
        tags: value(member(body, "tags")),
        identity: value(member(body, "identity")),
      });
    }
  }
}

function placeOf(estate: Estate, code: number) {
  return {
    tenantId: estate.tenantId,
    subscriptionId: estate.subscriptions[estate.resources.subscription[code] ?? 0]?.id ?? "",
    resourceGroup: (estate.groups[estate.resources.group[code] ?? 0]?.name ?? "").toLowerCase(),
  };
}

function* containers(runtime: Runtime<AzureState>, within: Within, wanted: Asked): Iterable<Row> {
  const { estate } = runtime.state.readings();
  const { tenantId } = estate;
  const groups = "microsoft.management/managementgroups";
  if (wanted(groups))
    for (const { name, parent } of groupTree(estate)) {
      const id = `/providers/Microsoft.Management/managementGroups/${name}`;
      const details = { parent: parent === undefined ? null : { name: parent } };
      yield row({ id, name, type: groups, tenantId, properties: { displayName: name, tenantId, details } });
    }
  for (const subscription of within) {
    const found = estate.subscriptions[subscription];
    if (!found) continue;
    const { id: subscriptionId, name, managementGroups } = found;
    const scope = `/subscriptions/${subscriptionId}`;
    const managementGroupAncestorsChain = managementGroups.map((each) => ({ name: each, displayName: each }));
    const type = "microsoft.resources/subscriptions";
    const properties = { state: "Enabled", managementGroupAncestorsChain };
    if (wanted(type)) yield row({ id: scope, name, type, tenantId, subscriptionId, properties, tags: {} });
    if (!wanted(`${type}/resourcegroups`)) continue;
    for (const group of estate.groups.slice(found.groups.first, found.groups.end)) {
      // A group that was deleted keeps its place in the columns, without itself in it.
      if (group.resources.first === group.resources.end) continue;
      const { body } = wholeOf(runtime, group.resources.first);
      yield row({
        id: `${scope}/resourceGroups/${group.name}`,
        name: group.name,
        type: `${type}/resourcegroups`,
        tenantId,
        subscriptionId,
        resourceGroup: group.name.toLowerCase(),
        location: estate.locations[group.location] ?? "",
        properties: { provisioningState: "Succeeded" },
        tags: value(member(body, "tags")),
      });
    }
  }
}

const authorization = "microsoft.authorization";

/** `groups`: the members of states that the query looks at before it counts. */
function* policyResources(
  runtime: Runtime<AzureState>,
  within: Within,
  wanted: Asked,
  groups: readonly Field[] | undefined,
): Iterable<Row> {
  const { state } = runtime;
  const { estate } = state.readings();
  if (wanted("microsoft.policyinsights/policystates"))
    yield* groups ? groupedStates(runtime, within, groups) : states(runtime, within);
  const documents = function* (type: string, bodies: () => Iterable<object>): Iterable<Row> {
    if (wanted(type)) for (const body of bodies()) yield documentRow(estate, type, body as Json);
  };
  yield* documents(`${authorization}/policyassignments`, () =>
    estate.assignments
      .filter(({ scope }) => isWithin(estate, scope, within))
      .map((assignment) => renderAssignment(assignment, state.documents.body("assignment", assignment.id))),
  );
  yield* documents(`${authorization}/policydefinitions`, () => [
    ...builtIns.map(renderDefinition),
    ...written(state, "definition"),
  ]);
  yield* documents(`${authorization}/policysetdefinitions`, () => [
    ...[cloudSecurityBenchmark, cisFoundations].map(renderInitiative),
    ...written(state, "set"),
  ]);
  yield* documents(`${authorization}/policyexemptions`, () =>
    [...within].flatMap((subscription) => {
      const segments = ["subscriptions", estate.subscriptions[subscription]?.id ?? ""];
      return exemptionsAt(state, { segments, name: { tag: "subscription" }, subscription }).map(({ body }) =>
        record(body),
      );
    }),
  );
  yield* documents("microsoft.policyinsights/policymetadata", () =>
    metadataNames().map((name) => renderMetadata(name, true)),
  );
}

function written({ documents }: AzureState, kind: "definition" | "set"): readonly object[] {
  return documents.list(kind).flatMap(({ body }) => (body === null ? [] : [JSON.parse(body)]));
}

function isWithin({ subscriptions }: Estate, scope: string, within: Within): boolean {
  const [, first = "", id = ""] = scope.toLowerCase().split("/");
  return first !== "subscriptions" || [...within].some((code) => subscriptions[code]?.id === id);
}

function documentRow({ tenantId }: Estate, type: string, body: Json): Row {
  const id = text(body, "id");
  const [, first = "", subscription = "", third = "", group = ""] = id.split("/");
  const inSubscription = first.toLowerCase() === "subscriptions";
  return row({
    id,
    name: text(body, "name"),
    type,
    tenantId,
    location: text(body, "location"),
    subscriptionId: inSubscription ? subscription.toLowerCase() : "",
    resourceGroup: inSubscription && third.toLowerCase() === "resourcegroups" ? group.toLowerCase() : "",
    properties: value(member(body, "properties")),
    identity: value(member(body, "identity")),
  });
}

const ofColumn: Readonly<Record<string, string>> = {
  subscriptionId: "subscriptionId",
  resourceGroup: "resourceGroup",
  location: "resourceLocation",
};

/** The members of states that decide what is read; undefined where every state may be its own. */
function fieldsRead(reads: ReadonlySet<string>): readonly Field[] | undefined {
  const found = new Set<Field>();
  for (const name of reads) {
    if (name === "id" || name === "name") return undefined;
    const member = name.startsWith("properties.") ? name.slice("properties.".length) : ofColumn[name];
    // What states do not have is the same for all of them.
    const field = fields.find((each) => each.name === (member === "stateWeight" ? "complianceState" : member));
    if (field?.level === "resource" || field?.level === "time") return undefined;
    if (field) found.add(field);
  }
  return [...found];
}

/** One row for all states that are alike in some of their members. */
function* groupedStates(runtime: Runtime<AzureState>, within: Within, groups: readonly Field[]): Iterable<Row> {
  const readings = runtime.state.readings();
  const table = groupRecords(readings, newest(runtime, within), groups, () => "");
  for (let at = 0; at < table.size; at += 1) {
    const values = new Map<string, Value>(
      table.columns.map((column) => [column.name, column.valueOf(column.codes[at] ?? 0)]),
    );
    const read = (name: string): Value =>
      name === "stateWeight" ? weightOf(String(values.get("complianceState"))) : (values.get(name) ?? null);
    const properties: Lazy = { lazy: true, member: read, whole: () => Object.fromEntries(values) };
    const cells = row({
      id: "",
      name: "",
      type: "microsoft.policyinsights/policystates",
      tenantId: readings.estate.tenantId,
      location: String(read("resourceLocation") ?? ""),
      resourceGroup: String(read("resourceGroup") ?? "").toLowerCase(),
      subscriptionId: String(read("subscriptionId") ?? ""),
      properties,
    });
    yield [...cells, table.weights[at] ?? 1];
  }
}

function newest({ state, clock }: Runtime<AzureState>, within: Within): Question {
  const { estate } = state.readings();
  const now = clock.now();
  return {
    ranges: [...within].flatMap((subscription) => {
      const rows = estate.subscriptions[subscription]?.rows;
      return rows ? [{ ...rows, subscription }] : [];
    }),
    window: { from: now - dayMs, to: now },
    latestOnly: true,
    kind: "states",
    mask: {},
  };
}

/** The newest state of every row, as queries of `policyStates/latest` have it. */
function* states(runtime: Runtime<AzureState>, within: Within): Iterable<Row> {
  const readings = runtime.state.readings();
  const { estate } = readings;
  const { sights } = see(readings, newest(runtime, within));
  const memberOf = stateMembers(estate);
  // The question has no condition: every code stands for itself.
  for (const { first, codes, instantOf } of sights)
    for (let at = 0; at < codes.length; at += 1) {
      const code = codes[at] ?? nothing;
      if (code === nothing) continue;
      const index = first + at;
      const resource = estate.rows.resource[index] ?? 0;
      const policy = estate.policies[estate.rows.policy[index] ?? 0];
      const name = mix(
        hashText(resourceId(estate, resource)),
        mix(policy?.assignment ?? 0, estate.rows.policy[index] ?? 0),
      );
      const hex = name.toString(16).padStart(8, "0");
      yield row({
        ...placeOf(estate, resource),
        id: `${resourceId(estate, resource)}/providers/microsoft.policyinsights/policystates/${hex}`,
        name: hex,
        type: "microsoft.policyinsights/policystates",
        location: estate.locations[estate.resources.location[resource] ?? 0] ?? "",
        properties: memberOf(index, code, instantOf(index)),
      });
    }
}

/** How Microsoft's own samples weigh states when they roll them up. */
const weights: Readonly<Record<string, number>> = { NonCompliant: 300, Compliant: 200, Conflict: 100, Exempt: 50 };

const weightOf = (state: string): number => weights[state] ?? 0;

/** Properties of a state, read member by member. */
function stateMembers(estate: Estate): (row: number, compliance: number, instant: number) => Lazy {
  const byName = new Map(fields.map((field) => [field.name, field]));
  return (at, compliance, instant) => {
    const read = (name: string): Value => {
      if (name === "stateWeight") return weightOf(complianceStates[compliance] ?? "");
      const field = byName.get(name);
      return field ? fieldValue(estate, field, at, compliance, instant) : null;
    };
    return {
      lazy: true,
      member: read,
      whole: () => Object.fromEntries([...byName.keys(), "stateWeight"].map((name) => [name, read(name)])),
    };
  };
}

function fieldValue(estate: Estate, field: Field, at: number, compliance: number, instant: number): Value {
  const resource = estate.rows.resource[at] ?? 0;
  const codes = {
    resource,
    type: estate.resources.type[resource] ?? 0,
    location: estate.resources.location[resource] ?? 0,
    group: estate.resources.group[resource] ?? 0,
    subscription: estate.resources.subscription[resource] ?? 0,
    policy: estate.rows.policy[at] ?? 0,
    compliance,
    time: 0,
  };
  switch (field.kind) {
    case "date":
      return new Date(Math.floor(instant));
    case "boolean":
      return field.flag(compliance);
    case "list":
      return field.words(estate, codes[field.level]);
    case "string":
      return field.text(estate, codes[field.level]);
  }
}
