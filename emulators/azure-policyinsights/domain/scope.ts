/** Where a query looks: which rows, and of those which policies. What does not exist is an empty scope, not an error. */
import type { Estate } from "./estate.ts";
import { definitionId, setId } from "./fields.ts";
import type { Mask } from "./mask.ts";
import type { Policy } from "./policies.ts";
import type { Question } from "./question.ts";
import type { Readings } from "./readings.ts";

export type ScopeName =
  | { readonly tag: "managementGroup"; readonly name: string }
  | { readonly tag: "subscription" }
  | { readonly tag: "group"; readonly name: string }
  | { readonly tag: "resource"; readonly id: string }
  | { readonly tag: "set" | "definition" | "assignment" | "groupAssignment"; readonly id: string };

export interface Scope {
  readonly ranges: Question["ranges"];
  /** One bit a policy; undefined means all. */
  readonly policies: Uint8Array | undefined;
}

/** A question's condition for a scope that names an assignment or a definition. */
export function maskOf({ policies }: Scope): Mask {
  return { policies };
}

const nowhere: Scope = { ranges: [], policies: undefined };

/**
 * `subscription` is a code; -1 where the scope has none. Strictly, as in Azure, a definition is only found by an id in
 * the subscription, so that a built-in one has no states there; else its name is enough.
 */
export function resolveScope(readings: Readings, subscription: number, name: ScopeName, strict: boolean): Scope {
  const { estate } = readings;
  switch (name.tag) {
    case "managementGroup":
      return { ranges: below(estate, name.name.toLowerCase()), policies: undefined };
    case "subscription":
      return whole(estate, subscription);
    case "group":
      return groupScope(estate, subscription, name.name.toLowerCase());
    case "resource":
      return resourceScope(readings, name.id);
    case "assignment":
    case "groupAssignment":
      return assignmentScope(estate, subscription, name.id.toLowerCase());
    case "set":
      return policyScope(estate, subscription, ({ assignment }) => {
        const initiative = estate.assignments[assignment]?.initiative;
        return initiative !== undefined && isNamed(setId(initiative), name.id, strict);
      });
    case "definition":
      return policyScope(estate, subscription, ({ definition }) => isNamed(definitionId(definition), name.id, strict));
  }
}

function whole({ subscriptions }: Estate, subscription: number): Scope {
  const found = subscriptions[subscription];
  return found ? { ranges: [{ ...found.rows, subscription }], policies: undefined } : nowhere;
}

function policyScope(estate: Estate, subscription: number, test: (policy: Policy) => boolean): Scope {
  return {
    ranges: whole(estate, subscription).ranges,
    policies: Uint8Array.from(estate.policies, (policy) => (test(policy) ? 1 : 0)),
  };
}

function isNamed(id: string, wanted: string, strict: boolean): boolean {
  const [own, asked] = [id.toLowerCase(), wanted.toLowerCase()];
  return own === asked || (!strict && own.slice(own.lastIndexOf("/")) === asked.slice(asked.lastIndexOf("/")));
}

function below({ subscriptions }: Estate, managementGroup: string): Scope["ranges"] {
  return subscriptions.flatMap(({ managementGroups, rows }, subscription) =>
    managementGroups.some((name) => name.toLowerCase() === managementGroup) ? [{ ...rows, subscription }] : [],
  );
}

function groupScope(estate: Estate, subscription: number, name: string): Scope {
  const found = estate.groups.find((group) => group.subscription === subscription && group.name.toLowerCase() === name);
  return found ? { ranges: [{ ...found.rows, subscription }], policies: undefined } : nowhere;
}

function resourceScope(readings: Readings, id: string): Scope {
  const { resources } = readings.estate;
  const code = readings.resourceCode(id);
  if (code === undefined) return nowhere;
  const range = { first: resources.firstRow[code] ?? 0, end: resources.firstRow[code + 1] ?? 0 };
  return { ranges: [{ ...range, subscription: resources.subscription[code] ?? 0 }], policies: undefined };
}

/** Only assignments made at this very scope: one inherited from a management group has another id. */
function assignmentScope(estate: Estate, subscription: number, id: string): Scope {
  const found = estate.assignments.find((assignment) => assignment.id === id);
  if (!found) return nowhere;
  const bits = new Uint8Array(estate.policies.length).fill(1, found.first, found.end);
  return { ranges: whole(estate, subscription).ranges, policies: bits };
}
