// What an application does with the official clients. Run by azure-policy-states.test.ts in a process of its own, because
// NODE_EXTRA_CA_CERTS is only read at the start of one. Prints one JSON document.
import { PolicyInsightsClient } from "@azure/arm-policyinsights";
import { ClientSecretCredential } from "@azure/identity";

const { AZURE_TENANT_ID, AZURE_CLIENT_ID, AZURE_CLIENT_SECRET, AZURE_SUBSCRIPTION_ID, BACKLOT_AZURE_URL } = process.env;
const [story, argument] = process.argv.slice(2);
const once = { retryOptions: { maxRetries: 0 } };

function client(secret = AZURE_CLIENT_SECRET) {
  const credential = new ClientSecretCredential(AZURE_TENANT_ID, AZURE_CLIENT_ID, secret, {
    authorityHost: BACKLOT_AZURE_URL,
    disableInstanceDiscovery: true,
    ...once,
  });
  return new PolicyInsightsClient(credential, AZURE_SUBSCRIPTION_ID, { endpoint: BACKLOT_AZURE_URL, ...once });
}

async function all(pages) {
  const rows = [];
  for await (const row of pages) rows.push(row);
  return rows;
}

const brief = ({
  timestamp,
  resourceId,
  resourceGroup,
  policyAssignmentId,
  policyDefinitionId,
  policyDefinitionReferenceId,
  complianceState,
  isCompliant,
}) => ({
  timestamp,
  resourceId,
  resourceGroup,
  policyAssignmentId,
  policyDefinitionId,
  policyDefinitionReferenceId,
  complianceState,
  isCompliant,
});

const stories = {
  async subscription() {
    const { policyStates } = client();
    const rows = await all(policyStates.listQueryResultsForSubscription("latest", AZURE_SUBSCRIPTION_ID));
    const summary = await policyStates.summarizeForSubscription("latest", AZURE_SUBSCRIPTION_ID);
    return { rows: rows.map(brief), summary };
  },
  async filtered() {
    const filter = "complianceState eq 'NonCompliant' and resourceType eq 'Microsoft.KeyVault/vaults'";
    const { policyStates } = client();
    const pages = policyStates.listQueryResultsForSubscription("latest", AZURE_SUBSCRIPTION_ID, {
      queryOptions: { filter },
    });
    return { rows: (await all(pages)).map(brief) };
  },
  async resourceGroup() {
    const { policyStates } = client();
    const rows = await all(policyStates.listQueryResultsForResourceGroup("latest", AZURE_SUBSCRIPTION_ID, argument));
    const summary = await policyStates.summarizeForResourceGroup("latest", AZURE_SUBSCRIPTION_ID, argument);
    return { rows: rows.map(brief), summary };
  },
  async one() {
    const { policyStates } = client();
    return {
      rows: (await all(policyStates.listQueryResultsForResourceGroup("latest", AZURE_SUBSCRIPTION_ID, argument))).map(
        brief,
      ),
    };
  },
  async wrongSecret() {
    await all(client("wrong").policyStates.listQueryResultsForSubscription("latest", AZURE_SUBSCRIPTION_ID));
    return {};
  },
  async badFilter() {
    const queryOptions = { filter: "complianceState eq" };
    await all(client().policyStates.listQueryResultsForSubscription("latest", AZURE_SUBSCRIPTION_ID, { queryOptions }));
    return {};
  },
  async realRequest() {
    const { policyStates } = client();
    // With a token in hand the refusal comes from Resource Manager, not from the token endpoint.
    await policyStates.summarizeForSubscription("latest", AZURE_SUBSCRIPTION_ID);
    const requestOptions = { customHeaders: { "X-Backlot-Mode": "real" } };
    await policyStates.summarizeForSubscription("latest", AZURE_SUBSCRIPTION_ID, { requestOptions });
    return {};
  },
};

const outcome = await stories[story]().catch((cause) => ({
  failed: { name: cause.name, code: cause.code, statusCode: cause.statusCode, message: cause.message },
}));
process.stdout.write(JSON.stringify(outcome));
