/** What is assigned where: the management group tree, the assignments, and one policy for each definition in each. */
import {
  type BuiltIn,
  builtIns,
  cisFoundations,
  cloudSecurityBenchmark,
  type Initiative,
  type Member,
  membersOf,
} from "./built-ins.ts";
import { type Changes, noChanges } from "./changes.ts";
import { factOf } from "./facts.ts";
import { hashText, mix } from "./hash.ts";
import type { Json } from "./json.ts";
import {
  declaredBy,
  effectWith,
  handedOn,
  overriddenEffect,
  underEffect,
  type Values,
  valuesOf,
} from "./parameters.ts";

/** Where a subscription hangs in the tree: management group names from its parent up to the tenant's root group. */
export function managementGroupsAbove(position: number, tenantId: string): readonly string[] {
  const chains = [["mg-corp", "mg-landingzones"], ["mg-landingzones"], ["mg-platform"]];
  return [...(chains[position % chains.length] ?? []), tenantId];
}

export interface Assignment {
  readonly id: string;
  readonly name: string;
  readonly scope: string;
  /** Parameters as the JSON text that records carry, or "". */
  readonly parameters: string;
  readonly initiative: Initiative | undefined;
  readonly hash: number;
  /** False for what a client made: it has no record before that. */
  readonly seeded: boolean;
  /** Whether it acts on writes; else it only looks. */
  readonly enforced: boolean;
  readonly notScopes: readonly string[];
  /** Id of its definition when it has no initiative. */
  readonly target: string;
  /** Codes of its policies: [first, end). */
  readonly first: number;
  readonly end: number;
}

/** One definition as one assignment applies it. */
export interface Policy {
  readonly assignment: number;
  /** With the effect that the assignment gives it. */
  readonly definition: BuiltIn;
  readonly parameters: Values;
  readonly reference: string;
  /** `[""]` when it is in no group, as records show it. */
  readonly groups: readonly string[];
  /** Of the fact that its definition looks at: definitions that look at one fact agree. */
  readonly hash: number;
  /** Resource group codes it leaves out. */
  readonly without: readonly number[];
  /** Resource groups (codes) it is limited to; undefined when it applies to whole subscriptions. */
  readonly group: number | undefined;
  readonly subscriptions: readonly number[];
}

export interface Place {
  readonly scope: string;
  readonly subscriptions: readonly number[];
  readonly group?: number;
}

interface Draft {
  readonly name: string;
  readonly place: Place;
  readonly of: Initiative | BuiltIn;
  readonly parameters?: string;
  readonly overrides?: Json;
  readonly notScopes?: readonly string[];
  readonly seeded?: boolean;
  readonly enforced?: boolean;
}

export interface Tree {
  readonly root: Place | undefined;
  /** Where a management group reaches: undefined when no subscription hangs below it. */
  managementGroup(name: string): Place | undefined;
  readonly subscriptions: readonly Place[];
  /** The first resource group of each subscription. */
  readonly firstGroups: readonly Place[];
  /** A resource group by the id of its subscription and its name. */
  group(subscription: string, name: string): Place | undefined;
}

const tagParameters = '{"tagName":{"value":"costCenter"}}';

/** The assignments of the estate, wide scopes first, and their policies, grouped by assignment. */
export function assign(
  tree: Tree,
  seedHash: number,
  changes: Changes = noChanges,
): { assignments: readonly Assignment[]; policies: readonly Policy[] } {
  const drafts: Draft[] = [];
  const assignTo = (place: Place | undefined, name: string, of: Initiative | BuiltIn, parameters?: string) => {
    if (place) drafts.push({ name, place, of, ...(parameters === undefined ? {} : { parameters }) });
  };
  const landingZones = tree.managementGroup("mg-landingzones");
  assignTo(tree.root, "audit-location-matches-group", builtIn("0a914e76-4921-4c19-b460-a2d36003525a"));
  assignTo(tree.root, "require-costcenter", builtIn("871b6d14-10aa-478d-b590-94f262ecfa99"), tagParameters);
  assignTo(landingZones, "cis-azure-2-0-0", cisFoundations);
  assignTo(
    landingZones,
    "require-costcenter-on-groups",
    builtIn("96670d01-0a4d-4649-9c89-2d3abc0a5025"),
    tagParameters,
  );
  for (const place of tree.subscriptions) {
    assignTo(place, "SecurityCenterBuiltIn", cloudSecurityBenchmark);
    assignTo(place, "inherit-costcenter", builtIn("ea3f2387-9b95-492a-a190-fcdc54f7b070"), tagParameters);
    assignTo(place, "deploy-keyvault-diagnostics", builtIn("951af2fa-529b-416e-ab6e-066fd85ac459"));
    assignTo(place, "attest-coding-vulnerabilities", builtIn("318b2bd9-9c39-9f8b-46a7-048401f33476"));
  }
  for (const place of tree.firstGroups)
    assignTo(place, "audit-managed-disks", builtIn("06a78e20-9358-41c9-923c-fb736d382a4d"));
  const kept = drafts.filter(({ name, place }) => !changes.removed.has(assignmentId(place.scope, name)));
  for (const { scope, ...made } of changes.assignments) {
    const place = placeOf(tree, scope);
    if (place) kept.push({ ...made, place: { ...place, scope }, seeded: false });
  }
  return numbered(kept, tree, seedHash);
}

export function assignmentId(scope: string, name: string): string {
  return `${scope}/providers/Microsoft.Authorization/policyAssignments/${name}`.toLowerCase();
}

/** What a scope reaches: a management group, a subscription or a resource group. */
export function placeOf(tree: Tree, scope: string): Place | undefined {
  const [first = "", second = "", third, fourth = ""] = scope.split("/").slice(1);
  if (first.toLowerCase() === "providers") return tree.managementGroup(fourth);
  if (third === undefined) return tree.subscriptions.find((place) => place.scope.toLowerCase() === scope.toLowerCase());
  return tree.group(second.toLowerCase(), fourth);
}

function numbered(drafts: readonly Draft[], tree: Tree, seedHash: number) {
  const assignments: Assignment[] = [];
  const policies: Policy[] = [];
  for (const { name, place, of, parameters = "", overrides, notScopes = [], seeded = true, enforced } of drafts) {
    const id = assignmentId(place.scope, name);
    const hash = mix(seedHash, hashText(id));
    const without = notScopes.flatMap((scope) => placeOf(tree, scope)?.group ?? []);
    const gone = new Set(notScopes.flatMap((scope) => wholeSubscriptions(tree, scope)));
    const initiative = "groupPrefix" in of ? of : undefined;
    const given: Json = parameters === "" ? {} : JSON.parse(parameters);
    const members =
      "groupPrefix" in of
        ? membersGiven(of, given)
        : [{ definition: of, reference: "", groups: [], parameters: given }];
    const first = policies.length;
    for (const { definition, reference, groups, parameters: handed } of members) {
      const values = valuesOf(declaredBy(definition), handed);
      const effect = overriddenEffect(overrides, reference) ?? effectWith(definition, values);
      policies.push({
        assignment: assignments.length,
        definition: underEffect(definition, effect),
        parameters: values,
        reference: reference.toLowerCase(),
        groups: groups.length === 0 ? [""] : groups.map((group) => group.toLowerCase()),
        hash: mix(seedHash, hashText(factOf(definition))),
        group: place.group,
        without,
        subscriptions: gone.size === 0 ? place.subscriptions : place.subscriptions.filter((each) => !gone.has(each)),
      });
    }
    assignments.push({
      id,
      name,
      scope: place.scope,
      parameters,
      initiative,
      hash,
      seeded,
      // What is seeded lets everything be written: an application's tests begin with what they assign themselves.
      enforced: enforced ?? !interferes(of),
      notScopes,
      target:
        "groupPrefix" in of ? "" : `${of.scope ?? ""}/providers/Microsoft.Authorization/policyDefinitions/${of.id}`,
      first,
      end: policies.length,
    });
  }
  return { assignments, policies };
}

/** Whether a definition would change or refuse what is written. */
function interferes(of: Initiative | BuiltIn): boolean {
  return !("groupPrefix" in of) && ["deny", "modify", "append", "deployifnotexists"].includes(of.effect.toLowerCase());
}

/** The members of an initiative, each with the parameters that it hands on from an assignment's. */
export function membersGiven(initiative: Initiative, given: Json): readonly Member[] {
  const own = valuesOf(initiative.parameters, given);
  return membersOf(initiative).map((each) => ({ ...each, parameters: handedOn(each.parameters, own) }));
}

function wholeSubscriptions(tree: Tree, scope: string): readonly number[] {
  const place = placeOf(tree, scope);
  return place && place.group === undefined ? place.subscriptions : [];
}

function builtIn(id: string): BuiltIn {
  const found = builtIns.find((definition) => definition.id === id);
  if (!found) throw new Error(`no built-in definition ${id} is shipped`);
  return found;
}
