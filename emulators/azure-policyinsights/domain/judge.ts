/** Evaluates a row by the rule of its definition: what happens to whatever a client changes. */
import { compliant, nonCompliant, protectedState, unknown } from "./compliance.ts";
import type { Estate } from "./estate.ts";
import { evaluateRule, ruleOf, type Subject, type Verdict } from "./rules.ts";

export interface Judgement extends Verdict {
  readonly compliance: number;
}

/** `policy` is a code. Manual policies are Unknown until someone attests. */
export function judge(estate: Estate, policy: number, subject: Subject): Judgement {
  const found = estate.policies[policy];
  if (!found) return { compliance: unknown, matches: false, comparisons: [] };
  const { definition, parameters } = found;
  const effect = definition.effect.toLowerCase();
  if (effect === "manual") return { compliance: unknown, matches: false, comparisons: [] };
  const verdict = evaluateRule(ruleOf(definition), parameters, subject);
  if (effect === "denyaction") return { ...verdict, compliance: verdict.matches ? protectedState : compliant };
  return { ...verdict, compliance: verdict.matches ? nonCompliant : compliant };
}
