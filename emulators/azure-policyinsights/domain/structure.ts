/** From what clients wrote to the changes of the estate's make-up. */
import {
  type BuiltIn,
  builtIns,
  cisFoundations,
  cloudSecurityBenchmark,
  type Initiative,
  type Member,
} from "./built-ins.ts";
import type { Changes, MadeAssignment, MadeGroup, MadeResource } from "./changes.ts";
import { type Json, list, member, record, text } from "./json.ts";
import { parameterNamed } from "./parameters.ts";
import { resourceTypes } from "./resource-types.ts";
import { compareVersions, isAsked, versionIn } from "./versions.ts";

interface Written {
  readonly kind: string;
  readonly id: string;
  readonly body: string | null;
  readonly made: boolean;
}

export function changesFrom(documents: readonly Written[]): Changes {
  const groups: MadeGroup[] = [];
  const resources: MadeResource[] = [];
  const assignments: MadeAssignment[] = [];
  const removed = new Set<string>();
  const catalogue = catalogueOf(documents);
  for (const { kind, id, body, made } of documents) {
    if (kind !== "group" && kind !== "resource" && kind !== "assignment") continue;
    // A seeded thing that was deleted and made again is no longer the seeded one.
    if (body === null || (made && kind !== "group")) removed.add(id);
    if (body === null || !made) continue;
    const json: Json = JSON.parse(body);
    if (kind === "group") groups.push(groupFrom(id, json));
    if (kind === "resource") resources.push(resourceFrom(id, json));
    if (kind === "assignment") assignments.push(...assignmentFrom(json, catalogue));
  }
  return { groups, resources, assignments, removed };
}

function groupFrom(id: string, body: Json): MadeGroup {
  return {
    subscription: id.split("/")[2] ?? "",
    name: text(body, "name"),
    location: text(body, "location").toLowerCase(),
  };
}

function resourceFrom(id: string, body: Json): MadeResource {
  const type = text(body, "type");
  return {
    id,
    group: id.split("/").slice(0, 5).join("/"),
    type,
    key: typeKey(type, body),
    location: text(body, "location").toLowerCase().replaceAll(" ", ""),
  };
}

/** The key of a resource type, which for a site depends on the resource's `kind`. */
export function typeKey(type: string, body: Json): string {
  const wanted = type.toLowerCase();
  const isFunction = text(body, "kind").toLowerCase().includes("functionapp");
  const known = resourceTypes.find(
    (each) =>
      each.type.toLowerCase() === wanted &&
      (each.key === "function") === (wanted === "microsoft.web/sites" && isFunction),
  );
  return known?.key ?? wanted;
}

/** Definitions and initiatives: the newest whose version is asked for by a pattern, or the newest of all. */
export interface Catalogue {
  definition(id: string, pattern?: string): BuiltIn | undefined;
  initiative(id: string, pattern?: string): Initiative | undefined;
}

export function catalogueOf(documents: readonly Written[]): Catalogue {
  const prefix = "/providers/microsoft.authorization/";
  const definitions: Versions<BuiltIn> = new Map();
  const initiatives: Versions<Initiative> = new Map();
  for (const definition of builtIns) add(definitions, `${prefix}policydefinitions/${definition.id}`, definition);
  for (const initiative of [cloudSecurityBenchmark, cisFoundations])
    add(initiatives, `${prefix}policysetdefinitions/${initiative.id}`, initiative);
  for (const [id, body] of customIn(documents, "definition", "definitionVersion"))
    add(definitions, id, definitionFrom(body));
  for (const [id, body] of customIn(documents, "set", "setVersion"))
    add(initiatives, id, initiativeFrom(body, definitions));
  return {
    definition: (id, pattern = "") => newest(definitions, id, pattern),
    initiative: (id, pattern = "") => newest(initiatives, id, pattern),
  };
}

/** By id in lower case; newest first. */
type Versions<Kind extends { readonly version: string }> = Map<string, Kind[]>;

function add<Kind extends { readonly version: string }>(versions: Versions<Kind>, id: string, item: Kind): void {
  const known = [...(versions.get(id) ?? []), item];
  versions.set(
    id,
    known.sort((left, right) => compareVersions(right.version, left.version)),
  );
}

function newest<Kind extends { readonly version: string }>(
  versions: Versions<Kind>,
  id: string,
  pattern: string,
): Kind | undefined {
  return versions.get(id.toLowerCase())?.find(({ version }) => isAsked(version, pattern));
}

/** Bodies of what clients defined, by id: as it is now, and in the versions that are kept beside it. */
function customIn(documents: readonly Written[], kind: string, versionKind: string): readonly [string, Json][] {
  const bodies = new Map<string, Json>();
  for (const { kind: each, id, body } of documents)
    if (each === kind && body !== null) bodies.set(id, JSON.parse(body));
  const found: [string, Json][] = [...bodies];
  for (const { kind: each, id, body } of documents) {
    if (each !== versionKind || body === null) continue;
    const owner = id.slice(0, id.lastIndexOf("/versions/"));
    const properties: Json = JSON.parse(body);
    const current = bodies.get(owner);
    if (current !== undefined && versionIn(member(current, "properties")) !== versionIn(properties))
      found.push([owner, { ...record(current), properties }]);
  }
  return found;
}

function definitionFrom(body: Json): BuiltIn {
  const properties = member(body, "properties");
  const metadata = member(properties, "metadata");
  const rule = member(properties, "policyRule");
  return {
    id: text(body, "name"),
    name: text(properties, "displayName") || text(body, "name"),
    category: text(metadata, "category"),
    version: versionIn(properties),
    effect: effectOf(rule, member(properties, "parameters")),
    on: typesIn(member(rule, "if")) ?? (text(properties, "mode").toLowerCase() === "indexed" ? "indexed" : "all"),
    scope: text(body, "id").split(/\/providers\/microsoft\.authorization\//i)[0] ?? "",
    rule,
    parameters: member(properties, "parameters"),
  };
}

/** The effect, or the default of the parameter that names it. */
function effectOf(rule: Json, parameters: Json): string {
  const effect = text(member(rule, "then"), "effect");
  const name = parameterNamed(effect);
  return name === undefined ? effect : text(member(parameters, name), "defaultValue") || "Audit";
}

/** Resource types that a rule asks for at its top: it says nothing about any other. */
function typesIn(condition: Json): readonly string[] | undefined {
  const parts = list(member(condition, "allOf"));
  for (const part of parts.length > 0 ? parts : [condition]) {
    if (text(part, "field").toLowerCase() !== "type") continue;
    const named = [member(part, "equals"), ...list(member(part, "in"))].flatMap((each) =>
      typeof each === "string" ? each : [],
    );
    if (named.length === 0) continue;
    return named.flatMap((name) => {
      const wanted = name.toLowerCase();
      const known = resourceTypes.filter((each) => each.type.toLowerCase() === wanted).map(({ key }) => key);
      return known.length > 0
        ? known
        : [wanted === "microsoft.resources/subscriptions/resourcegroups" ? "group" : wanted];
    });
  }
  return undefined;
}

function initiativeFrom(body: Json, definitions: Versions<BuiltIn>): Initiative {
  const properties = member(body, "properties");
  const members = list(member(properties, "policyDefinitions")).flatMap((each, index): Member[] => {
    const id = text(each, "policyDefinitionId");
    const definition = newest(definitions, id, text(each, "definitionVersion")) ?? newest(definitions, id, "");
    if (!definition) return [];
    const groups = list(member(each, "groupNames")).flatMap((name) => (typeof name === "string" ? name : []));
    const reference = text(each, "policyDefinitionReferenceId") || `${definition.id}_${index + 1}`;
    return [{ definition, reference, groups, parameters: member(each, "parameters") }];
  });
  return {
    id: text(body, "name"),
    name: text(properties, "displayName") || text(body, "name"),
    category: text(member(properties, "metadata"), "category"),
    version: versionIn(properties),
    groupPrefix: "",
    scope: text(body, "id").split(/\/providers\/microsoft\.authorization\//i)[0] ?? "",
    members,
    parameters: member(properties, "parameters"),
  };
}

function assignmentFrom(body: Json, catalogue: Catalogue): readonly MadeAssignment[] {
  const properties = member(body, "properties");
  const id = text(properties, "policyDefinitionId");
  const pattern = text(properties, "definitionVersion");
  const asked = catalogue.definition(id, pattern) ?? catalogue.initiative(id, pattern);
  // Whoever asked for a version that was deleted since is left with what there is.
  const of = asked ?? catalogue.definition(id) ?? catalogue.initiative(id);
  if (!of) return [];
  const parameters = record(member(properties, "parameters"));
  return [
    {
      name: text(body, "name"),
      scope: text(properties, "scope"),
      of,
      parameters: Object.keys(parameters).length === 0 ? "" : JSON.stringify(parameters),
      overrides: member(properties, "overrides"),
      enforced: text(properties, "enforcementMode").toLowerCase() !== "donotenforce",
      notScopes: list(member(properties, "notScopes")).flatMap((each) => (typeof each === "string" ? each : [])),
    },
  ];
}
