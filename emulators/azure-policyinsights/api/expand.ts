/** `$expand`: how a record came to its state, and the components of what has some. */
import { componentsOf } from "../domain/components.ts";
import { judge } from "../domain/judge.ts";
import { subjectOf } from "../domain/resource-body.ts";
import type { AzureState } from "../store.ts";
import { renderComponents, renderDetails } from "../wire/details.ts";
import type { RecordExtra } from "../wire/policy-state.ts";
import type { Plan } from "./query.ts";
import { writtenOf } from "./written.ts";

/** Only at the scope of a resource, as in Azure; elsewhere it is passed over. */
export function expansionOf({ readings, options, place }: Plan, state: AzureState): RecordExtra | undefined {
  const { details, components } = options.expand;
  if (place.name.tag !== "resource" || (!details && !components)) return undefined;
  const { estate } = readings;
  return ({ row, compliance, instant }) => {
    const code = estate.rows.resource[row] ?? 0;
    const policy = estate.rows.policy[row] ?? 0;
    const found = estate.policies[policy];
    let text = "";
    if (details && found) {
      const subject = subjectOf(estate, code, instant, writtenOf(state, estate, code));
      const details = renderDetails(judge(estate, policy, subject), found.definition, subject);
      text += `,"policyEvaluationDetails":${JSON.stringify(details)}`;
    }
    if (components && found)
      text += `,"components":${JSON.stringify(renderComponents(componentsOf(estate, code, found, compliance), instant))}`;
    return text;
  };
}
