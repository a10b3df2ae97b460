/** From stored evaluations, which name a resource and a policy, to rows of the estate; and back. */
import type { Estate } from "./estate.ts";
import { definitionId } from "./fields.ts";
import { createOverlay, type Evaluation, type Overlay } from "./overlay.ts";
import type { Policy } from "./policies.ts";
import type { Readings } from "./readings.ts";

/** Names a policy for good: the codes of an estate change with its structure. */
export function policyKey(estate: Estate, { assignment, reference, definition }: Policy): string {
  return `${estate.assignments[assignment]?.id ?? ""}|${reference || definitionId(definition)}`;
}

interface Named {
  readonly resource: string;
  readonly policy: string;
  readonly at: number;
  readonly compliance: number;
  readonly changed: boolean;
}

/** What no longer has a row - its resource or assignment is gone - is passed over. */
export function placeEvaluations(readings: Readings, evaluations: readonly Named[]): Overlay {
  const { estate } = readings;
  const policies = new Map(estate.policies.map((policy, code) => [policyKey(estate, policy), code]));
  const placed: Evaluation[] = [];
  let last: { readonly id: string; readonly code: number | undefined } | undefined;
  for (const { resource, policy, at, compliance, changed } of evaluations) {
    if (last?.id !== resource) last = { id: resource, code: readings.resourceCode(resource) };
    const row = rowOf(estate, last.code, policies.get(policy));
    if (row !== undefined) placed.push({ row, instant: at, compliance, changed });
  }
  return createOverlay(placed);
}

export function rowOf(
  { resources, rows }: Estate,
  resource: number | undefined,
  policy: number | undefined,
): number | undefined {
  if (resource === undefined || policy === undefined) return undefined;
  const end = resources.firstRow[resource + 1] ?? 0;
  for (let row = resources.firstRow[resource] ?? 0; row < end; row += 1) if (rows.policy[row] === policy) return row;
  return undefined;
}
