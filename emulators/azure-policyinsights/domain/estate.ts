/**
 * The estate: subscriptions, resource groups, resources, and one row for each resource and policy that looks at it. A
 * pure function of its parameters, kept in columns of typed arrays; texts are made when something asks for them.
 *
 * Rows lie by subscription, resource group, resource and policy, so every scope is one range of rows, and the rows of
 * one resource under one assignment are neighbours.
 */
import { hashText, mix } from "./hash.ts";
import { type Assignment, assign, managementGroupsAbove, type Place, type Policy } from "./policies.ts";
import { drawnTypes, groupType, locations, resourceTypes, subscriptionType } from "./resource-types.ts";
import { scanSpread } from "./scans.ts";

export const sizes = {
  tiny: { subscriptions: 1, groups: 3, resources: 10 },
  default: { subscriptions: 3, groups: 20, resources: 50 },
  large: { subscriptions: 10, groups: 50, resources: 200 },
} as const;

export interface EstateParameters {
  readonly seed: string;
  readonly tenantId: string;
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
  readonly rows: Range;
}

export interface ResourceGroup {
  readonly name: string;
  readonly subscription: number;
  readonly location: number;
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
  readonly hash: Uint32Array;
  /** Its rows are [firstRow[code], firstRow[code + 1]). */
  readonly firstRow: Uint32Array;
}

export interface Estate {
  readonly tenantId: string;
  readonly subscriptions: readonly Subscription[];
  readonly groups: readonly ResourceGroup[];
  readonly assignments: readonly Assignment[];
  readonly policies: readonly Policy[];
  readonly resources: Resources;
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

export function createEstate(parameters: EstateParameters): Estate {
  const seedHash = hashText(parameters.seed);
  const frame = frameOf(parameters, seedHash);
  const tree = treeOf(parameters, frame);
  const { assignments, policies } = assign(tree, seedHash);
  const resources = drawResources(parameters, frame, seedHash);
  const applicable = applicablePolicies(frame.groups.length, parameters.subscriptions.length, policies);
  return { ...fill(parameters, frame, resources, applicable, assignments, policies, seedHash), assignments, policies };
}

interface Frame {
  readonly groups: readonly { readonly name: string; readonly subscription: number; readonly location: number }[];
}

function frameOf(parameters: EstateParameters, seedHash: number): Frame {
  const groups: { name: string; subscription: number; location: number }[] = [];
  for (let subscription = 0; subscription < parameters.subscriptions.length; subscription += 1)
    for (let index = 0; index < parameters.groupsPerSubscription; index += 1) {
      const workload = workloads[index % workloads.length] ?? "";
      const stage = stages[Math.floor(index / workloads.length) % stages.length] ?? "";
      const name = `rg-${workload}-${stage}-${String(Math.floor(index / 30) + 1).padStart(2, "0")}`;
      const hash = mix(seedHash, hashText(`${subscription}/${name}`));
      groups.push({ name, subscription, location: 1 + (hash % (locations.length - 1)) });
    }
  return { groups };
}

function treeOf({ subscriptions, tenantId, groupsPerSubscription }: EstateParameters, { groups }: Frame) {
  const reach = (name: string): Place | undefined => {
    const below = subscriptions.flatMap((_, position) =>
      managementGroupsAbove(position, tenantId).includes(name) ? [position] : [],
    );
    if (below.length === 0) return undefined;
    return { scope: `/providers/Microsoft.Management/managementGroups/${name}`, subscriptions: below };
  };
  return {
    root: reach(tenantId),
    managementGroup: reach,
    subscriptions: subscriptions.map(({ id }, position) => ({
      scope: `/subscriptions/${id}`,
      subscriptions: [position],
    })),
    firstGroups: subscriptions.flatMap(({ id }, position) => {
      const group = position * groupsPerSubscription;
      const name = groups[group]?.name;
      if (name === undefined) return [];
      return [{ scope: `/subscriptions/${id}/resourceGroups/${name}`, subscriptions: [position], group }];
    }),
  };
}

type Drawn = Omit<Resources, "firstRow">;

function drawResources(parameters: EstateParameters, { groups }: Frame, seedHash: number): Drawn {
  const perGroup = parameters.resourcesPerGroup + 1; // the group is itself a resource
  const count = parameters.subscriptions.length + groups.length * perGroup;
  const resources = {
    count,
    type: new Uint8Array(count),
    location: new Uint8Array(count),
    group: new Uint16Array(count),
    subscription: new Uint16Array(count),
    hash: new Uint32Array(count),
  };
  const types = drawnTypes();
  let at = 0;
  let group = 0;
  const add = (type: number, location: number, groupCode: number, subscription: number, hash: number) => {
    resources.type[at] = type;
    resources.location[at] = location;
    resources.group[at] = groupCode;
    resources.subscription[at] = subscription;
    resources.hash[at] = hash;
    at += 1;
  };
  for (let subscription = 0; subscription < parameters.subscriptions.length; subscription += 1) {
    const hash = mix(seedHash, hashText(parameters.subscriptions[subscription]?.id ?? ""));
    add(subscriptionType, 0, groups.length, subscription, hash);
    for (let index = 0; index < parameters.groupsPerSubscription; index += 1, group += 1) {
      const groupHash = mix(hash, index + 1);
      const home = groups[group]?.location ?? 1;
      add(groupType, home, group, subscription, groupHash);
      for (let ordinal = 1; ordinal < perGroup; ordinal += 1) {
        const own = mix(groupHash, ordinal);
        // One in eight lives elsewhere, which "audit resource location matches resource group location" reports.
        const location = own % 8 === 0 ? 1 + ((own >>> 8) % (locations.length - 1)) : home;
        add(types[(own >>> 12) % types.length] ?? 0, location, group, subscription, own);
      }
    }
  }
  return resources;
}

/** Policy codes, ascending, for a type in a group (or in a subscription itself). */
type Applicable = (subscription: number, group: number, type: number) => Uint16Array;

function applicablePolicies(groups: number, subscriptions: number, policies: readonly Policy[]): Applicable {
  const sees = (policy: Policy, type: number) => {
    const kind = resourceTypes[type];
    if (!kind) return false;
    return policy.definition.on === "indexed" ? kind.indexed : policy.definition.on.includes(kind.key);
  };
  const listFor = (subscription: number, group: number, type: number) =>
    Uint16Array.from(
      policies.flatMap((policy, code) => {
        const reaches =
          policy.subscriptions.includes(subscription) && (policy.group === undefined || policy.group === group);
        return reaches && sees(policy, type) ? [code] : [];
      }),
    );
  const ownGroups = new Set(policies.map((policy) => policy.group));
  const known: (Uint16Array | undefined)[] = new Array((subscriptions + groups) * resourceTypes.length);
  return (subscription, group, type) => {
    const place = ownGroups.has(group) ? subscriptions + group : subscription;
    const key = place * resourceTypes.length + type;
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
  assignments: readonly Assignment[],
  policies: readonly Policy[],
  seedHash: number,
): Omit<Estate, "assignments" | "policies"> {
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
    const hash = drawn.hash[code] ?? 0;
    for (const policy of policiesOf(drawn, applicable, code)) {
      rows.resource[row] = code;
      rows.policy[row] = policy;
      // One evaluation covers a whole assignment, so its rows share an instant, as they do in Azure.
      rows.offset[row] = mix(hash, assignmentHash[policy] ?? 0) % scanSpread;
      row += 1;
    }
  }
  const resources: Resources = { ...drawn, firstRow };
  const perGroup = parameters.resourcesPerGroup + 1;
  const perSubscription = 1 + parameters.groupsPerSubscription * perGroup;
  const rowsOf = (first: number, many: number): Range => ({
    first: firstRow[first] ?? 0,
    end: firstRow[first + many] ?? 0,
  });
  return {
    tenantId: parameters.tenantId,
    subscriptions: parameters.subscriptions.map(({ id, name }, position) => ({
      id,
      name,
      managementGroups: managementGroupsAbove(position, parameters.tenantId),
      scanAt: mix(seedHash, hashText(`scan ${id}`)) % 86_400_000,
      groups: {
        first: position * parameters.groupsPerSubscription,
        end: (position + 1) * parameters.groupsPerSubscription,
      },
      rows: rowsOf(position * perSubscription, perSubscription),
    })),
    groups: frame.groups.map((group, position) => {
      const inside = position - group.subscription * parameters.groupsPerSubscription;
      return { ...group, rows: rowsOf(group.subscription * perSubscription + 1 + inside * perGroup, perGroup) };
    }),
    resources,
    rows,
  };
}

function policiesOf(drawn: Drawn, applicable: Applicable, code: number): Uint16Array {
  return applicable(drawn.subscription[code] ?? 0, drawn.group[code] ?? 0, drawn.type[code] ?? 0);
}
