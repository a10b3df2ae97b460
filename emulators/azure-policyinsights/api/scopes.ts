/** The scopes of queries and of what is attached to them: how each is written in a path, and what it names. */

import type { Readings } from "../domain/readings.ts";
import type { Scope, ScopeName } from "../domain/scope.ts";
import { resolveScope } from "../domain/scope.ts";
import type { AzureState } from "../store.ts";
import { type ArmRequest, subscriptionOf } from "./request.ts";

export type ScopeKind = ScopeName["tag"];

export interface ScopePath {
  readonly kind: ScopeKind;
  /** Lower case, as paths are routed. */
  readonly path: string;
  nameOf(segments: readonly string[]): ScopeName;
}

const authorization = "providers/microsoft.authorization";
const subscription = "/subscriptions/:subscription";
const group = `${subscription}/resourcegroups/:group`;

/** From the most particular to the widest pattern: resources have ids of any length. */
const all: readonly ScopePath[] = [
  {
    kind: "managementGroup",
    path: "/providers/microsoft.management/managementgroups/:managementGroup",
    nameOf: (segments) => ({ tag: "managementGroup", name: segments[3] ?? "" }),
  },
  { kind: "subscription", path: subscription, nameOf: () => ({ tag: "subscription" }) },
  { kind: "group", path: group, nameOf: (segments) => ({ tag: "group", name: segments[3] ?? "" }) },
  {
    kind: "set",
    path: `${subscription}/${authorization}/policysetdefinitions/:name`,
    nameOf: (segments) => ({ tag: "set", id: idOf(segments) }),
  },
  {
    kind: "definition",
    path: `${subscription}/${authorization}/policydefinitions/:name`,
    nameOf: (segments) => ({ tag: "definition", id: idOf(segments) }),
  },
  {
    kind: "assignment",
    path: `${subscription}/${authorization}/policyassignments/:name`,
    nameOf: (segments) => ({ tag: "assignment", id: idOf(segments) }),
  },
  {
    kind: "groupAssignment",
    path: `${group}/${authorization}/policyassignments/:name`,
    nameOf: (segments) => ({ tag: "groupAssignment", id: idOf(segments) }),
  },
  {
    kind: "resource",
    path: `${group}/providers/:resource{.+}`,
    nameOf: (segments) => ({ tag: "resource", id: idOf(segments) }),
  },
  {
    kind: "resource",
    path: `${subscription}/providers/:resource{.+}`,
    nameOf: (segments) => ({ tag: "resource", id: idOf(segments) }),
  },
];

export function scopePaths(...kinds: readonly ScopeKind[]): readonly ScopePath[] {
  return all.filter(({ kind }) => kinds.includes(kind));
}

export const everyScope: readonly ScopeKind[] = [
  "managementGroup",
  "subscription",
  "group",
  "set",
  "definition",
  "assignment",
  "groupAssignment",
  "resource",
];

export interface Placed {
  /** Segments of the scope alone. */
  readonly segments: readonly string[];
  readonly name: ScopeName;
  /** Code of the subscription; -1 for a management group. */
  readonly subscription: number;
}

/** What a request is about: everything before its last `tail` segments. @throws ArmError for an unknown subscription */
export function placeOf(request: ArmRequest, state: AzureState, { nameOf }: ScopePath, tail: number): Placed {
  const segments = request.segments.slice(0, -tail);
  const inSubscription = segments[0]?.toLowerCase() === "subscriptions";
  return { segments, name: nameOf(segments), subscription: inSubscription ? subscriptionOf(request, state) : -1 };
}

export function rowsOf(readings: Readings, { subscription, name }: Placed, strict: boolean): Scope {
  return resolveScope(readings, subscription, name, strict);
}

export function idOf(segments: readonly string[]): string {
  return `/${segments.join("/")}`;
}
