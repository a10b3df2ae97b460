import type { Capability } from "../kernel/emulator.ts";

const states = ["contract/azure-policy-states"];
const operations = ["contract/azure-policy-operations"];
const routes = ["azure-policyinsights/arm"];
const changes = ["azure-policyinsights/changes"];
const assigning = ["azure-policyinsights/assigning"];
const onWrite = ["azure-policyinsights/on-write"];
const groups = ["azure-policyinsights/resource-groups"];
const grid = ["azure-policyinsights/event-grid"];
const identity = ["azure-policyinsights/identity"];
const neighbours = ["contract/azure-neighbours"];
const graph = ["azure-policyinsights/resource-graph"];
const costs = ["azure-policyinsights/costs"];

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
const resource = `${group}/providers/{resource}`;
const ownResource = `${subscription}/providers/{resource}`;
const authorization = "/providers/Microsoft.Authorization";
const insights = "/providers/Microsoft.PolicyInsights";
const eventGrid = "/providers/Microsoft.EventGrid";
const topics = `${eventGrid}/systemTopics`;
const costManagement = "/providers/Microsoft.CostManagement";

const attachable = [managementGroup, subscription, group, resource, ownResource];
const named = [
  `${subscription}${authorization}/policySetDefinitions/{name}`,
  `${subscription}${authorization}/policyDefinitions/{name}`,
  `${subscription}${authorization}/policyAssignments/{name}`,
  `${group}${authorization}/policyAssignments/{name}`,
];
const scopes = [...attachable, ...named];
const withComponents = [subscription, group, resource, ownResource, ...named.slice(1)];

const paging = ["azure-policyinsights/paging", "azure-policyinsights/strict"];
const linkNote =
  "follows @odata.nextLink only, as the JavaScript client does; without $skiptoken, or in a strict seed, it is refused as in Azure";
const eventNote =
  "seeded events are the changes of state that the daily scans find; clients' own come as they are made";
const componentNote = "pods of Kubernetes clusters only; neither $apply nor paging";
const remediationNote = "deployments never fail, so failureThreshold is kept but changes nothing";
const assignmentNote =
  "scopes are management groups, subscriptions and resource groups; resourceSelectors, and overrides by location, type or version, are kept but not followed; deployIfNotExists waits for a remediation";
const versionNote = "built-ins have their newest version only; $expand is not looked at";
const pascal = (name: string) => name.charAt(0).toUpperCase() + name.slice(1);
const restrictionNote = "pending fields may be location, type or a tag; the restriction Removed is never given";

export const capabilities: readonly Capability[] = [
  ...scopes.flatMap((scope) => [
    full(`POST ${scope}${insights}/policyStates/latest/queryResults`, [...states, ...operations, ...routes, ...paging]),
    full(`POST ${scope}${insights}/policyStates/default/queryResults`, routes),
    partial(`GET ${scope}${insights}/policyStates/latest/queryResults`, [...states, ...routes], linkNote),
    partial(`GET ${scope}${insights}/policyStates/default/queryResults`, routes, linkNote),
    full(`POST ${scope}${insights}/policyStates/latest/summarize`, [
      ...states,
      ...operations,
      "azure-policyinsights/summary-scopes",
    ]),
    partial(`POST ${scope}${insights}/policyEvents/default/queryResults`, [...operations, ...changes], eventNote),
    partial(`GET ${scope}${insights}/policyEvents/default/queryResults`, operations, linkNote),
  ]),
  ...[subscription, group].map((scope) =>
    full(`POST ${scope}${insights}/policyStates/latest/triggerEvaluation`, [...operations, ...changes]),
  ),
  full(`GET ${subscription}${insights}/asyncOperationResults/{id}`, [...operations, ...changes]),
  ...attachable.flatMap((scope) => [
    partial(
      `POST ${scope}${insights}/policyTrackedResources/default/queryResults`,
      [...operations, ...changes],
      "what remediations deployed; $filter and $top, no paging",
    ),
    full(`GET ${scope}${insights}/remediations`, [...operations, ...onWrite]),
    partial(`PUT ${scope}${insights}/remediations/{name}`, [...operations, ...changes], remediationNote),
    full(`GET ${scope}${insights}/remediations/{name}`, [...operations, ...changes]),
    full(`DELETE ${scope}${insights}/remediations/{name}`, [...operations, ...changes]),
    full(`POST ${scope}${insights}/remediations/{name}/cancel`, [...operations, ...changes]),
    full(`POST ${scope}${insights}/remediations/{name}/listDeployments`, [...operations, ...changes]),
  ]),
  ...[subscription, group, resource, ownResource].flatMap((scope) => [
    full(`GET ${scope}${insights}/attestations`, [...operations, ...changes]),
    full(`PUT ${scope}${insights}/attestations/{name}`, [...operations, ...changes]),
    full(`GET ${scope}${insights}/attestations/{name}`, [...operations, ...changes]),
    full(`DELETE ${scope}${insights}/attestations/{name}`, [...operations, ...changes]),
  ]),
  ...withComponents.map((scope) =>
    partial(`POST ${scope}${insights}/componentPolicyStates/latest/queryResults`, operations, componentNote),
  ),
  ...[managementGroup, subscription, group].map((scope) =>
    partial(`POST ${scope}${insights}/checkPolicyRestrictions`, operations, restrictionNote),
  ),
  full(`GET ${insights}/operations`, operations),
  partial(`GET ${insights}/policyMetadata`, operations, "the controls that the shipped initiatives refer to"),
  full(`GET ${insights}/policyMetadata/{name}`, operations),
  ...["policyDefinitions", "policySetDefinitions"].flatMap((collection) => [
    ...["", subscription, managementGroup].flatMap((scope) => [
      partial(
        `GET ${scope}${authorization}/${collection}`,
        changes,
        "the shipped built-ins with a compact rule of our own",
      ),
      full(`GET ${scope}${authorization}/${collection}/{name}`, changes),
    ]),
    ...[subscription, managementGroup].flatMap((scope) => [
      partial(
        `PUT ${scope}${authorization}/${collection}/{name}`,
        [...changes, ...assigning],
        "rules may use allOf, anyOf, not, count, every comparison and eight template functions; existenceCondition is not looked at",
      ),
      full(`DELETE ${scope}${authorization}/${collection}/{name}`, [...changes, ...assigning]),
    ]),
  ]),
  ...["policyDefinition", "policySetDefinition"].flatMap((kind) => [
    ...["", subscription, managementGroup].flatMap((scope) => [
      partial(`GET ${scope}${authorization}/${kind}s/{name}/versions`, neighbours, versionNote),
      partial(`GET ${scope}${authorization}/${kind}s/{name}/versions/{version}`, neighbours, versionNote),
      partial(`POST ${scope}${authorization}/list${pascal(kind)}Versions`, neighbours, versionNote),
    ]),
    ...[subscription, managementGroup].flatMap((scope) => [
      full(`PUT ${scope}${authorization}/${kind}s/{name}/versions/{version}`, [...neighbours, ...assigning]),
      full(`DELETE ${scope}${authorization}/${kind}s/{name}/versions/{version}`, neighbours),
    ]),
  ]),
  ...[managementGroup, subscription, group].flatMap((scope) => [
    full(`GET ${scope}${authorization}/policyAssignments`, [...changes, ...assigning]),
    full(`GET ${scope}${authorization}/policyAssignments/{name}`, changes),
    partial(`PUT ${scope}${authorization}/policyAssignments/{name}`, [...changes, ...assigning], assignmentNote),
    full(`PATCH ${scope}${authorization}/policyAssignments/{name}`, neighbours),
    full(`DELETE ${scope}${authorization}/policyAssignments/{name}`, changes),
  ]),
  ...[resource, ownResource].map((scope) => full(`GET ${scope}${authorization}/policyAssignments`, neighbours)),
  ...attachable.flatMap((scope) => [
    full(`GET ${scope}${authorization}/policyExemptions`, changes),
    full(`GET ${scope}${authorization}/policyExemptions/{name}`, changes),
    partial(
      `PUT ${scope}${authorization}/policyExemptions/{name}`,
      changes,
      "expiresOn ends it at the next evaluation, not by itself; resourceSelectors are kept but not followed, reference ids not checked",
    ),
    full(`DELETE ${scope}${authorization}/policyExemptions/{name}`, changes),
  ]),
  full("GET /subscriptions", routes),
  full(`GET ${subscription}`, routes),
  full(`GET ${subscription}/locations`, routes),
  full(`GET ${subscription}/resourceGroups`, [...routes, ...groups]),
  full(`GET ${group}`, [...routes, ...groups]),
  full(`PUT ${group}`, [...changes, ...groups]),
  full(`PATCH ${group}`, groups),
  partial(
    `DELETE ${group}`,
    changes,
    "done at once; denyAction keeps a resource, but not the group it is in; a seeded group that is made again brings its resources back",
  ),
  ...[subscription, group].map((scope) =>
    partial(
      `GET ${scope}/resources`,
      routes,
      "$filter by resourceType, resourceGroup, location and a tag; $expand is not looked at",
    ),
  ),
  full(`GET ${resource}`, changes),
  partial(
    `PUT ${resource}`,
    [...changes, ...onWrite],
    "done at once; tags and properties are kept as they came; seeded assignments refuse nothing",
  ),
  partial(`PATCH ${resource}`, changes, "merged member by member"),
  full(`DELETE ${resource}`, [...changes, ...onWrite]),
  partial(`GET ${subscription}/providers`, routes, "the providers of the estate's types, all registered"),
  partial(`GET ${subscription}/providers/{namespace}`, routes, "one api-version is listed; every one is taken"),
  full(`POST ${subscription}/providers/{namespace}/register`, routes),
  full("GET /providers/Microsoft.Management/managementGroups", routes),
  full("GET /providers/Microsoft.Management/managementGroups/{managementGroup}", routes),
  full("GET /tenants", routes),
  full("GET /metadata/endpoints", routes),
  full("POST /{tenant}/oauth2/v2.0/token", [...states, ...routes, ...identity]),
  full("POST /{tenant}/oauth2/token", routes),
  full("GET /{tenant}/v2.0/.well-known/openid-configuration", routes),
  full("GET /{tenant}/.well-known/openid-configuration", routes),
  full("GET /{tenant}/discovery/v2.0/keys", routes),
  full("GET /{tenant}/discovery/keys", routes),
  full("GET /common/discovery/instance", routes),
  full("GET /metadata/identity/oauth2/token", identity),
  full("GET /msi/token", identity),
  ...[`${group}${topics}/{topic}`, `${subscription}${eventGrid}`, `${managementGroup}${eventGrid}`].flatMap((owner) => [
    full(`GET ${owner}/eventSubscriptions`, grid),
    partial(`PUT ${owner}/eventSubscriptions/{name}`, grid, "to WebHook destinations; of policy states only"),
    full(`GET ${owner}/eventSubscriptions/{name}`, grid),
    partial(`PATCH ${owner}/eventSubscriptions/{name}`, grid, "members at the top are replaced whole"),
    full(`DELETE ${owner}/eventSubscriptions/{name}`, grid),
    full(`POST ${owner}/eventSubscriptions/{name}/getFullUrl`, grid),
    full(`POST ${owner}/eventSubscriptions/{name}/getDeliveryAttributes`, grid),
  ]),
  full(`GET ${subscription}${eventGrid}/topicTypes/{type}/eventSubscriptions`, grid),
  full(`GET ${subscription}${topics}`, grid),
  full(`GET ${group}${topics}`, grid),
  full(`GET ${group}${topics}/{topic}`, grid),
  partial(`PUT ${group}${topics}/{topic}`, grid, "topics of Microsoft.PolicyInsights.PolicyStates"),
  full(`PATCH ${group}${topics}/{topic}`, grid),
  full(`DELETE ${group}${topics}/{topic}`, grid),
  full("GET /eventSubscriptions/{name}/validate", grid),
  ...[managementGroup, subscription, group].flatMap((scope) => [
    partial(`POST ${scope}${costManagement}/query`, costs, "every amount is in dollars; the function is Sum"),
    partial(
      `POST ${scope}${costManagement}/forecast`,
      costs,
      "what days to come will cost, exactly; no confidence levels",
    ),
    partial(`GET ${scope}${costManagement}/dimensions`, costs, "$filter and $skiptoken are not looked at"),
  ]),
  partial(
    "POST /providers/Microsoft.ResourceGraph/resources",
    graph,
    "tables resources, resourcecontainers and policyresources; the operators and functions of the samples for policy",
  ),
  full("GET /providers/Microsoft.ResourceGraph/operations", graph),
  absent("GET {scope}/providers/Microsoft.PolicyInsights/policyStates/$metadata", "no EDMX document"),
  absent(`PATCH {scope}${authorization}/policyExemptions/{name}`, "an exemption is written whole"),
];
