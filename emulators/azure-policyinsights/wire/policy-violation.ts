/** What a write that policies refuse is told: who refuses it, and what they found. */
import type { Estate } from "../domain/estate.ts";
import { definitionId, setId } from "../domain/fields.ts";
import { type Json, list, member, text } from "../domain/json.ts";
import type { Refusal } from "../domain/on-write.ts";
import { renderExpressions } from "./details.ts";

/** `stored` finds what a client wrote of an assignment, by its id. */
export function renderViolations(estate: Estate, refusals: readonly Refusal[], stored: (id: string) => Json) {
  const details = refusals.flatMap(({ policy: code, verdict }) => {
    const policy = estate.policies[code];
    const assignment = estate.assignments[policy?.assignment ?? -1];
    if (!policy || !assignment) return [];
    const { definition, reference } = policy;
    const { initiative } = assignment;
    const properties = member(stored(assignment.id), "properties");
    const messages = list(member(properties, "nonComplianceMessages"));
    const own = messages.find((each) => text(each, "policyDefinitionReferenceId").toLowerCase() === reference);
    const reason = text(own ?? messages.find((each) => text(each, "policyDefinitionReferenceId") === ""), "message");
    const displayName = text(properties, "displayName") || assignment.name;
    const info = {
      evaluationDetails: { evaluatedExpressions: renderExpressions(verdict) },
      policyDefinitionId: definitionId(definition),
      ...(initiative
        ? {
            policySetDefinitionId: setId(initiative),
            policySetDefinitionName: initiative.id,
            policySetDefinitionDisplayName: initiative.name,
            policyDefinitionReferenceId: reference,
          }
        : {}),
      policyDefinitionName: definition.id,
      policyDefinitionDisplayName: definition.name,
      policyDefinitionVersion: definition.version,
      policyDefinitionEffect: definition.effect.toLowerCase(),
      policyAssignmentId: `${assignment.scope}/providers/Microsoft.Authorization/policyAssignments/${assignment.name}`,
      policyAssignmentName: assignment.name,
      policyAssignmentDisplayName: displayName,
      policyAssignmentScope: assignment.scope,
      policyAssignmentParameters: assignment.parameters === "" ? {} : JSON.parse(assignment.parameters),
      policyExemptionIds: [],
    };
    const identifiers = {
      policyAssignment: { name: displayName, id: info.policyAssignmentId },
      policyDefinition: { name: definition.name, id: info.policyDefinitionId, version: definition.version },
      ...(initiative ? { policySetDefinition: { name: initiative.name, id: setId(initiative) } } : {}),
    };
    return [{ reason, info, identifiers }];
  });
  const reasons = [...new Set(details.flatMap(({ reason }) => (reason === "" ? [] : [reason])))];
  return {
    why:
      reasons.length > 0
        ? `Reasons: '${reasons.join("', '")}'. See error details for policy resource IDs.`
        : `Policy identifiers: '${JSON.stringify(details.map(({ identifiers }) => identifiers))}'.`,
    additionalInfo: details.map(({ info }) => ({ type: "PolicyViolation", info })),
  };
}
