/** `policyEvaluationDetails` and `components`. */
import type { BuiltIn } from "../domain/built-ins.ts";
import { complianceStates } from "../domain/compliance.ts";
import type { Component } from "../domain/components.ts";
import type { Verdict } from "../domain/rules.ts";
import { ruleOf, type Subject } from "../domain/rules.ts";

export function renderExpressions({ comparisons }: Pick<Verdict, "comparisons">) {
  return comparisons.map(({ result, expression, kind, path, value, target, operator }) => ({
    result: result ? "True" : "False",
    expression,
    expressionKind: kind,
    path,
    expressionValue: value ?? null,
    targetValue: target ?? null,
    operator,
  }));
}

export function renderDetails({ comparisons, matches }: Verdict, definition: BuiltIn, subject: Subject) {
  const { related } = ruleOf(definition);
  const found = related === undefined ? 0 : (subject.related[related] ?? 0);
  return {
    evaluatedExpressions: renderExpressions({ comparisons }),
    ...(related === undefined
      ? {}
      : { ifNotExistsDetails: { ...(found > 0 ? { resourceId: subject.id } : {}), totalResources: found } }),
    ...(matches ? { reason: definition.name } : {}),
  };
}

export function renderComponents(components: readonly Component[], instant: number) {
  return components.map(({ id, type, name, compliance }) => ({
    id,
    type,
    name,
    timestamp: new Date(Math.floor(instant)).toISOString(),
    complianceState: complianceStates[compliance] ?? "",
  }));
}
