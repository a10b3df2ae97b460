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
import { resourceTypes } from "./resource-types.ts";

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
    if (kind === "definition" || kind === "set") continue;
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
  const wanted = type.toLowerCase();
  const isFunction = text(body, "kind").toLowerCase().includes("functionapp");
  const known = resourceTypes.find(
    (each) =>
      each.type.toLowerCase() === wanted &&
      (each.key === "function") === (wanted === "microsoft.web/sites" && isFunction),
  );
  return {
    id,
    group: id.split("/").slice(0, 5).join("/"),
    type,
    key: known?.key ?? wanted,
    location: text(body, "location").toLowerCase().replaceAll(" ", ""),
  };
}

/** Definitions and initiatives by id in lower case. */
export interface Catalogue {
  definition(id: string): BuiltIn | undefined;
  initiative(id: string): Initiative | undefined;
}

export function catalogueOf(documents: readonly Written[]): Catalogue {
  const definitions = new Map<string, BuiltIn>();
  const initiatives = new Map<string, Initiative>();
  const prefix = "/providers/microsoft.authorization/";
  for (const definition of builtIns) definitions.set(`${prefix}policydefinitions/${definition.id}`, definition);
  for (const initiative of [cloudSecurityBenchmark, cisFoundations])
    initiatives.set(`${prefix}policysetdefinitions/${initiative.id}`, initiative);
  for (const { kind, id, body } of documents)
    if (kind === "definition" && body !== null) definitions.set(id, definitionFrom(JSON.parse(body)));
  for (const { kind, id, body } of documents)
    if (kind === "set" && body !== null) initiatives.set(id, initiativeFrom(JSON.parse(body), definitions));
  return {
    definition: (id) => definitions.get(id.toLowerCase()),
    initiative: (id) => initiatives.get(id.toLowerCase()),
  };
}

function definitionFrom(body: Json): BuiltIn {
  const properties = member(body, "properties");
  const metadata = member(properties, "metadata");
  const rule = member(properties, "policyRule");
  return {
    id: text(body, "name"),
    name: text(properties, "displayName") || text(body, "name"),
    category: text(metadata, "category"),
    version: text(metadata, "version") || "1.0.0",
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
  const name = /^\[parameters\('([^']+)'\)\]$/i.exec(effect)?.[1];
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

function initiativeFrom(body: Json, definitions: ReadonlyMap<string, BuiltIn>): Initiative {
  const properties = member(body, "properties");
  const members = list(member(properties, "policyDefinitions")).flatMap((each, index): Member[] => {
    const definition = definitions.get(text(each, "policyDefinitionId").toLowerCase());
    if (!definition) return [];
    const groups = list(member(each, "groupNames")).flatMap((name) => (typeof name === "string" ? name : []));
    return [
      { definition, reference: text(each, "policyDefinitionReferenceId") || `${definition.id}_${index + 1}`, groups },
    ];
  });
  return {
    id: text(body, "name"),
    name: text(properties, "displayName") || text(body, "name"),
    category: text(member(properties, "metadata"), "category"),
    version: text(member(properties, "metadata"), "version") || "1.0.0",
    groupPrefix: "",
    scope: text(body, "id").split(/\/providers\/microsoft\.authorization\//i)[0] ?? "",
    members,
  };
}

function assignmentFrom(body: Json, catalogue: Catalogue): readonly MadeAssignment[] {
  const properties = member(body, "properties");
  const id = text(properties, "policyDefinitionId");
  const of = catalogue.definition(id) ?? catalogue.initiative(id);
  if (!of) return [];
  const parameters = record(member(properties, "parameters"));
  return [
    {
      name: text(body, "name"),
      scope: text(properties, "scope"),
      of,
      parameters: Object.keys(parameters).length === 0 ? "" : JSON.stringify(parameters),
      notScopes: list(member(properties, "notScopes")).flatMap((each) => (typeof each === "string" ? each : [])),
    },
  ];
}
