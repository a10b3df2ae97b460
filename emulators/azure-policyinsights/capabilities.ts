import type { Capability } from "../kernel/emulator.ts";

const contract = ["contract/azure-policy-states"];
const routes = ["azure-policyinsights/arm"];
const queryNote = "no $apply and no $expand yet: both answer 400";

const linkNote =
  "follows @odata.nextLink only, as the JavaScript client does; without $skiptoken it is refused as in Azure";

const full = (operation: string, provedBy: readonly string[]): Capability => ({ operation, status: "full", provedBy });
const partial = (operation: string, provedBy: readonly string[], note: string): Capability => ({
  operation,
  status: "partial",
  provedBy,
  note,
});
const absent = (operation: string, note: string): Capability => ({ operation, status: "absent", provedBy: [], note });

const managementGroup = "/providers/Microsoft.Management/managementGroups/{managementGroup}";
const subscription = "/subscriptions/{subscription}";
const group = `${subscription}/resourceGroups/{resourceGroup}`;
const assignment = "/providers/Microsoft.Authorization/policyAssignments/{policyAssignment}";
const scopes = [
  managementGroup,
  subscription,
  group,
  `${subscription}${assignment}`,
  `${group}${assignment}`,
  `${group}/providers/{resource}`,
];
const insights = "/providers/Microsoft.PolicyInsights";

export const capabilities: readonly Capability[] = [
  ...scopes.flatMap((scope) => {
    const provedBy = scope === subscription || scope === group ? [...contract, ...routes] : routes;
    return [
      partial(`POST ${scope}${insights}/policyStates/latest/queryResults`, provedBy, queryNote),
      partial(`POST ${scope}${insights}/policyStates/default/queryResults`, routes, queryNote),
      partial(`GET ${scope}${insights}/policyStates/latest/queryResults`, provedBy, linkNote),
      partial(`GET ${scope}${insights}/policyStates/default/queryResults`, routes, linkNote),
      full(`POST ${scope}${insights}/policyStates/latest/summarize`, provedBy),
    ];
  }),
  full("GET /subscriptions", routes),
  full(`GET ${subscription}`, routes),
  partial(`GET ${subscription}/resourceGroups`, routes, "$filter and $top are not looked at"),
  full(`GET ${group}`, routes),
  full("GET /tenants", routes),
  full("GET /metadata/endpoints", routes),
  partial("POST /{tenant}/oauth2/v2.0/token", [...contract, ...routes], "client secrets only; no client assertions"),
  partial("POST /{tenant}/oauth2/token", routes, "client secrets only; no client assertions"),
  full("GET /{tenant}/v2.0/.well-known/openid-configuration", routes),
  full("GET /{tenant}/.well-known/openid-configuration", routes),
  full("GET /{tenant}/discovery/v2.0/keys", routes),
  full("GET /{tenant}/discovery/keys", routes),
  full("GET /common/discovery/instance", routes),
  absent(
    `POST ${subscription}/providers/Microsoft.Authorization/policyDefinitions/{n}${insights}/policyStates/...`,
    "policy definition and policy set scopes",
  ),
  absent(
    `POST {scope}${insights}/policyStates/latest/triggerEvaluation`,
    "states follow the clock; there is nothing to trigger",
  ),
  absent(`POST {scope}${insights}/policyEvents/default/queryResults`, "no policy events"),
  absent(`POST {scope}${insights}/policyTrackedResources/default/queryResults`, "no tracked resources"),
  absent(`POST {scope}${insights}/componentPolicyStates/latest/queryResults`, "no component states"),
  absent(`PUT {scope}${insights}/remediations/{name}`, "no remediations"),
  absent(`PUT {scope}${insights}/attestations/{name}`, "no attestations"),
  absent(`GET ${insights}/policyMetadata`, "no policy metadata"),
  absent(`GET ${insights}/operations`, "no list of operations"),
  absent(
    "GET {scope}/providers/Microsoft.Authorization/policyAssignments",
    "the estate's assignments cannot be listed or changed",
  ),
];
