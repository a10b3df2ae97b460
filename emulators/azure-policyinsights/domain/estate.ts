/**
 * The estate: subscriptions, resource groups, resources, and one row for each resource and policy that looks at it. A
 * pure function of its parameters, kept in columns of typed arrays; texts are made when something asks for them.
 *
 * Rows lie by subscription, resource group, resource and policy, so every scope is one range of rows, and the rows of
 * one resource under one assignment are neighbours.
 */

import { type Changes, noChanges } from "./changes.ts";
import { hashText, mix } from "./hash.ts";
import { type Assignment, assign, managementGroupsAbove, type Place, type Policy, type Tree } from "./policies.ts";
import { resourceIdFrom } from "./resource-ids.ts";
import {
  drawnTypes,
  groupType,
  locations,
  type ResourceType,
  resourceTypes,
  subscriptionType,
} from "./resource-types.ts";
import { scanSpread } from "./scans.ts";

export const sizes = {
  tiny: { subscriptions: 1, groups: 3, resources: 10 },
  /** About 18,000 states. */
  default: { subscriptions: 3, groups: 20, resources: 55 },
  large: { subscriptions: 10, groups: 50, resources: 200 },
  /** A million states. */
  million: { subscriptions: 19, groups: 50, resources: 200 },
} as const;

export interface EstateParameters {
  readonly seed: string;
  readonly tenantId: string;
  /** Object id of whoever is shown to have changed seeded resources. */
  readonly principalOid?: string;
  readonly subscriptions: readonly { readonly id: string; readonly name: string }[];
  readonly groupsPerSubscription: number;
  readonly resourcesPerGroup: number;
}

export interface Range {
  readonly first: number;
  readonly end: number;
}

export interface Subscription {
  readonly id: string;
  readonly name: string;
  /** From the parent up to the tenant's root group. */
  readonly managementGroups: readonly string[];
  /** Milliseconds after midnight UTC at which the daily scan starts. */
  readonly scanAt: number;
  readonly groups: Range;
  readonly resources: Range;
  readonly rows: Range;
}

export interface ResourceGroup {
  readonly name: string;
  readonly subscription: number;
  readonly location: number;
  readonly resources: Range;
  readonly rows: Range;
}

/** One entry a resource. */
export interface Resources {
  readonly count: number;
  readonly type: Uint8Array;
  readonly location: Uint8Array;
  /** Code of the resource group; for a subscription itself, one past the last group. */
  readonly group: Uint16Array;
  readonly subscription: Uint16Array;
  /** 0 for a resource that a client made. */
  readonly hash: Uint32Array;
  /** Its rows are [firstRow[code], firstRow[code + 1]). */
  readonly firstRow: Uint32Array;
}

/** The order of a field's codes. */
export interface Ranks {
  readonly ranks: Uint32Array;
  readonly many: number;
}

export interface Estate {
  readonly seedHash: number;
  readonly tenantId: string;
  readonly principalOid: string;
  readonly subscriptions: readonly Subscription[];
  readonly groups: readonly ResourceGroup[];
  readonly assignments: readonly Assignment[];
  readonly policies: readonly Policy[];
  readonly types: readonly ResourceType[];
  readonly locations: readonly string[];
  /** Ids, in lower case, of the resources that clients made. */
  readonly named: ReadonlyMap<number, string>;
  readonly resources: Resources;
  /** Worked out on first use: ids by resource and their first parts, which filters and sorting ask for; order by field. */
  readonly kept: { readonly ids: string[]; readonly heads: string[]; readonly ranks: Map<string, Ranks> };
  /** One entry a row. */
  readonly rows: {
    readonly count: number;
    readonly resource: Uint32Array;
    readonly policy: Uint16Array;
    /** When in its subscription's daily scan it is evaluated, in units of 800 ns. */
    readonly offset: Uint32Array;
  };
}

const workloads = ["payments", "orders", "web", "data", "identity", "reporting", "search", "mail", "batch", "shared"];
const stages = ["prod", "test", "dev"];

export function createEstate(parameters: EstateParameters, changes: Changes = noChanges): Estate {
  const seedHash = hashText(parameters.seed);
  const dictionaries = dictionariesOf(changes);
  const frame = frameOf(parameters, changes, dictionaries, seedHash);
  const { assignments, policies } = assign(treeOf(parameters, frame), seedHash, changes);
  const drawn = drawResources(parameters, frame, dictionaries, changes, seedHash);
  const applicable = applicablePolicies(
    frame.groups.length,
    parameters.subscriptions.length,
    policies,
    dictionaries.types,
  );
  return { ...fill(parameters, frame, drawn, applicable, { assignments, policies }, seedHash), ...dictionaries };
}

interface Dictionaries {
  readonly types: readonly ResourceType[];
  readonly locations: readonly string[];
}

/** Types and locations that only clients' resources have come after the seeded ones. */
function dictionariesOf(changes: Changes): Dictionaries {
  if (changes.resources.length === 0 && changes.groups.length === 0) return { types: resourceTypes, locations };
  const types = [...resourceTypes];
  for (const { type, key } of changes.resources)
    if (!types.some((each) => each.key === key)) types.push({ key, type, weight: 0, abbreviation: "", indexed: true });
  const places: string[] = [...locations];
  for (const { location } of [...changes.resources, ...changes.groups])
    if (!places.includes(location)) places.push(location);
  return { types, locations: places };
}

interface Frame {
  readonly groups: readonly { readonly name: string; readonly subscription: number; readonly location: number }[];
  /** First group of each subscription, and the end. */
  readonly first: readonly number[];
}

function frameOf(parameters: EstateParameters, changes: Changes, dictionaries: Dictionaries, seedHash: number): Frame {
  const groups: { name: string; subscription: number; location: number }[] = [];
  const first: number[] = [0];
  parameters.subscriptions.forEach(({ id }, subscription) => {
    for (let index = 0; index < parameters.groupsPerSubscription; index += 1) {
      const workload = workloads[index % workloads.length] ?? "";
      const stage = stages[Math.floor(index / workloads.length) % stages.length] ?? "";
      const name = `rg-${workload}-${stage}-${String(Math.floor(index / 30) + 1).padStart(2, "0")}`;
      const hash = mix(seedHash, hashText(`${subscription}/${name}`));
      groups.push({ name, subscription, location: 1 + (hash % (locations.length - 1)) });
    }
    for (const made of changes.groups)
      if (made.subscription === id)
        groups.push({ name: made.name, subscription, location: dictionaries.locations.indexOf(made.location) });
    first.push(groups.length);
  });
  return { groups, first };
}

function treeOf({ subscriptions, tenantId }: EstateParameters, { groups, first }: Frame): Tree {
  const reach = (name: string): Place | undefined => {
    const below = subscriptions.flatMap((_, position) =>
      managementGroupsAbove(position, tenantId).some((each) => each.toLowerCase() === name.toLowerCase())
        ? [position]
        : [],
    );
    if (below.length === 0) return undefined;
    return { scope: `/providers/Microsoft.Management/managementGroups/${name}`, subscriptions: below };
  };
  const groupPlace = (group: number): Place | undefined => {
    const found = groups[group];
    const id = subscriptions[found?.subscription ?? -1]?.id;
    if (!found || id === undefined) return undefined;
    return { scope: `/subscriptions/${id}/resourceGroups/${found.name}`, subscriptions: [found.subscription], group };
  };
  return {
    root: reach(tenantId),
    managementGroup: reach,
    subscriptions: subscriptions.map(({ id }, position) => ({
      scope: `/subscriptions/${id}`,
      subscriptions: [position],
    })),
    firstGroups: subscriptions.flatMap((_, position) => groupPlace(first[position] ?? 0) ?? []),
    group(subscriptionId, name) {
      const position = subscriptions.findIndex(({ id }) => id === subscriptionId);
      const code = groups.findIndex(
        (group) => group.subscription === position && group.name.toLowerCase() === name.toLowerCase(),
      );
      return code < 0 ? undefined : groupPlace(code);
    },
  };
}

interface Drawn extends Omit<Resources, "firstRow"> {
  readonly named: ReadonlyMap<number, string>;
  /** First resource of each subscription and of each group, and the end. */
  readonly ofSubscription: readonly Range[];
  readonly ofGroup: readonly Range[];
}

function drawResources(
  parameters: EstateParameters,
  { groups, first }: Frame,
  dictionaries: Dictionaries,
  changes: Changes,
  seedHash: number,
): Drawn {
  const most =
    parameters.subscriptions.length + groups.length * (parameters.resourcesPerGroup + 1) + changes.resources.length;
  const type = new Uint8Array(most);
  const location = new Uint8Array(most);
  const groupOf = new Uint16Array(most);
  const subscriptionOf = new Uint16Array(most);
  const hashes = new Uint32Array(most);
  const named = new Map<number, string>();
  const types = drawnTypes();
  let at = 0;
  const add = (typeCode: number, place: number, group: number, subscription: number, hash: number) => {
    type[at] = typeCode;
    location[at] = place;
    groupOf[at] = group;
    subscriptionOf[at] = subscription;
    hashes[at] = hash;
    at += 1;
  };
  const removedIn = removedByGroup(changes.removed);
  const ofSubscription: Range[] = [];
  const ofGroup: Range[] = [];
  parameters.subscriptions.forEach(({ id }, subscription) => {
    const start = at;
    const hash = mix(seedHash, hashText(id));
    add(subscriptionType, 0, groups.length, subscription, hash || 1);
    for (let group = first[subscription] ?? 0; group < (first[subscription + 1] ?? 0); group += 1) {
      const groupStart = at;
      const inside = group - (first[subscription] ?? 0);
      const drawn = inside < parameters.groupsPerSubscription;
      const groupHash = mix(hash, inside + 1);
      const home = groups[group]?.location ?? 1;
      const groupId = `/subscriptions/${id}/resourcegroups/${(groups[group]?.name ?? "").toLowerCase()}`;
      const removed = removedIn.get(groupId);
      if (!changes.removed.has(groupId)) {
        if (!drawn) named.set(at, groupId);
        add(groupType, home, group, subscription, drawn ? groupHash || 1 : 0);
        for (let ordinal = 1; drawn && ordinal <= parameters.resourcesPerGroup; ordinal += 1) {
          const own = mix(groupHash, ordinal) || 1;
          // One in eight lives elsewhere, which "audit resource location matches resource group location" reports.
          const place = own % 8 === 0 ? 1 + ((own >>> 8) % (locations.length - 1)) : home;
          const typeCode = types[(own >>> 12) % types.length] ?? 0;
          if (removed?.has(resourceIdFrom(groupId, typeCode, own))) continue;
          add(typeCode, place, group, subscription, own);
        }
        for (const made of changes.resources)
          if (made.group === groupId) {
            named.set(at, made.id);
            const kind = dictionaries.types.findIndex(({ key }) => key === made.key);
            add(kind, dictionaries.locations.indexOf(made.location), group, subscription, 0);
          }
      }
      ofGroup.push({ first: groupStart, end: at });
    }
    ofSubscription.push({ first: start, end: at });
  });
  return {
    count: at,
    type: type.subarray(0, at),
    location: location.subarray(0, at),
    group: groupOf.subarray(0, at),
    subscription: subscriptionOf.subarray(0, at),
    hash: hashes.subarray(0, at),
    named,
    ofSubscription,
    ofGroup,
  };
}

/** Removed resources by the id of their group, so that only the groups that lost one compare ids. */
function removedByGroup(removed: ReadonlySet<string>): ReadonlyMap<string, ReadonlySet<string>> {
  const groups = new Map<string, Set<string>>();
  for (const id of removed) {
    const group = id.split("/").slice(0, 5).join("/");
    groups.set(group, (groups.get(group) ?? new Set()).add(id));
  }
  return groups;
}

/** Policy codes, ascending, for a type in a group (or in a subscription itself). */
type Applicable = (subscription: number, group: number, type: number) => Uint16Array;

function applicablePolicies(
  groups: number,
  subscriptions: number,
  policies: readonly Policy[],
  types: readonly ResourceType[],
): Applicable {
  const sees = (policy: Policy, type: number) => {
    const kind = types[type];
    const { on } = policy.definition;
    if (!kind) return false;
    if (on === "all") return true;
    return on === "indexed" ? kind.indexed : on.includes(kind.key);
  };
  const listFor = (subscription: number, group: number, type: number) =>
    Uint16Array.from(
      policies.flatMap((policy, code) => {
        const reaches =
          policy.subscriptions.includes(subscription) &&
          (policy.group === undefined || policy.group === group) &&
          !policy.without.includes(group);
        return reaches && sees(policy, type) ? [code] : [];
      }),
    );
  const ownGroups = new Set(
    policies.flatMap(({ group, without }) => (group === undefined ? without : [group, ...without])),
  );
  const known: (Uint16Array | undefined)[] = new Array((subscriptions + groups) * types.length);
  return (subscription, group, type) => {
    const place = ownGroups.has(group) ? subscriptions + group : subscription;
    const key = place * types.length + type;
    const list = known[key] ?? listFor(subscription, group, type);
    known[key] = list;
    return list;
  };
}

function fill(
  parameters: EstateParameters,
  frame: Frame,
  drawn: Drawn,
  applicable: Applicable,
  { assignments, policies }: Pick<Estate, "assignments" | "policies">,
  seedHash: number,
): Omit<Estate, "types" | "locations"> {
  const firstRow = new Uint32Array(drawn.count + 1);
  for (let code = 0; code < drawn.count; code += 1)
    firstRow[code + 1] = (firstRow[code] ?? 0) + policiesOf(drawn, applicable, code).length;
  const count = firstRow[drawn.count] ?? 0;
  const rows = {
    count,
    resource: new Uint32Array(count),
    policy: new Uint16Array(count),
    offset: new Uint32Array(count),
  };
  const assignmentHash = Uint32Array.from(policies, (policy) => assignments[policy.assignment]?.hash ?? 0);
  let row = 0;
  for (let code = 0; code < drawn.count; code += 1) {
    const hash = drawn.hash[code] || hashText(drawn.named.get(code) ?? "");
    for (const policy of policiesOf(drawn, applicable, code)) {
      rows.resource[row] = code;
      rows.policy[row] = policy;
      // One evaluation covers a whole assignment, so its rows share an instant, as they do in Azure.
      rows.offset[row] = mix(hash, assignmentHash[policy] ?? 0) % scanSpread;
      row += 1;
    }
  }
  const { named, ofSubscription, ofGroup, ...columns } = drawn;
  const rowsOf = ({ first, end }: Range): Range => ({ first: firstRow[first] ?? 0, end: firstRow[end] ?? 0 });
  const nowhere: Range = { first: 0, end: 0 };
  return {
    tenantId: parameters.tenantId,
    principalOid: parameters.principalOid ?? "",
    seedHash,
    kept: { ids: [], heads: [], ranks: new Map() },
    assignments,
    policies,
    named,
    subscriptions: parameters.subscriptions.map(({ id, name }, position) => ({
      id,
      name,
      managementGroups: managementGroupsAbove(position, parameters.tenantId),
      scanAt: mix(seedHash, hashText(`scan ${id}`)) % 86_400_000,
      groups: { first: frame.first[position] ?? 0, end: frame.first[position + 1] ?? 0 },
      resources: ofSubscription[position] ?? nowhere,
      rows: rowsOf(ofSubscription[position] ?? nowhere),
    })),
    groups: frame.groups.map((group, position) => {
      const resources = ofGroup[position] ?? nowhere;
      return { ...group, resources, rows: rowsOf(resources) };
    }),
    resources: { ...columns, firstRow },
    rows,
  };
}

function policiesOf(drawn: Drawn, applicable: Applicable, code: number): Uint16Array {
  return applicable(drawn.subscription[code] ?? 0, drawn.group[code] ?? 0, drawn.type[code] ?? 0);
}
