/**
 * The members of a policy state in the order of the wire, each with where its value comes from. Filters, sorting,
 * selection and rendering all read this one table. Source: records of the 2019-10-01 and 2024-10-01 api-versions.
 */
import type { BuiltIn, Initiative } from "./built-ins.ts";
import { complianceStates, nonCompliant } from "./compliance.ts";
import type { Estate } from "./estate.ts";
import { idOfType, idTail } from "./resource-ids.ts";
import { groupType, resourceTypes, subscriptionType } from "./resource-types.ts";

/** What a value depends on. All but `policy`, `compliance` and `time` depend on the row's resource. */
export type Level = "resource" | "type" | "location" | "group" | "subscription" | "policy" | "compliance" | "time";

export type Field = { readonly name: string } & (
  | { readonly kind: "string"; readonly level: Exclude<Level, "time">; text(estate: Estate, code: number): string }
  | { readonly kind: "boolean"; readonly level: "compliance"; flag(code: number): boolean }
  | { readonly kind: "date"; readonly level: "time" }
  | { readonly kind: "list"; readonly level: "policy"; words(estate: Estate, code: number): readonly string[] }
);

type Text = (estate: Estate, code: number) => string;
const string = (name: string, level: Exclude<Level, "time">, text: Text): Field => ({
  name,
  kind: "string",
  level,
  text,
});
const constant = (name: string, value: string): Field => string(name, "policy", () => value);

const policy = (name: string, of: (policy: Estate["policies"][number]) => string): Field =>
  string(name, "policy", (estate, code) => {
    const found = estate.policies[code];
    return found ? of(found) : "";
  });
const assignment = (name: string, of: (assignment: Estate["assignments"][number]) => string): Field =>
  string(name, "policy", (estate, code) => {
    const found = estate.assignments[estate.policies[code]?.assignment ?? -1];
    return found ? of(found) : "";
  });

export const setId = ({ id, scope = "" }: Initiative) =>
  `${scope}/providers/Microsoft.Authorization/policySetDefinitions/${id}`;
/** In lower case, as records carry it. */
export const definitionId = ({ id, scope = "" }: BuiltIn) =>
  `${scope}/providers/Microsoft.Authorization/policyDefinitions/${id}`.toLowerCase();

export const fields: readonly Field[] = [
  { name: "timestamp", kind: "date", level: "time" },
  string("resourceId", "resource", resourceId),
  assignment("policyAssignmentId", ({ id }) => id),
  policy("policyDefinitionId", ({ definition }) => definitionId(definition)),
  constant("effectiveParameters", ""),
  { name: "isCompliant", kind: "boolean", level: "compliance", flag: (code) => code !== nonCompliant },
  string("subscriptionId", "subscription", (estate, code) => estate.subscriptions[code]?.id ?? ""),
  string("resourceType", "type", (estate, code) => estate.types[code]?.type ?? ""),
  string("resourceLocation", "location", (estate, code) => estate.locations[code] ?? ""),
  string("resourceGroup", "group", (estate, code) => estate.groups[code]?.name ?? ""),
  // "tbd" is what the service really sends here.
  constant("resourceTags", "tbd"),
  assignment("policyAssignmentName", ({ name }) => name),
  constant("policyAssignmentOwner", "tbd"),
  assignment("policyAssignmentParameters", ({ parameters }) => parameters),
  assignment("policyAssignmentScope", ({ scope }) => scope),
  policy("policyDefinitionName", ({ definition }) => definition.id),
  policy("policyDefinitionAction", ({ definition }) => definition.effect.toLowerCase()),
  constant("policyDefinitionCategory", "tbd"),
  assignment("policySetDefinitionId", ({ initiative }) => (initiative ? setId(initiative) : "")),
  assignment("policySetDefinitionName", ({ initiative }) => initiative?.id ?? ""),
  constant("policySetDefinitionOwner", ""),
  assignment("policySetDefinitionCategory", ({ initiative }) => initiative?.category.toLowerCase() ?? ""),
  constant("policySetDefinitionParameters", ""),
  string("managementGroupIds", "subscription", (estate, code) =>
    (estate.subscriptions[code]?.managementGroups ?? []).join(","),
  ),
  policy("policyDefinitionReferenceId", ({ reference }) => reference),
  string("complianceState", "compliance", (_, code) => complianceStates[code] ?? ""),
  {
    name: "policyDefinitionGroupNames",
    kind: "list",
    level: "policy",
    words: (estate, code) => estate.policies[code]?.groups ?? [],
  },
  policy("policyDefinitionVersion", ({ definition }) => definition.version),
  assignment("policySetDefinitionVersion", ({ initiative }) => initiative?.version ?? ""),
  constant("policyAssignmentVersion", ""),
  constant("complianceReasonCode", ""),
];

const byName: ReadonlyMap<string, Field> = new Map(fields.map((field) => [field.name.toLowerCase(), field]));

/** Names in queries are case-insensitive. */
export function fieldNamed(name: string): Field | undefined {
  return byName.get(name.toLowerCase());
}

/** Ids of more resources than this would weigh more than they save. */
const mostKeptIds = 40_000;

/** Azure keeps resource ids of policy states in lower case. */
export function resourceId(estate: Estate, code: number): string {
  if (estate.resources.count > mostKeptIds) return writeId(estate, code);
  const { ids } = estate.kept;
  const known = ids[code] ?? writeId(estate, code);
  ids[code] = known;
  return known;
}

function writeId(estate: Estate, code: number): string {
  const head = idHead(estate, code);
  if (head === undefined) return wholeId(estate, code);
  return head + idTail(estate.resources.type[code] ?? 0, estate.resources.hash[code] ?? 0);
}

/**
 * The first part of an id, one text for all of a type in a group: the rest follows from the type and the resource's hash.
 * Undefined where an id is made otherwise.
 */
export function idHead(estate: Estate, code: number): string | undefined {
  if (!isDerived(estate, code)) return undefined;
  const { resources, kept } = estate;
  const type = resources.type[code] ?? 0;
  const key = (resources.group[code] ?? 0) * resourceTypes.length + type;
  const known = kept.heads[key];
  if (known !== undefined) return known;
  const made = idOfGroup(estate, code) + idOfType(type);
  kept.heads[key] = made;
  return made;
}

/** Whether a resource's id follows from its group, its type and its hash. */
export function isDerived({ resources }: Estate, code: number): boolean {
  const type = resources.type[code] ?? 0;
  return resources.hash[code] !== 0 && type !== subscriptionType && type !== groupType;
}

/** The id of a resource's group, where that is seeded. */
export function idOfGroup(estate: Estate, code: number): string {
  const { resources, subscriptions, groups } = estate;
  const subscription = subscriptions[resources.subscription[code] ?? 0]?.id ?? "";
  return `/subscriptions/${subscription}/resourcegroups/${groups[resources.group[code] ?? 0]?.name ?? ""}`;
}

function wholeId(estate: Estate, code: number): string {
  const { resources } = estate;
  const made = estate.named.get(code);
  if (made !== undefined) return made;
  const subscription = `/subscriptions/${estate.subscriptions[resources.subscription[code] ?? 0]?.id ?? ""}`;
  if (resources.type[code] === subscriptionType) return subscription;
  return `${subscription}/resourcegroups/${estate.groups[resources.group[code] ?? 0]?.name ?? ""}`;
}

/** Codes of a level for each resource; undefined where the resource's own code is meant. */
export function codesOf(estate: Estate, level: Level): Uint8Array | Uint16Array | undefined {
  switch (level) {
    case "type":
      return estate.resources.type;
    case "location":
      return estate.resources.location;
    case "group":
      return estate.resources.group;
    case "subscription":
      return estate.resources.subscription;
    case "resource":
    case "policy":
    case "compliance":
    case "time":
      return undefined;
  }
}

/** How many codes a level has. */
export function sizeOf(estate: Estate, level: Level): number {
  switch (level) {
    case "type":
      return estate.types.length;
    case "location":
      return estate.locations.length;
    case "group":
      return estate.groups.length + 1; // one more for what is in none
    case "subscription":
      return estate.subscriptions.length;
    case "resource":
      return estate.resources.count;
    case "policy":
      return estate.policies.length;
    case "compliance":
      return complianceStates.length;
    case "time":
      return 0;
  }
}
