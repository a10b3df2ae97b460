// Knows nothing of Backlot: compliance through Azure's official clients, signed in by the environment.
import { PolicyInsightsClient } from "@azure/arm-policyinsights";
import { DefaultAzureCredential } from "@azure/identity";

const { AZURE_SUBSCRIPTION_ID } = process.env;
const client = new PolicyInsightsClient(new DefaultAzureCredential(), AZURE_SUBSCRIPTION_ID);
const summary = await client.policyStates.summarizeForSubscription("latest", AZURE_SUBSCRIPTION_ID);
let states = 0;
for await (const _ of client.policyStates.listQueryResultsForSubscription("latest", AZURE_SUBSCRIPTION_ID)) {
  states += 1;
  if (states === 2500) break; // more than two pages
}
console.log(JSON.stringify({ nonCompliant: summary.value[0].results.nonCompliantResources, states }));
