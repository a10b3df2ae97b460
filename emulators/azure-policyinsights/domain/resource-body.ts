/** The body of a seeded resource: members drawn by the hashes that decide its states, so that rules agree with them. */
import { builtIns } from "./built-ins.ts";
import { failsOn } from "./compliance.ts";
import type { Estate } from "./estate.ts";
import { type Fact, factFor, factOf } from "./facts.ts";
import { resourceId } from "./fields.ts";
import { hashText, mix } from "./hash.ts";
import { isRecord, type Json } from "./json.ts";
import { resourceTypes, subscriptionType } from "./resource-types.ts";
import type { Subject } from "./rules.ts";
import { dayMs } from "./scans.ts";

/** Facts about each seeded resource type, every one once. */
function factsOf(type: number): readonly Fact[] {
  const kind = resourceTypes[type];
  if (!kind) return [];
  const facts = new Map<string, Fact>();
  for (const definition of builtIns) {
    const fact = factFor(definition);
    const sees = definition.on === "indexed" ? kind.indexed : definition.on.includes(kind.key);
    if (fact && sees && fact.path !== "location") facts.set(factOf(definition), fact);
  }
  return [...facts.values()];
}

/** The day whose scan has begun before an instant: resources change just before they are scanned. */
export function scanDay(estate: Estate, subscription: number, now: number): number {
  return Math.floor((now - (estate.subscriptions[subscription]?.scanAt ?? 0)) / dayMs);
}

/** As Azure Resource Manager writes ids, where records have them in lower case. */
export function armId(estate: Estate, code: number): string {
  const parts = resourceId(estate, code).split("/");
  const type = (estate.types[estate.resources.type[code] ?? 0]?.type ?? "").split("/");
  if (parts[3] === "resourcegroups") parts[3] = "resourceGroups";
  if (parts.length > 6) {
    parts[6] = type[0] ?? "";
    for (let at = 1; at < type.length; at += 1) parts[5 + at * 2] = type[at] ?? "";
  }
  return parts.join("/");
}

export function seededBody(
  estate: Estate,
  code: number,
  day: number,
): { readonly body: Json; readonly related: Record<string, number> } {
  const { resources } = estate;
  const typeCode = resources.type[code] ?? 0;
  const hash = resources.hash[code] ?? 0;
  const id = armId(estate, code);
  const root: Record<string, Json> = {
    id,
    name: id.slice(id.lastIndexOf("/") + 1),
    type: resourceTypes[typeCode]?.type ?? "",
    location: estate.locations[resources.location[code] ?? 0] ?? "",
  };
  const related: Record<string, number> = {};
  const body: Tree = { ...root, tags: {}, properties: { provisioningState: "Succeeded" } };
  const seedHash = estate.seedHash;
  for (const fact of factsOf(typeCode)) {
    const bad = failsOn(mix(hash, mix(seedHash, hashText(fact.path))), day);
    const value = bad ? fact.bad : fact.good;
    if (fact.path.startsWith("related.")) related[fact.alias] = Number(value);
    else if (value !== undefined) put(body, fact.path.split("."), value as Json);
  }
  if (resourceTypes[typeCode]?.key === "function") body.kind = "functionapp";
  if (resourceTypes[typeCode]?.key === "storage")
    Object.assign(body, { sku: { name: "Standard_LRS", tier: "Standard" }, kind: "StorageV2" });
  if (typeCode === subscriptionType) body.tags = {};
  return { body, related };
}

type Tree = { [name: string]: Json };

/** Sets a member along a path, and what is missing on the way. */
function put(body: Tree, path: readonly string[], value: Json): void {
  const [head, ...rest] = path;
  if (head === undefined) return;
  if (rest.length === 0) {
    body[head] = value;
    return;
  }
  const below = body[head];
  const next: Tree = isRecord(below) ? { ...below } : {};
  body[head] = next;
  put(next, rest, value);
}

/** What rules look at. `written` is what a client made of the resource. */
export function subjectOf(
  estate: Estate,
  code: number,
  now: number,
  written: { readonly body: Json; readonly related: Readonly<Record<string, number>> } | undefined,
): Subject {
  const { resources, groups } = estate;
  const group = groups[resources.group[code] ?? 0];
  const id = armId(estate, code);
  const { body, related } =
    written ?? seededBody(estate, code, scanDay(estate, resources.subscription[code] ?? 0, now));
  return {
    id,
    name: id.slice(id.lastIndexOf("/") + 1),
    type: estate.types[resources.type[code] ?? 0]?.type ?? "",
    location: estate.locations[resources.location[code] ?? 0] ?? "",
    body,
    related,
    groupLocation: estate.locations[group?.location ?? 0] ?? "",
    groupName: group?.name ?? "",
  };
}
