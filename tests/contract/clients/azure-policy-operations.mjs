// Calls every operation of the official client and holds each answer against the client's own description of it: members
// that must be there, types, values of enumerations. Prints one JSON document.
import { fileURLToPath, pathToFileURL } from "node:url";
import { PolicyInsightsClient } from "@azure/arm-policyinsights";
import { createPipelineRequest } from "@azure/core-rest-pipeline";
import { ClientSecretCredential } from "@azure/identity";

const { AZURE_TENANT_ID, AZURE_CLIENT_ID, AZURE_CLIENT_SECRET, AZURE_SUBSCRIPTION_ID, BACKLOT_AZURE_URL } = process.env;
const once = { retryOptions: { maxRetries: 0 } };
const credential = new ClientSecretCredential(AZURE_TENANT_ID, AZURE_CLIENT_ID, AZURE_CLIENT_SECRET, {
  authorityHost: BACKLOT_AZURE_URL,
  disableInstanceDiscovery: true,
  ...once,
});
const client = new PolicyInsightsClient(credential, AZURE_SUBSCRIPTION_ID, { endpoint: BACKLOT_AZURE_URL, ...once });
const entry = fileURLToPath(import.meta.resolve("@azure/arm-policyinsights"));
const mappers = await import(pathToFileURL(entry.replace(/index\.js$/, "models/mappers.js")));

const seen = new Map();
const problems = [];
const send = client.sendOperationRequest.bind(client);
client.sendOperationRequest = (values, spec) => {
  const options = values.options ?? {};
  const onResponse = (raw, flat, error) => {
    const name = `${spec.httpMethod} ${spec.path}`;
    seen.set(name, raw.status);
    const mapper = spec.responses[raw.status]?.bodyMapper;
    if (raw.status >= 400) problems.push(`${name}: ${raw.status} ${raw.bodyAsText}`);
    else if (!spec.responses[raw.status]) problems.push(`${name}: status ${raw.status} is not described`);
    else if (mapper) check(JSON.parse(raw.bodyAsText), mapper, name);
    options.onResponse?.(raw, flat, error);
  };
  return send({ ...values, options: { ...options, onResponse } }, spec);
};

function check(value, mapper, path) {
  if (problems.length > 50) return;
  const { type } = mapper;
  const wrong = (what) => problems.push(`${path}: ${what}, not ${JSON.stringify(value)?.slice(0, 80)}`);
  if (value === null || value === undefined) {
    if (mapper.required && value === undefined) wrong("a value");
    return;
  }
  switch (type.name) {
    case "Composite": {
      if (typeof value !== "object" || Array.isArray(value)) return wrong("an object");
      const properties = { ...mappers[type.className]?.type.modelProperties, ...type.modelProperties };
      for (const [name, property] of Object.entries(properties)) {
        const parts = property.serializedName.split(/(?<!\\)\./).map((part) => part.replaceAll("\\.", "."));
        check(
          parts.reduce((inner, part) => inner?.[part], value),
          property,
          `${path}.${name}`,
        );
      }
      return;
    }
    case "Sequence":
      if (!Array.isArray(value)) return wrong("an array");
      for (const [at, each] of value.entries()) check(each, type.element, `${path}[${at}]`);
      return;
    case "Dictionary":
      // The generator writes a value of any type as a dictionary of any; Azure's own examples carry texts there.
      if (type.value.type.name === "any") return;
      return typeof value === "object" ? undefined : wrong("an object");
    case "Enum":
      return type.allowedValues.includes(value) ? undefined : wrong(`one of ${type.allowedValues}`);
    case "DateTime":
      return Number.isNaN(Date.parse(value)) ? wrong("a date") : undefined;
    case "Number":
    case "Boolean":
    case "String":
      return typeof value === type.name.toLowerCase() ? undefined : wrong(`a ${type.name}`);
  }
}

async function arm(method, path, body) {
  const { token } = await credential.getToken("https://management.azure.com/.default");
  const request = createPipelineRequest({
    url: `${BACKLOT_AZURE_URL}${path}?api-version=2021-06-01`,
    method,
    body: JSON.stringify(body),
  });
  request.headers.set("authorization", `Bearer ${token}`);
  request.headers.set("content-type", "application/json");
  const response = await client.sendRequest(request);
  if (response.status >= 400) throw new Error(response.bodyAsText);
}

async function first(pages, most = 20) {
  const found = [];
  for await (const each of pages) if (found.push(each) >= most) break;
  return found;
}

const sub = AZURE_SUBSCRIPTION_ID;
const scope = `/subscriptions/${sub}`;
const group = "rg-payments-prod-01";
const benchmark = "1f3afdf9-d0c9-4c3d-847f-89da613e70a8";
const definition = "404c3081-a854-4457-ae30-26a93ef643f9";
const subAssignment = "SecurityCenterBuiltIn";
const groupAssignment = "audit-managed-disks";
const { policyStates: states, policyEvents: events, policyTrackedResources: tracked, remediations } = client;

const top = { queryOptions: { top: 20 } };
const [record] = await first(
  states.listQueryResultsForResourceGroup("latest", sub, group, {
    queryOptions: { top: 1, filter: "policyAssignmentName eq 'inherit-costcenter' and isCompliant eq false" },
  }),
);
const resource = record.resourceId.slice(1);
const places = [
  ["ManagementGroup", [AZURE_TENANT_ID]],
  ["Subscription", [sub]],
  ["ResourceGroup", [sub, group]],
  ["Resource", [resource]],
  ["PolicySetDefinition", [sub, benchmark]],
  ["PolicyDefinition", [sub, definition]],
  ["SubscriptionLevelPolicyAssignment", [sub, subAssignment]],
  ["ResourceGroupLevelPolicyAssignment", [sub, group, groupAssignment]],
];
const empty = [];
for (const [name, where] of places) {
  const found = await first(states[`listQueryResultsFor${name}`]("latest", ...where, top));
  if (found.length === 0) empty.push(name);
  await states[`summarizeFor${name}`]("latest", ...where);
  const from = new Date("2024-12-01T00:00:00Z");
  await first(events[`listQueryResultsFor${name}`]("default", ...where, { queryOptions: { top: 20, from } }));
  const components = client.componentPolicyStates[`listQueryResultsFor${name}`];
  if (components) await components.call(client.componentPolicyStates, ...where, "latest");
}
await first(
  states.listQueryResultsForResource("latest", resource, { queryOptions: { expand: "PolicyEvaluationDetails" } }),
);
await states.beginTriggerSubscriptionEvaluationAndWait(sub, { updateIntervalInMs: 200 });
await states.beginTriggerResourceGroupEvaluationAndWait(sub, group, { updateIntervalInMs: 200 });

await client.operations.list();
const [metadata] = await first(client.policyMetadataOperations.list());
await client.policyMetadataOperations.getResource(metadata.name);

const content = { type: "Microsoft.KeyVault/vaults", name: "kv", location: "westeurope" };
const pendingFields = [{ field: "tags.costCenter" }, { field: "location", values: ["eastus"] }];
const question = { resourceDetails: { resourceContent: content }, pendingFields };
await client.policyRestrictions.checkAtSubscriptionScope(question);
await client.policyRestrictions.checkAtResourceGroupScope(group, question);
await client.policyRestrictions.checkAtManagementGroupScope(AZURE_TENANT_ID, { pendingFields });

const policyAssignmentId = `${scope}/providers/Microsoft.Authorization/policyAssignments/inherit-costcenter`;
for (const [name, where] of [
  ["ManagementGroup", [AZURE_TENANT_ID]],
  ["Subscription", []],
  ["ResourceGroup", [group]],
  ["Resource", [resource]],
]) {
  await remediations[`createOrUpdateAt${name}`](...where, "fix", { policyAssignmentId });
  await remediations[`getAt${name}`](...where, "fix");
  await first(remediations[`listFor${name}`](...where));
  // What has nothing to remediate has ended, and cannot be cancelled.
  const { provisioningState } = await remediations[`getAt${name}`](...where, "fix");
  if (provisioningState === "Accepted") await remediations[`cancelAt${name}`](...where, "fix");
  await first(remediations[`listDeploymentsAt${name}`](...where, "fix"));
  await remediations[`deleteAt${name}`](...where, "fix");
  await first(tracked[`listQueryResultsFor${name}`](...(name === "Subscription" ? [] : where), "default"));
}

// Only manual policies are attested: one of the client's own, seen by every resource.
const own = `${scope}/providers/Microsoft.Authorization/policyDefinitions/attest-me`;
const condition = { field: "type", notEquals: "nothing" };
await arm("PUT", own, {
  properties: { mode: "All", policyRule: { if: condition, ["th" + "en"]: { effect: "manual" } } },
});
const assigned = `${scope}/providers/Microsoft.Authorization/policyAssignments/attest-me`;
await arm("PUT", assigned, { properties: { policyDefinitionId: own } });
const attestation = { policyAssignmentId: assigned, complianceState: "Compliant" };
for (const [name, where] of [
  ["Subscription", []],
  ["ResourceGroup", [group]],
  ["Resource", [resource]],
]) {
  await client.attestations[`beginCreateOrUpdateAt${name}AndWait`](...where, "mine", attestation, {
    updateIntervalInMs: 100,
  });
  await client.attestations[`getAt${name}`](...where, "mine");
  await first(client.attestations[`listFor${name}`](...where));
  await client.attestations[`deleteAt${name}`](...where, "mine");
}

process.stdout.write(JSON.stringify({ operations: [...seen], problems, empty }));
