/** Evaluates a row by the rule of its definition: what happens to whatever a client changes. */
import { compliant, nonCompliant, protectedState, unknown } from "./compliance.ts";
import type { Estate } from "./estate.ts";
import type { Json } from "./json.ts";
import { evaluateRule, ruleOf, type Subject, type Verdict } from "./rules.ts";

export interface Judgement extends Verdict {
  readonly compliance: number;
}

/** `policy` is a code. Manual policies are Unknown until someone attests. */
export function judge(estate: Estate, policy: number, subject: Subject): Judgement {
  const found = estate.policies[policy];
  if (!found) return { compliance: unknown, matches: false, comparisons: [] };
  const { definition, assignment } = found;
  const effect = definition.effect.toLowerCase();
  if (effect === "manual") return { compliance: unknown, matches: false, comparisons: [] };
  const verdict = evaluateRule(ruleOf(definition), parametersFor(estate, assignment, definition.parameters), subject);
  if (effect === "denyaction") return { ...verdict, compliance: verdict.matches ? protectedState : compliant };
  return { ...verdict, compliance: verdict.matches ? nonCompliant : compliant };
}

/** The assignment's values over the definition's defaults. */
export function parametersFor(estate: Estate, assignment: number, declared: Json): Json {
  const given = estate.assignments[assignment]?.parameters ?? "";
  const values: Json = given === "" ? {} : JSON.parse(given);
  return {
    ...(typeof declared === "object" && declared !== null && !Array.isArray(declared) ? declared : {}),
    ...(typeof values === "object" && values !== null && !Array.isArray(values) ? values : {}),
  };
}
