/** Operations, metadata, tracked resources and component states. */

import { complianceStates, nonCompliant } from "../domain/compliance.ts";
import type { Component } from "../domain/components.ts";
import type { Estate } from "../domain/estate.ts";
import { codesOf, fields } from "../domain/fields.ts";
import type { Json } from "../domain/json.ts";
import { policyKey } from "../domain/placing.ts";
import type { Remediation } from "../domain/remediation.ts";

const operation = (resource: string, verb: string, name: string, description: string) => ({
  name: `Microsoft.PolicyInsights/${resource}/${verb}/action`,
  display: { provider: "Microsoft Policy Insights", resource: name, operation: description, description },
});

export const operations = [
  operation("policyEvents", "queryResults", "Policy Events", "Query information about policy events."),
  operation("policyStates", "queryResults", "Policy States", "Query information about policy states."),
  operation("policyStates", "summarize", "Policy States", "Query summary information about policy latest states."),
  operation(
    "componentPolicyStates",
    "queryResults",
    "Policy States",
    "Query information about component policy states.",
  ),
];

/** `Azure_Security_Benchmark_v3.0_NS-2` is control NS-2 of that benchmark. */
export function renderMetadata(name: string, whole: boolean) {
  const at = name.lastIndexOf("_");
  const control = name.slice(at + 1);
  const source = name.slice(0, at).replaceAll("_", " ");
  return {
    properties: {
      metadataId: control,
      category: source,
      title: `Control ${control}`,
      owner: "Shared",
      additionalContentUrl: "https://learn.microsoft.com/security/benchmark/azure/",
      metadata: {},
      ...(whole
        ? { description: `${source}, control ${control}`, requirements: `Meet control ${control} of ${source}.` }
        : {}),
    },
    id: `/providers/Microsoft.PolicyInsights/policyMetadata/${name}`,
    name,
    type: "Microsoft.PolicyInsights/policyMetadata",
  };
}

const trackedNames = [
  "trackedResourceId",
  "policyDefinitionId",
  "policyAssignmentId",
  "policySetDefinitionId",
  "policyDefinitionReferenceId",
];

export function trackedSchema(name: string) {
  const found = trackedNames.find((each) => each.toLowerCase() === name.toLowerCase());
  return found === undefined ? undefined : { name: found, kind: "string" as const };
}

export function renderTracked(estate: Estate, { deployments, correlationId, policyAssignmentId }: Remediation) {
  return deployments.flatMap(({ remediatedResourceId, policy, status, lastUpdatedOn }) => {
    if (status !== "Succeeded") return [];
    const assignment = estate.assignments.find(({ id }) => id === policyAssignmentId);
    const code = estate.policies.findIndex((each) => policyKey(estate, each) === policy);
    const text = (name: string) => {
      const field = fields.find((each) => each.name === name);
      return field?.kind === "string" ? field.text(estate, code) : "";
    };
    const policyDetails = {
      policyDefinitionId: text("policyDefinitionId"),
      policyAssignmentId,
      policyAssignmentDisplayName: assignment?.name ?? "",
      policyAssignmentScope: assignment?.scope ?? "",
      policySetDefinitionId: text("policySetDefinitionId"),
      policyDefinitionReferenceId: text("policyDefinitionReferenceId"),
    };
    const group = remediatedResourceId.split("/").slice(0, 5).join("/");
    const time = new Date(lastUpdatedOn).toISOString();
    const by = {
      policyDetails,
      deploymentId: `${group}/providers/Microsoft.Resources/deployments/PolicyDeployment_${correlationId.slice(0, 8)}`,
      deploymentTime: time,
    };
    return [
      {
        trackedResourceId: remediatedResourceId.toLowerCase(),
        policyDetails,
        createdBy: by,
        lastModifiedBy: by,
        lastUpdateUtc: time,
      },
    ];
  });
}

const withoutThese = ["timestamp", "effectiveParameters", "isCompliant", "resourceTags", "managementGroupIds"];

export function renderComponentState(
  estate: Estate,
  { row, instant, component, context }: { row: number; instant: number; component: Component; context: string },
): Json {
  const state: { [name: string]: Json } = {
    "@odata.id": null,
    "@odata.context": `${context}/$entity`,
    componentId: component.id,
    componentType: component.type,
    componentName: component.name,
    timestamp: new Date(Math.floor(instant)).toISOString(),
  };
  const resource = estate.rows.resource[row] ?? 0;
  for (const field of fields) {
    if (withoutThese.includes(field.name)) continue;
    const code =
      field.level === "policy"
        ? (estate.rows.policy[row] ?? 0)
        : (codesOf(estate, field.level)?.[resource] ?? resource);
    if (field.kind === "list") state[field.name] = field.words(estate, code);
    else if (field.kind === "string")
      state[field.name] =
        field.level === "compliance" ? (complianceStates[component.compliance] ?? "") : field.text(estate, code);
  }
  if (component.compliance === nonCompliant) state.complianceReasonCode = "";
  return state;
}
